"""Spark against DuckDB and the online scorer: the same pairs, levels and weights, on hostile forms and on FEBRL."""

import random
from itertools import combinations
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from cli import demo_febrl
from matching import bulk, spark
from matching.blocking import keys
from matching.comparisons import comparison_form
from matching.forms import ComparisonForm
from matching.hot_keys import HotLimits
from matching.model import Model, default_model
from matching.score import scorer
from mdm.labelled import read_labelled
from mdm.mapping import load_mapping

from ..matching.hostile_forms import model_with_extras, person

PEOPLE = 240  # 28,680 pairs.
FEBRL_LIMIT = HotLimits(5, 3)  # Low enough that FEBRL 3 has hot keys.
BY_PAIR = [("record_a", "ascending"), ("record_b", "ascending")]


def frame(session: SparkSession, table: pa.Table, folder: Path, name: str) -> DataFrame:
    """Hand a table over as the jobs do: as a Parquet file."""
    path = folder / f"{name}.parquet"
    pq.write_table(table, path)
    return session.read.parquet(str(path))


def handed_back(found: DataFrame, folder: Path) -> pa.Table:
    """Take an answer back as the jobs do, from Parquet; Spark gives it in no order."""
    found.write.parquet(str(folder / "found"))
    return pq.read_table(folder / "found").sort_by(BY_PAIR)


def agree(model: Model, forms: dict[str, ComparisonForm], found: pa.Table, expected: pa.Table) -> None:
    """Compare Spark's answer with DuckDB's row by row, and with the online scorer's."""
    assert found.column_names == expected.column_names
    assert found.num_rows == expected.num_rows
    online = scorer(model)
    columns = [table.column(name).to_pylist() for name in expected.column_names for table in (found, expected)]
    for a, its_a, b, its_b, levels, its_levels, weight, its_weight in zip(*columns, strict=True):
        scored = online.pair(forms[a], forms[b])
        assert (a, b) == (its_a, its_b)
        assert tuple(levels) == tuple(its_levels) == scored.levels
        assert weight == its_weight == scored.weight


@pytest.fixture(scope="module")
def people() -> dict[str, ComparisonForm]:
    return {f"r{number:04}": person(number) for number in range(PEOPLE)}


def test_hostile_pairs_get_the_levels_and_weights_of_the_other_engines(
    session: SparkSession, people: dict[str, ComparisonForm], tmp_path: Path
) -> None:
    model = model_with_extras()
    forms = bulk.forms_table(list(people), list(people.values()), model.extras)
    every = list(combinations(sorted(people), 2))
    pairs = pa.table({"record_a": [a for a, _ in every], "record_b": [b for _, b in every]})
    found = handed_back(
        spark.score_candidates(model, frame(session, forms, tmp_path, "forms"), frame(session, pairs, tmp_path, "pairs")),
        tmp_path,
    )
    assert found.num_rows >= 20_000
    agree(model, people, found, bulk.score_candidates(model, forms, pairs))


def test_febrl_gives_the_candidates_levels_and_weights_of_the_other_engines(session: SparkSession, tmp_path: Path) -> None:
    path = demo_febrl.data_file()
    assert path is not None
    labelled = read_labelled([path], load_mapping(demo_febrl.MAPPING), demo_febrl.LABEL, demo_febrl.PATTERN).records
    model = default_model()
    forms = {one.record_id: comparison_form(one.record) for one in labelled}
    filed = [(key, one.record_id) for one in labelled for _, key in keys(one.record, b"secret")]
    key_table = pa.table(
        {"blocking_key": pa.array([key for key, _ in filed], pa.int64()), "record_id": [name for _, name in filed]}
    )
    form_table = bulk.forms_table(list(forms), list(forms.values()))
    pairs = bulk.candidate_pairs(key_table, FEBRL_LIMIT)
    assert pairs.num_rows < bulk.candidate_pairs(key_table).num_rows

    their_pairs = spark.candidate_pairs(frame(session, key_table, tmp_path, "keys"), FEBRL_LIMIT)
    scored = spark.score_candidates(model, frame(session, form_table, tmp_path, "forms"), their_pairs)
    agree(model, forms, handed_back(scored, tmp_path), bulk.score_candidates(model, form_table, pairs))


def test_pairs_below_the_least_weight_are_dropped_and_the_line_itself_is_kept(
    session: SparkSession, people: dict[str, ComparisonForm]
) -> None:
    model = model_with_extras()
    forms = bulk.forms_table(list(people), list(people.values()), model.extras)
    some = sorted(people)[:40]
    pairs = pa.table({"record_a": some[:-1], "record_b": some[1:]})
    weights = sorted(bulk.score_candidates(model, forms, pairs).column("weight").to_pylist())
    line = weights[len(weights) // 2]
    found = spark.score_candidates(model, session.createDataFrame(forms), session.createDataFrame(pairs), line).toArrow()
    assert sorted(found.column("weight").to_pylist()) == [weight for weight in weights if weight >= line]


def made_keys(seed: int) -> dict[int, set[str]]:
    """File records under keys, some of them of exactly 1, limit, limit + 1 and far more records."""
    chance = random.Random(seed)
    names = [f"{chance.choice(('a', 'B', 'é', '🙂', ''))}{number}" for number in range(60)]
    sizes = [1, 2, 5, 6, 40, *(chance.randrange(1, 9) for _ in range(40))]
    return {chance.randrange(-(2**63), 2**63): set(chance.sample(names, size)) for size in sizes}


@pytest.mark.parametrize("limits", [HotLimits(5, 3), HotLimits(6, 6), HotLimits()], ids=str)
def test_candidate_and_hot_keys_are_those_of_the_definition_and_of_duckdb(session: SparkSession, limits: HotLimits) -> None:
    held = made_keys(limits.wide)
    rows = [(key, name) for key, names in held.items() for name in [*names, *names]]  # A record filed twice counts once.
    table = pa.table({"blocking_key": pa.array([key for key, _ in rows], pa.int64()), "record_id": [name for _, name in rows]})
    given = session.createDataFrame(table)
    pairs = {pair for key, names in held.items() if len(names) <= limits.of(key) for pair in combinations(sorted(names), 2)}
    hot = {key: len(names) for key, names in held.items() if len(names) > limits.of(key)}

    found = spark.candidate_pairs(given, limits).toArrow().sort_by(BY_PAIR)
    assert found.to_pylist() == bulk.candidate_pairs(table, limits).to_pylist()
    assert [tuple(row.values()) for row in found.to_pylist()] == sorted(pairs)
    assert {row["blocking_key"]: row["records"] for row in spark.hot_keys(given, limits).toArrow().to_pylist()} == hot


def test_copies_are_the_chain_that_duckdb_finds(session: SparkSession) -> None:
    chance = random.Random(5)
    names = [f"{chance.choice(('a', 'B', 'é', ''))}{number}" for number in range(300)]
    forms = [chance.choice((b"one", b"two", bytes([number % 256]))) for number in range(300)]
    given = session.createDataFrame(pa.table({"form_key": pa.array(forms, pa.binary()), "record_id": names}))
    found = spark.copy_pairs(given).toArrow().sort_by(BY_PAIR)
    assert found.to_pylist() == bulk.copy_pairs(forms, pa.array(names)).to_pylist() != []


def test_no_keys_no_pairs_and_no_pairs_no_scores(session: SparkSession, people: dict[str, ComparisonForm]) -> None:
    keys_schema = "blocking_key bigint, record_id string"
    pairs = spark.candidate_pairs(session.createDataFrame([], keys_schema))
    forms = session.createDataFrame(bulk.forms_table(list(people), list(people.values())))
    found = spark.score_candidates(default_model(), forms, pairs).toArrow()
    assert found.schema.names == ["record_a", "record_b", "levels", "weight"]
    assert found.num_rows == 0


def test_spark_listens_on_loopback_only(session: SparkSession) -> None:
    session.range(10).count()
    ours = psutil.Process()
    sockets = [one for process in (ours, *ours.children(recursive=True)) for one in process.net_connections("inet")]
    heard = {one.laddr.ip.removeprefix("::ffff:") for one in sockets if one.status == psutil.CONN_LISTEN}
    assert heard == {"127.0.0.1"}
