"""The bulk engine on Spark: candidate pairs, and their levels and weights, with Parquet on both sides.

The same answers as DuckDB's, bit for bit: blocking is the same SQL, and every pair goes through the online scorer itself, in
Arrow batches, so that no second set of string distances can drift. Decides nothing, stores nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from matching.bulk_pairs import HOT, PAIRS, PAIRS_SCHEMA, PLACED, REACH, BulkCandidates, filed_sql, grouped
from matching.decide import shared_identifiers
from matching.forms import COLUMNS, LIST_COLUMNS, ComparisonForm
from matching.hot_keys import LIMITS, HotLimits
from matching.model import Model
from matching.score import Scored, scorer
from matching.spark_session import running_session

SCORED_TYPE = "struct<levels: array<tinyint>, weight: double>"
LEVELS_TYPE = pa.list_(pa.int8())
SIDES = ("record_a", "record_b")
READ_AGAIN = {"filed", "population", "placed"}
# Rows of a shuffle's partition: of two numbers each, and of pairs with both of their forms, some hundred bytes each.
KEYS_EACH, PAIRS_EACH = 1_000_000, 100_000


@contextmanager
def spark_engine(memory_limit: str, processes: int) -> Iterator["SparkEngine"]:
    """Give the engine for the length of the block, on the session that runs or on one of its own.

    All that it writes is in a folder of this user's, which goes with the block.
    """
    with TemporaryDirectory(prefix="mdm-spark-") as name:
        folder = Path(name)
        with running_session(folder, processes, memory_limit) as session:
            yield SparkEngine(session, folder)


@dataclass(frozen=True, slots=True)
class SparkEngine:
    """`matching.bulk_engine.BulkEngine` on a session that sees the folder."""

    session: SparkSession
    folder: Path
    limits: HotLimits = LIMITS

    def find_pairs(self, keys: pa.Table, groups: pa.Array, copies: pa.Table | None = None) -> BulkCandidates:
        """Join keys into pairs."""
        session = self._session(keys.num_rows // KEYS_EACH)
        given = {"given": keys, "groups": grouped(groups), "copies": PAIRS_SCHEMA.empty_table() if copies is None else copies}
        with self._exchange() as exchange, ExitStack() as kept:
            for name, table in given.items():
                exchange.hand_over(session, table).createOrReplaceTempView(name)
            for name, statement in {**filed_sql(self.limits), "placed": PLACED}.items():
                made = session.sql(statement)
                if name in READ_AGAIN:
                    kept.callback(made.cache().unpersist)
                made.createOrReplaceTempView(name)
            pairs = pa.concat_tables([PAIRS_SCHEMA.empty_table(), *exchange.take_back(session.sql(PAIRS))])
            ((keyless, unreachable),) = session.sql(REACH).collect()
            hot = frozenset(row[0] for row in session.sql(HOT).collect())
        return BulkCandidates(pairs.sort_by([(side, "ascending") for side in SIDES]), hot, keyless, unreachable)

    def scored(
        self, model: Model, forms: pa.Table, pairs: pa.Table, least_weight: float | None = None, or_same_identifier: bool = False
    ) -> Iterator[pa.Table]:
        """Score pairs, all at once; gives them a partition at a time."""
        with self._exchange() as exchange:
            session = self._session(pairs.num_rows // PAIRS_EACH)
            named = exchange.hand_over(session, pairs).select(*(sf.col(side).cast("string").alias(side) for side in SIDES))
            theirs = exchange.hand_over(session, forms)
            yield from exchange.take_back(score_candidates(model, theirs, named, least_weight, or_same_identifier))

    def _session(self, partitions: int) -> SparkSession:
        """Give a session whose views are its own and whose shuffles have so many partitions, or more."""
        session = self.session.newSession()
        least = int(self.session.conf.get("spark.sql.shuffle.partitions") or 1)
        session.conf.set("spark.sql.shuffle.partitions", str(max(least, partitions)))
        return session

    @contextmanager
    def _exchange(self) -> Iterator["_Exchange"]:
        with TemporaryDirectory(dir=self.folder) as name:
            yield _Exchange(Path(name))


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A folder through which tables go to Spark and come back, as Parquet files."""

    folder: Path

    def hand_over(self, session: SparkSession, table: pa.Table) -> DataFrame:
        path = self._next()
        parquet.write_table(table, path)
        return session.read.parquet(str(path))

    def take_back(self, found: DataFrame) -> Iterator[pa.Table]:
        path = self._next()
        found.write.parquet(str(path))
        yield from map(parquet.read_table, sorted(path.glob("*.parquet")))

    def _next(self) -> Path:
        return self.folder / f"{len(list(self.folder.iterdir()))}.parquet"


def score_candidates(
    model: Model, forms: DataFrame, pairs: DataFrame, least_weight: float | None = None, or_same_identifier: bool = False
) -> DataFrame:
    """Score pairs (record_a, record_b) of a `bulk.forms_table`: record_a, record_b, levels, weight; lazy, in no order.

    `least_weight` drops pairs below it; `or_same_identifier` keeps those of them that share an identifier. Costs two shuffles of
    the forms and one call of the scorer a pair.
    """
    columns = [column for column in forms.columns if column != "record_id"]
    # As one JSON text a form is known by its text, so that Python builds it once a batch and not once a pair.
    packed = forms.select("record_id", sf.to_json(sf.struct(*columns)).alias("form"))
    sides = [packed.withColumnsRenamed({"record_id": f"record_{side}", "form": f"form_{side}"}) for side in "ab"]
    score = sf.arrow_udf(_batch_scorer(model, least_weight, or_same_identifier), SCORED_TYPE)
    # A deterministic function Spark copies below the select to see what is kept, and scores every pair twice.
    scored = score.asNondeterministic()("form_a", "form_b")
    met = pairs.select(*SIDES).join(sides[0], "record_a").join(sides[1], "record_b")
    weighed = met.select(*SIDES, scored.alias("scored")).where(sf.col("scored").isNotNull())
    return weighed.select(*SIDES, "scored.*")


def _batch_scorer(model: Model, least_weight: float | None, or_same_identifier: bool) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def is_kept(scored: Scored, a: ComparisonForm, b: ComparisonForm) -> bool:
        if least_weight is None or scored.weight >= least_weight:
            return True
        return or_same_identifier and bool(shared_identifiers(a, b))

    def scored(forms_a: pa.Array, forms_b: pa.Array) -> pa.Array:
        pair, read = scorer(model).pair, lru_cache(maxsize=None)(partial(_form, extras=model.extras))
        met = [(read(a), read(b)) for a, b in zip(forms_a.to_pylist(), forms_b.to_pylist(), strict=True)]
        found = [pair(a, b) for a, b in met]
        columns = {
            "levels": pa.array([one.levels for one in found], LEVELS_TYPE),
            "weight": pa.array([one.weight for one in found], pa.float64()),
        }
        dropped = pa.array([not is_kept(one, *of) for one, of in zip(found, met, strict=True)], pa.bool_())
        return pa.StructArray.from_arrays(list(columns.values()), list(columns), mask=dropped)

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
