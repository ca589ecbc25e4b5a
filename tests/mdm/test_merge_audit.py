"""Which merges are to be checked: the same ones in whatever order they come, with the share that the policy says."""

import random
import uuid
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.cluster import Join, JoinKind
from mdm.merge_audit import BY_IDENTIFIER, Sampler
from mdm.policy_schema import AuditBand, MergeAudit

from .. import resolution as master
from ..resolution import MARIA, Master, query

SECRET = b"k" * 32
ALL = "merge_audit: {by_identifier: 1, by_weight: [{from_weight: -50, share: 1}]}\n"


@dataclass(frozen=True)
class Head:
    """A record by its name."""

    source: str
    source_key: str


RECORDS = {uuid.UUID(int=number): Head("pos", f"{number:04}") for number in range(2_000)}
IDS = list(RECORDS)


def sampler(share: float, by_identifier: float = 0.0) -> Sampler:
    return Sampler(MergeAudit(by_identifier=by_identifier, by_weight=(AuditBand(from_weight=10, share=share),)), SECRET)


def join(*parts: list[int], weight: float | None = 12.0, kind: JoinKind = JoinKind.WEIGHT) -> Join[uuid.UUID]:
    return Join(tuple(frozenset(IDS[number] for number in part) for part in parts), weight, kind)


def pairs(found: Sampler, *joins: Join[uuid.UUID]) -> set[tuple[uuid.UUID, ...]]:
    return {one.records for one in found.sample(joins, RECORDS)}


def test_the_share_of_merges_that_is_asked_is_the_policys() -> None:
    joins = [join([number], [number + 1]) for number in range(0, 1_998)]
    found = pairs(sampler(0.1), *joins)
    assert 140 < len(found) < 260
    assert found < pairs(sampler(0.3), *joins), "whoever was asked with a small share is asked with a larger one"
    assert pairs(sampler(0.0), *joins) == set()
    assert len(pairs(sampler(1.0), *joins)) == 1_998


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8, unique=True), st.integers(0, 2**32))
def test_neither_the_order_of_parts_nor_who_came_later_changes_the_choice(numbers: list[int], seed: int) -> None:
    parts = [[one] for one in numbers]
    shuffled = random.Random(seed).sample(parts, len(parts))
    assert pairs(sampler(0.5), join(*parts)) == pairs(sampler(0.5), join(*shuffled))
    with_later = [[*part, 1_000 + part[0]] for part in parts]
    assert pairs(sampler(0.5), join(*parts)) == pairs(sampler(0.5), join(*with_later))


def test_another_key_chooses_others() -> None:
    joins = [join([number], [number + 1]) for number in range(0, 100)]
    other = Sampler(sampler(0.5).declared, b"other")
    assert pairs(other, *joins) != pairs(sampler(0.5), *joins)


def test_copies_of_one_form_are_one_merge_less_than_they_are() -> None:
    assert len(pairs(sampler(1.0), join([1], [2], [3], [4], kind=JoinKind.SAME_FORM))) == 3


@pytest.mark.parametrize(
    ("made", "band"),
    [
        pytest.param(join([1], [2], weight=12.0), "merged_from_10_bits", id="in a band"),
        pytest.param(join([1], [2], weight=9.9), None, id="below every band"),
        pytest.param(join([1], [2], weight=-3.0, kind=JoinKind.IDENTIFIER), BY_IDENTIFIER, id="by an identifier"),
        pytest.param(join([1], [2], weight=None, kind=JoinKind.STEWARD), None, id="by a steward"),
    ],
)
def test_a_merge_belongs_to_the_band_that_it_reaches(made: Join[uuid.UUID], band: str | None) -> None:
    assert [one.band for one in sampler(1.0, 1.0).sample([made], RECORDS)] == ([band] if band else [])


@pytest.fixture
def mdm(database: str) -> Master:
    """Every automatic merge is to be checked."""
    made = master.start(master.POLICY + ALL)
    for number, source in enumerate(("shop", "pos", "crm")):
        made.put(source, str(number), {**MARIA, "language": ("es", "en", "fr")[number]})
    made.drain()
    return made


def asked() -> set[tuple[frozenset[uuid.UUID], float]]:
    return {(frozenset(ids), share) for ids, share in query("SELECT record_ids, share FROM task WHERE state = 'open'")}


def test_whatever_the_order_of_arrival_the_same_merges_are_asked_about_and_verified(mdm: Master) -> None:
    found = {frozenset(keys) for _, keys, _ in master.questions()}
    assert len(found) == 2
    assert {share for _, share in asked()} == {1.0}
    assert mdm.verify().differences == ()
    master.empty_records()
    for number, source in ((2, "crm"), (0, "shop"), (1, "pos")):
        mdm.put(source, str(number), {**MARIA, "language": ("es", "en", "fr")[number]})
        mdm.drain()
    assert {frozenset(keys) for _, keys, _ in master.questions()} == found
    assert mdm.verify(deep=True).differences == ()


def test_verification_names_a_check_that_is_missing_and_one_that_says_another_share(mdm: Master) -> None:
    query("UPDATE task SET share = 0.5 WHERE task_id = (SELECT min(task_id::text)::uuid FROM task)")
    query("DELETE FROM task WHERE task_id = (SELECT max(task_id::text)::uuid FROM task)")
    assert sorted(one.problem for one in mdm.verify().differences) == ["missing", "says_something_else"]


def test_a_policy_that_has_nothing_checked_asks_nothing(database: str) -> None:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "1", MARIA)
    made.drain()
    assert asked() == set()
