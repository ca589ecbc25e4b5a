"""Golden ids: what they live on, where they point, and that none is ever lost, reused or left in a circle."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mdm.changes import Cause, ChangePlan, IncompleteFounders, Standing, Status, plan

Parts = Iterable[Iterable[str]]


@dataclass
class Ledger:
    """Golden ids in memory: applies plans as `mdm.golden` does, and forgets nothing. Records age by their letter."""

    founders: dict[int, frozenset[str]] = field(default_factory=dict)
    standings: dict[int, Standing[int, str]] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def plan(self, parts: Parts, current: Mapping[int, Standing[int, str]] | None = None) -> ChangePlan[int, str]:
        sets = [frozenset(part) for part in parts]
        living = frozenset[str]().union(*sets)
        everyone = living.union(*self.founders.values())
        return plan(
            sets,
            self.founders,
            {golden_id: golden_id for golden_id in self.founders},
            {record: record for record in everyone},
            self.standings if current is None else current,
            gone=everyone - living,
            issue=lambda part: next(self.numbers),
        )

    def apply(self, *parts: Iterable[str]) -> ChangePlan[int, str]:
        planned = self.plan(parts)
        for golden_id, added in planned.founders_added.items():
            self.founders[golden_id] = self.founders.get(golden_id, frozenset()) | added
        self.standings |= planned.standings
        return planned

    def causes(self, *parts: Iterable[str]) -> dict[int, Cause]:
        return {change.golden_id: change.cause for change in self.apply(*parts).changes}


def live(members: str, split_into: tuple[int, ...] = ()) -> Standing[int, str]:
    return Standing(Status.LIVE, None, split_into, frozenset(members))


def merged(into: int, split_into: tuple[int, ...] = ()) -> Standing[int, str]:
    return Standing(Status.MERGED, into, split_into)


ENDED: Standing[int, str] = Standing(Status.ENDED)


class TestPlan:
    def test_a_new_part_gets_a_new_id_in_order_of_age(self) -> None:
        ledger = Ledger()
        planned = ledger.apply("cd", "ab")
        assert planned.issued == (1, 2)
        assert planned.crosswalk == {"a": 1, "b": 1, "c": 2, "d": 2}
        assert ledger.founders == {1: frozenset("ab"), 2: frozenset("cd")}

    def test_a_merge_lives_under_the_oldest_id(self) -> None:
        ledger = Ledger()
        ledger.apply("a", "b")
        assert ledger.causes("ab") == {1: Cause.ABSORBED, 2: Cause.MERGED}
        assert ledger.standings == {1: live("ab"), 2: merged(1)}

    def test_an_undone_merge_gives_both_ids_back(self) -> None:
        ledger = Ledger()
        before = ledger.apply("a", "b").standings
        ledger.apply("ab")
        assert ledger.causes("a", "b") == {1: Cause.SPLIT, 2: Cause.RESTORED}
        assert ledger.standings == before

    def test_chains_of_merges_redirect_in_one_step(self) -> None:
        ledger = Ledger()
        ledger.apply("a", "b", "c")
        ledger.apply("a", "bc")
        assert ledger.causes("abc")[3] is Cause.REDIRECTED
        assert ledger.standings == {1: live("abc"), 2: merged(1), 3: merged(1)}

    def test_a_joining_record_becomes_a_founder_of_its_first_id_only(self) -> None:
        ledger = Ledger()
        ledger.apply("a", "c")
        assert ledger.apply("ab", "c").founders_added == {1: frozenset("b")}
        assert ledger.apply("a", "bc").founders_added == {}

    def test_an_id_stays_with_most_of_its_founders_and_says_where_the_others_are(self) -> None:
        ledger = Ledger()
        ledger.apply("abc")
        assert ledger.causes("a", "bc") == {1: Cause.SPLIT, 2: Cause.CREATED}
        assert ledger.standings == {1: live("bc", split_into=(2,)), 2: live("a")}

    def test_a_tie_goes_to_the_oldest_founder(self) -> None:
        ledger = Ledger()
        ledger.apply("bc")
        ledger.apply("abc")
        ledger.apply("ac", "b")
        assert ledger.standings[1] == live("ac", split_into=(2,))
        ledger = Ledger()
        ledger.apply("bc")
        ledger.apply("ac", "b")
        assert ledger.standings[1] == live("b", split_into=(2,))

    def test_a_part_takes_no_id_most_of_whose_founders_live_elsewhere(self) -> None:
        ledger = Ledger()
        ledger.apply("abc", "d")
        ledger.apply("ad", "bc")
        assert ledger.standings == {1: live("bc", split_into=(2,)), 2: live("ad")}

    def test_a_new_id_is_founded_by_the_whole_part_it_is_issued_to(self) -> None:
        ledger = Ledger()
        ledger.apply("abc")
        assert ledger.apply("ab", "c").founders_added == {2: frozenset("c")}
        assert ledger.founders[1] == frozenset("abc")

    def test_an_id_ends_with_its_last_founder_and_is_revived_by_the_first_that_returns(self) -> None:
        ledger = Ledger()
        ledger.apply("ab", "c")
        assert ledger.causes("c") == {1: Cause.ENDED}
        assert ledger.standings[1] == ENDED
        assert ledger.causes("b", "c") == {1: Cause.REVIVED}
        assert ledger.standings[1] == live("b")

    def test_a_deleted_member_leaves(self) -> None:
        ledger = Ledger()
        ledger.apply("ab")
        assert ledger.causes("a") == {1: Cause.LEFT}

    def test_a_joining_record_is_no_merge(self) -> None:
        ledger = Ledger()
        ledger.apply("a")
        assert ledger.causes("ab") == {1: Cause.JOINED}

    def test_nothing_changed_is_no_change(self) -> None:
        ledger = Ledger()
        ledger.apply("ab", "c")
        assert ledger.apply("ab", "c").changes == ()

    def test_a_part_elsewhere_that_gains_only_moves_the_pointer(self) -> None:
        ledger = Ledger()
        ledger.apply("abc")
        ledger.apply("ab", "c")
        assert ledger.causes("ab") == {1: Cause.POINTERS, 2: Cause.ENDED}

    def test_an_erased_id_is_never_given_again(self) -> None:
        ledger = Ledger()
        ledger.apply("a")
        ledger.standings[1] = Standing(Status.ERASED)
        planned = ledger.apply("a")
        assert planned.crosswalk == {"a": 2}
        assert 1 not in planned.standings

    def test_a_rebuild_from_the_ledger_alone_gives_the_same_standings(self) -> None:
        ledger = Ledger()
        for parts in (("abc", "d"), ("ab", "cd"), ("a", "bcd"), ("acd", "b")):
            ledger.apply(*parts)
        assert ledger.plan(("acd", "b"), current={}).standings == ledger.standings


class TestMistakesOfTheCaller:
    def test_a_founder_that_is_nowhere_is_an_error(self) -> None:
        """Planning a part without the others of its ids would move an id by mistake."""
        with pytest.raises(IncompleteFounders):
            plan([frozenset("a")], {1: frozenset("ab")}, {1: 1}, {"a": 1, "b": 2}, {}, gone=(), issue=lambda part: 2)

    def test_an_id_issued_before_is_refused(self) -> None:
        with pytest.raises(ValueError, match="issued twice"):
            plan([frozenset("a")], {1: frozenset("b")}, {1: 1}, {"a": 1, "b": 2}, {}, gone="b", issue=lambda part: 1)

    @pytest.mark.parametrize("parts", [["ab", "bc"], [""]])
    def test_parts_are_disjoint_and_not_empty(self, parts: list[str]) -> None:
        with pytest.raises(ValueError, match="disjoint"):
            plan([frozenset(part) for part in parts], {}, {}, {}, {}, gone=(), issue=lambda part: 1)


RECORDS = "abcdefgh"
partitions = st.lists(st.sampled_from([None, 0, 0, 1, 1, 2, 3]), min_size=len(RECORDS), max_size=len(RECORDS)).map(
    lambda homes: tuple(
        "".join(record for record, home in zip(RECORDS, homes, strict=True) if home == number)
        for number in sorted({home for home in homes if home is not None})
    )
)


@settings(max_examples=300)
@given(st.lists(partitions, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_parts_and_ids_never_matters(history: list[tuple[str, ...]], random: Random) -> None:
    ledger = Ledger()
    for parts in history[:-1]:
        ledger.apply(*parts)
    last = list(history[-1]) if history else []
    expected = ledger.plan(last)
    random.shuffle(last)
    founders = random.sample(sorted(ledger.founders.items()), len(ledger.founders))
    shuffled = Ledger(dict(founders), ledger.standings, itertools.count(len(founders) + 1))
    assert shuffled.plan(last) == expected


class GoldenIds(RuleBasedStateMachine):
    """Records come, go, merge, split and return; ids must never be lost, reused, or point in a circle."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.parts: frozenset[frozenset[str]] = frozenset()
        self.seen: dict[frozenset[frozenset[str]], dict[str, int]] = {}
        self.ever: list[int] = []

    def move(self, parts: Iterable[frozenset[str]]) -> None:
        self.parts = frozenset(part for part in parts if part)
        planned = self.ledger.apply(*self.parts)
        assert not set(planned.issued) & set(self.ever)
        self.ever += planned.issued
        crosswalk = dict(planned.crosswalk)
        known = self.seen.setdefault(self.parts, crosswalk)
        assert crosswalk == known, "a partition that returned has other ids"

    def part_of(self, record: str) -> frozenset[str]:
        return next((part for part in self.parts if record in part), frozenset())

    @initialize(parts=partitions)
    def load(self, parts: tuple[str, ...]) -> None:
        self.move(frozenset(part) for part in parts)

    @rule(record=st.sampled_from(RECORDS), beside=st.sampled_from(RECORDS))
    def come_or_move(self, record: str, beside: str) -> None:
        others = [part - {record} for part in self.parts]
        target = self.part_of(beside) - {record}
        self.move([*(part for part in others if part != target), target | {record}])

    @precondition(lambda self: self.parts)
    @rule(record=st.sampled_from(RECORDS))
    def delete(self, record: str) -> None:
        self.move(part - {record} for part in self.parts)

    @rule(a=st.sampled_from(RECORDS), b=st.sampled_from(RECORDS))
    def merge(self, a: str, b: str) -> None:
        one, other = self.part_of(a), self.part_of(b)
        self.move((self.parts - {one, other}) | {one | other})

    @rule(records=st.sets(st.sampled_from(RECORDS)))
    def split(self, records: set[str]) -> None:
        self.move(piece for part in self.parts for piece in (part & records, part - records))

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def return_to(self, data: st.DataObject) -> None:
        self.move(data.draw(st.sampled_from(list(self.seen))))

    @rule()
    def rebuild(self) -> None:
        """All standings are lost; records, decisions and the founder ledger are not."""
        again = self.ledger.plan(self.parts, current={})
        assert again.issued == ()
        assert again.standings == self.ledger.standings

    @invariant()
    def every_id_ever_issued_resolves_in_one_step(self) -> None:
        assert sorted(self.ledger.standings) == sorted(self.ever)
        for golden_id, standing in self.ledger.standings.items():
            others = [standing.redirect_to] if standing.redirect_to else []
            assert all(self.ledger.standings[other].status is Status.LIVE for other in (*others, *standing.split_into))
            assert golden_id not in standing.split_into
            assert (standing.status is Status.MERGED) == bool(others)

    @invariant()
    def every_living_record_lives_under_one_live_id(self) -> None:
        members = [record for standing in self.ledger.standings.values() for record in standing.members]
        assert sorted(members) == sorted(record for part in self.parts for record in part)
        assert {standing.members for standing in self.ledger.standings.values() if standing.members} == self.parts

    @invariant()
    def an_id_ends_only_with_its_founders(self) -> None:
        living = frozenset[str]().union(*self.parts)
        for golden_id, standing in self.ledger.standings.items():
            assert (standing.status is Status.ENDED) == (not self.ledger.founders[golden_id] & living)


TestGoldenIds = GoldenIds.TestCase
TestGoldenIds.settings = settings(max_examples=500, stateful_step_count=40)
