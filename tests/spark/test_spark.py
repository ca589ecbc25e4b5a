"""Spark against DuckDB and the online scorer: the same pairs, levels and weights, on hostile forms and on FEBRL."""

import random
from itertools import combinations
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from cli import demo_febrl
from matching import bulk
from matching.blocking import REFINED_STEP, keys
from matching.bulk_engine import BulkEngine, DuckdbEngine
from matching.bulk_pairs import KEYS_SCHEMA, PAIRS_SCHEMA, BulkCandidates, find_pairs
from matching.comparisons import comparison_form
from matching.forms import ComparisonForm
from matching.hot_keys import HotLimits
from matching.model import Model, default_model
from matching.score import scorer
from matching.spark import SparkEngine
from mdm.labelled import read_labelled
from mdm.mapping import load_mapping

from ..matching.hostile_forms import model_with_extras, person

PEOPLE = 240  # 28,680 pairs.
FEBRL_LIMIT = HotLimits(5, 3)  # Low enough that FEBRL 3 has hot keys.
BY_PAIR = [("record_a", "ascending"), ("record_b", "ascending")]


def keys_table(filed: list[tuple[int, int, int]]) -> pa.Table:
    """Lay out keys (rule, key, record)."""
    columns = zip(*filed, strict=True) if filed else ((), (), ())
    arrays = [pa.array(column, field.type) for column, field in zip(columns, KEYS_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=KEYS_SCHEMA)


def pairs_table(pairs: list[tuple[int, int]]) -> pa.Table:
    """Lay out pairs of places."""
    arrays = [pa.array([pair[side] for pair in pairs], pa.int32()) for side in (0, 1)]
    return pa.Table.from_arrays(arrays, schema=PAIRS_SCHEMA)


def forms_of(forms: list[ComparisonForm], model: Model) -> pa.Table:
    """Lay out forms by their places."""
    return bulk.forms_table([str(place) for place in range(len(forms))], forms, model.extras)


def scored(engine: BulkEngine, model: Model, forms: pa.Table, pairs: pa.Table, *kept: object) -> pa.Table:
    """Take the whole answer, in order."""
    return pa.concat_tables(engine.scored(model, forms, pairs, *kept)).sort_by(BY_PAIR)  # type: ignore[arg-type]  # What is kept.


def agree(model: Model, forms: list[ComparisonForm], found: pa.Table, expected: pa.Table) -> None:
    """Compare Spark's answer with DuckDB's row by row, and with the online scorer's."""
    assert found.column_names == expected.column_names
    assert found.num_rows == expected.num_rows
    online = scorer(model)
    columns = [table.column(name).to_pylist() for name in expected.column_names for table in (found, expected)]
    for a, its_a, b, its_b, levels, its_levels, weight, its_weight in zip(*columns, strict=True):
        by_hand = online.pair(forms[int(a)], forms[int(b)])
        assert (a, b) == (its_a, its_b)
        assert tuple(levels) == tuple(its_levels) == by_hand.levels
        assert weight == its_weight == by_hand.weight


def same_candidates(found: BulkCandidates, expected: BulkCandidates) -> None:
    """Compare all that the engines say of candidates."""
    assert found.pairs.to_pylist() == expected.pairs.to_pylist()
    assert (found.hot, found.keyless, found.unreachable) == (expected.hot, expected.keyless, expected.unreachable)


@pytest.fixture
def on_spark(session: SparkSession, tmp_path: Path) -> SparkEngine:
    return SparkEngine(session, tmp_path)


@pytest.fixture(scope="module")
def people() -> list[ComparisonForm]:
    return [person(number) for number in range(PEOPLE)]


def test_hostile_pairs_get_the_levels_and_weights_of_the_other_engines(
    on_spark: SparkEngine, people: list[ComparisonForm]
) -> None:
    model = model_with_extras()
    forms, pairs = forms_of(people, model), pairs_table(list(combinations(range(PEOPLE), 2)))
    found = scored(on_spark, model, forms, pairs)
    assert found.num_rows >= 20_000
    agree(model, people, found, scored(DuckdbEngine(), model, forms, pairs))


def test_febrl_gives_the_candidates_levels_and_weights_of_the_other_engines(session: SparkSession, tmp_path: Path) -> None:
    path = demo_febrl.data_file()
    assert path is not None
    labelled = read_labelled([path], load_mapping(demo_febrl.MAPPING), demo_febrl.LABEL, demo_febrl.PATTERN).records
    model, engine = default_model(), SparkEngine(session, tmp_path, FEBRL_LIMIT)
    forms = [comparison_form(one.record) for one in labelled]
    filed = keys_table([(rule, key, place) for place, one in enumerate(labelled) for rule, key in keys(one.record, b"secret")])
    groups = pa.array([0] * len(forms), pa.int32())
    expected = find_pairs(filed, groups, FEBRL_LIMIT)
    assert (len(expected.hot) > 0, expected.pairs.num_rows > 0) == (True, True)

    same_candidates(engine.find_pairs(filed, groups), expected)
    table = forms_of(forms, model)
    found = scored(engine, model, table, expected.pairs)
    agree(model, forms, found, scored(DuckdbEngine(), model, table, expected.pairs))


def test_pairs_below_the_least_weight_are_dropped_unless_they_share_an_identifier(
    on_spark: SparkEngine, people: list[ComparisonForm]
) -> None:
    model = model_with_extras()
    forms, pairs = forms_of(people, model), pairs_table(list(combinations(range(80), 2)))
    weights = sorted(scored(DuckdbEngine(), model, forms, pairs).column("weight").to_pylist())
    line = weights[len(weights) * 9 // 10]
    kept = []
    for or_same_identifier in (False, True):
        found = scored(on_spark, model, forms, pairs, line, or_same_identifier)
        assert found.to_pylist() == scored(DuckdbEngine(), model, forms, pairs, line, or_same_identifier).to_pylist()
        kept.append(found.num_rows)
    assert kept[0] == sum(weight >= line for weight in weights) < kept[1], "the line itself is kept"


def drawn_keys(seed: int) -> list[tuple[int, int, int]]:
    """File 60 records under keys of exactly 1, limit, limit + 1 and far more records; under refined keys too, and some twice."""
    chance = random.Random(seed)
    sizes = [1, 2, 3, 4, 5, 6, 7, 40, *(chance.randrange(1, 9) for _ in range(40))]
    filed = []
    for number, size in enumerate(sizes):
        rule = chance.choice((1, 2)) + (REFINED_STEP if number % 3 == 0 else 0)
        key = chance.randrange(-(2**63), 2**63)
        filed += [(rule, key, record) for record in chance.sample(range(56), size)]
    return filed + filed[::5]


@pytest.mark.parametrize("limits", [HotLimits(5, 3), HotLimits(6, 6), HotLimits()], ids=str)
def test_candidates_are_those_of_duckdb(session: SparkSession, tmp_path: Path, limits: HotLimits) -> None:
    filed = keys_table(drawn_keys(limits.wide))
    groups = pa.array([0] * 30 + [1] * 20 + [None] * 5 + [2] * 5, pa.int32())
    copies = pairs_table([(0, 1), (1, 58), (58, 59)])
    expected = find_pairs(filed, groups, limits, copies=copies)
    same_candidates(SparkEngine(session, tmp_path, limits).find_pairs(filed, groups, copies), expected)
    assert (limits.wide < 40) is bool(expected.hot)
    assert expected.keyless > 0


def test_no_keys_no_pairs_and_no_pairs_no_scores(on_spark: SparkEngine, people: list[ComparisonForm]) -> None:
    found = on_spark.find_pairs(keys_table([]), pa.array([0] * 3 + [None], pa.int32()))
    assert (found.pairs.num_rows, found.hot, found.keyless, found.unreachable) == (0, frozenset(), 3, 0)
    assert sum(one.num_rows for one in on_spark.scored(default_model(), forms_of(people, default_model()), found.pairs)) == 0


def test_nothing_is_left_in_the_folder_or_in_the_session(on_spark: SparkEngine) -> None:
    on_spark.find_pairs(keys_table(drawn_keys(1)), pa.array([0] * 60, pa.int32()))
    assert list(on_spark.folder.iterdir()) == []
    assert on_spark.session.catalog.listTables() == []
    assert on_spark.session.sparkContext._jsc.getPersistentRDDs().size() == 0  # type: ignore[union-attr]  # It runs.


def test_spark_listens_on_loopback_only(session: SparkSession) -> None:
    session.range(10).count()
    ours = psutil.Process()
    sockets = [one for process in (ours, *ours.children(recursive=True)) for one in process.net_connections("inet")]
    heard = {one.laddr.ip.removeprefix("::ffff:") for one in sockets if one.status == psutil.CONN_LISTEN}
    assert heard == {"127.0.0.1"}
