"""Labelled pairs: all of a customer's, the look-alikes of a household and of a name, each told once and truly."""

from collections import Counter
from collections.abc import Sequence

import pytest

from sampledata.pairs import HOUSEHOLD, NAMES_KEPT, NAMESAKE, SAME, LabelledPair, PairMaker
from sampledata.retailer import SimulatedRecord, simulate


def pairs_of(records: Sequence[SimulatedRecord]) -> list[LabelledPair]:
    maker = PairMaker()
    return [*(pair for record in records for pair in maker.add(record)), *maker.close()]


def record(key: str, truth: str, household: int, called: str = "") -> SimulatedRecord:
    return SimulatedRecord("pos", key, {}, truth, "2024-01-01T12:00:00Z", household, called)


def told(pairs: Sequence[LabelledPair]) -> set[tuple[str, str, bool, str]]:
    return {(pair.a.key, pair.b.key, pair.same, pair.why) for pair in pairs}


def test_a_household_worked_out_by_hand() -> None:
    """Ana has three records, Ben two: three pairs of hers, one of his, and two across them."""
    records = [
        record("a1", "ana", 1),
        record("a2", "ana", 1),
        record("a3", "ana", 1),
        record("b1", "ben", 1),
        record("b2", "ben", 1),
    ]
    same = {("a1", "a2", True, SAME), ("a1", "a3", True, SAME), ("a2", "a3", True, SAME), ("b1", "b2", True, SAME)}
    assert told(pairs_of(records)) == same | {("a1", "b1", False, HOUSEHOLD), ("a2", "b2", False, HOUSEHOLD)}


def test_strangers_of_one_name_are_told_and_kin_are_not() -> None:
    father, son, stranger = (record(*one, "Jan Nowak") for one in (("f", "father", 1), ("s", "son", 1), ("x", "other", 2)))
    assert told(pairs_of([father, son, stranger])) == {("f", "s", False, HOUSEHOLD), ("s", "x", False, NAMESAKE)}


def test_names_are_forgotten_in_the_end() -> None:
    crowd = [record(str(number), str(number), number, f"name {number}") for number in range(1, NAMES_KEPT + 2)]
    late = [record("again 1", "late 1", 30_000, "name 1"), record("again 2", "late 2", 30_001, "name 2001")]
    assert told(pairs_of([*crowd, *late])) == {("2001", "again 2", False, NAMESAKE)}


@pytest.fixture(scope="module")
def simulated() -> tuple[list[SimulatedRecord], list[LabelledPair]]:
    records = list(simulate(2500, 8))
    return records, pairs_of(records)


def test_every_true_pair_is_there_once(simulated: tuple[list[SimulatedRecord], list[LabelledPair]]) -> None:
    records, pairs = simulated
    sizes = Counter(one.truth for one in records)
    same = [frozenset(((pair.a.source, pair.a.key), (pair.b.source, pair.b.key))) for pair in pairs if pair.same]
    assert len(same) == len(set(same)) == sum(size * (size - 1) // 2 for size in sizes.values())


def test_labels_are_true_and_every_kind_occurs(simulated: tuple[list[SimulatedRecord], list[LabelledPair]]) -> None:
    records, pairs = simulated
    truth = {(one.source, one.key): one.truth for one in records}
    assert all(pair.same == (truth[pair.a.source, pair.a.key] == truth[pair.b.source, pair.b.key]) for pair in pairs)
    kinds = Counter(pair.why for pair in pairs)
    assert set(kinds) == {SAME, HOUSEHOLD, NAMESAKE}
    assert kinds[NAMESAKE] >= 3
