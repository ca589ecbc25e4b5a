"""The bulk engine beyond one machine: candidate pairs, and their levels and weights, on Spark.

The same answers as `matching.bulk`, bit for bit: blocking is the same SQL, and every pair goes through the online scorer itself,
in Arrow batches, so that no second set of string distances can drift. Data frames in and out (read and write them as Parquet),
lazy, in no order; decides nothing, stores nothing.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import orjson
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from matching.exact_copies import COPIES_SQL
from matching.forms import COLUMNS, LIST_COLUMNS, ComparisonForm
from matching.hot_keys import LIMITS, HotLimits, hot_sql, pairs_sql
from matching.model import Model
from matching.score import scorer

SCORED_TYPE = "struct<levels: array<tinyint>, weight: double>"
LEVELS_TYPE = pa.list_(pa.int8())
LOOPBACK = "127.0.0.1"


def local_session(cores: int = 2) -> SparkSession:
    """Start Spark inside this machine: every port on loopback, no web page, workers on this very Python."""
    settings = {
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": str(2 * cores),  # The default of 200 spends seconds on empty partitions.
    }
    session = SparkSession.builder.master(f"local[{cores}]").appName("matching").config(map=settings).getOrCreate()
    session.sparkContext.pythonExec = sys.executable
    return session


def candidate_pairs(keys: DataFrame, limits: HotLimits = LIMITS) -> DataFrame:
    """Join a frame (blocking_key, record_id) with itself into distinct pairs (record_a < record_b).

    As in `matching.bulk`, a key of more records than its limit yields nothing; see `hot_keys`. Hot keys leave before the join, so
    no task meets more of a key's records than that.
    """
    return keys.sparkSession.sql(pairs_sql(limits), given=keys)


def copy_pairs(forms: DataFrame) -> DataFrame:
    """Pair each record of a frame (form_key, record_id) with its next exact copy (record_a < record_b)."""
    return forms.sparkSession.sql(COPIES_SQL, given=forms)


def hot_keys(keys: DataFrame, limits: HotLimits = LIMITS) -> DataFrame:
    """Return the keys (blocking_key, records) that are hot."""
    return keys.sparkSession.sql(hot_sql(limits), given=keys)


def score_candidates(model: Model, forms: DataFrame, pairs: DataFrame, least_weight: float | None = None) -> DataFrame:
    """Score pairs (record_a, record_b) of a `bulk.forms_table`: record_a, record_b, levels, weight.

    `least_weight` drops pairs below it. Costs two shuffles of the forms and one call of the scorer a pair.
    """
    columns = [column for column in forms.columns if column != "record_id"]
    # As one JSON text a form is known by its text, so that Python builds it once a batch and not once a pair.
    packed = forms.select("record_id", sf.to_json(sf.struct(*columns)).alias("form"))
    sides = [packed.withColumnsRenamed({"record_id": f"record_{side}", "form": f"form_{side}"}) for side in "ab"]
    score = sf.arrow_udf(_batch_scorer(model), SCORED_TYPE)
    # A deterministic function Spark copies below the select to apply the line on the weight, and scores every pair twice.
    scored = score.asNondeterministic()("form_a", "form_b")
    met = pairs.select("record_a", "record_b").join(sides[0], "record_a").join(sides[1], "record_b")
    weighed = met.select("record_a", "record_b", scored.alias("scored")).select("record_a", "record_b", "scored.*")
    return weighed if least_weight is None else weighed.where(sf.col("weight") >= least_weight)


def _batch_scorer(model: Model) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def scored(forms_a: pa.Array, forms_b: pa.Array) -> pa.Array:
        pair, read = scorer(model).pair, lru_cache(maxsize=None)(partial(_form, extras=model.extras))
        found = [pair(read(a), read(b)) for a, b in zip(forms_a.to_pylist(), forms_b.to_pylist(), strict=True)]
        columns = {
            "levels": pa.array([one.levels for one in found], LEVELS_TYPE),
            "weight": pa.array([one.weight for one in found], pa.float64()),
        }
        return pa.StructArray.from_arrays(list(columns.values()), list(columns))

    return scored


def _form(packed: str, extras: Sequence[tuple[str, str]]) -> ComparisonForm:
    """Take back what `bulk.forms_table` laid out: an extra as the number or the folded text that its kind compares."""
    row: Mapping[str, Any] = orjson.loads(packed)
    values: dict[str, Any] = {name: tuple(row[name]) if name in LIST_COLUMNS else row[name] for name in COLUMNS if name in row}
    held = [
        (name, row.get(f"extra{place}_number" if kind == "number" else f"extra{place}"))
        for place, (name, kind) in enumerate(extras)
    ]
    return ComparisonForm(**values, extras=tuple((name, str(value)) for name, value in held if value is not None) or None)
