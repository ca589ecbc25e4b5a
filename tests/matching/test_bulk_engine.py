"""The engine in this process answers in slices what the bulk functions answer at once. Spark's tests are in tests/spark."""

from itertools import combinations

import pyarrow as pa
import pytest

from matching import bulk
from matching.bulk import forms_table, score_candidates
from matching.bulk_engine import DuckdbEngine, bulk_engine
from matching.bulk_pairs import KEYS_SCHEMA, PAIRS_SCHEMA, find_pairs
from matching.engine import EngineName

from .hostile_forms import model_with_extras, person

PEOPLE = 30
MODEL = model_with_extras()
FORMS = forms_table([str(number) for number in range(PEOPLE)], [person(number) for number in range(PEOPLE)], MODEL.extras)
PAIRS = pa.Table.from_pylist([{"record_a": a, "record_b": b} for a, b in combinations(range(PEOPLE), 2)], schema=PAIRS_SCHEMA)
BY_PAIR = [("record_a", "ascending"), ("record_b", "ascending")]


@pytest.mark.parametrize("kept", [(), (0.0,), (0.0, True)], ids=str)
@pytest.mark.parametrize("at_once", [1, 100, 435, 10_000])
def test_slices_come_to_what_all_pairs_at_once_come_to(
    at_once: int, kept: tuple[float, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "SCORED_AT_ONCE", at_once)
    pairs = PAIRS.slice(0, 20) if at_once == 1 else PAIRS
    named = pa.table({side: pairs.column(side).cast(pa.string()) for side in pairs.column_names})
    slices = list(DuckdbEngine().scored(MODEL, FORMS, pairs, *kept))
    assert len(slices) == -(-pairs.num_rows // at_once)
    assert pa.concat_tables(slices).sort_by(BY_PAIR).to_pylist() == score_candidates(MODEL, FORMS, named, *kept).to_pylist()


def test_no_pairs_are_scored_by_saying_nothing() -> None:
    assert list(DuckdbEngine().scored(MODEL, FORMS, PAIRS.slice(0, 0))) == []


def test_the_engine_of_that_name_answers_within_the_limit() -> None:
    filed = pa.Table.from_arrays([pa.array([1, 1, 1]), pa.array([8, 8, 8]), pa.array([0, 2, 1])], KEYS_SCHEMA.names)
    groups = pa.array([0, 1, 0], pa.int32())
    with bulk_engine(EngineName.DUCKDB, "512MB") as engine:
        assert engine == DuckdbEngine("512MB")
        found = engine.find_pairs(filed.cast(KEYS_SCHEMA), groups)
    assert found == find_pairs(filed.cast(KEYS_SCHEMA), groups)
    assert found.pairs.to_pylist() == [{"record_a": 0, "record_b": 2}]
