"""Precision from checks of automatic merges: the interval by the books, and which answers count."""

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import db
from mdm.resolve import Resolver
from stewardship import answering, precision, settle, tasks
from stewardship.answering import Answer
from stewardship.precision import Interval, stratified, wilson

from .. import resolution as master
from ..mdm.test_merge_audit import ALL
from ..resolution import MARIA, WHO, Master, partition, query

WHY = "Both cards."


@pytest.mark.parametrize(
    ("right", "answers", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe 1998, table I"),
        pytest.param(15, 148, 0.0624, 0.1605, id="Newcombe 1998, table I, few"),
        pytest.param(0, 20, 0.0, 0.1611, id="Newcombe 1998, table I, none"),
        pytest.param(29, 29, 0.8830, 1.0, id="all"),
    ],
)
def test_the_interval_is_that_of_the_books(right: int, answers: int, low: float, high: float) -> None:
    found = wilson(right, answers)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


bands = st.lists(st.tuples(st.floats(1, 1e6), st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))))


@given(bands)
def test_a_figure_lies_within_its_interval_and_the_interval_is_never_empty(told: list[tuple[float, tuple[int, int]]]) -> None:
    found = stratified([(merges, wilson(*counts)) for merges, counts in told])
    assert (found is None) == (not told)
    if found:
        assert 0 <= found.low <= found.share + 1e-12
        assert found.share - 1e-12 <= found.high <= 1
        assert found.high - found.low > 0


def test_one_band_alone_keeps_its_own_interval() -> None:
    one = wilson(17, 20)
    assert stratified([(123.0, one)]) == Interval(one.share, pytest.approx(one.low), pytest.approx(one.high))


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    drawn, held = random.Random(7), 0
    strata = ((900.0, 0.97, 40), (90.0, 0.85, 40), (10.0, 0.6, 40))
    truth = sum(merges * right for merges, right, _ in strata) / 1_000
    for _ in range(1_000):
        told = [(merges, wilson(sum(drawn.random() < right for _ in range(n)), n)) for merges, right, n in strata]
        found = stratified(told)
        assert found is not None
        held += found.low <= truth <= found.high
    assert 930 <= held <= 995


@pytest.fixture
def mdm(database: str) -> Master:
    """Two records that were merged, and the merge is to be checked."""
    made = master.start(master.POLICY + ALL)
    made.put("shop", "1", MARIA)
    made.put("pos", "1", {**MARIA, "language": "es"})
    made.drain()
    return made


def resolver() -> Resolver:
    return Resolver(db.transaction, tasks.project)


def answer(mdm: Master, verdict: str) -> uuid.UUID:
    ((task_id,),) = query("SELECT task_id FROM task WHERE state = 'open' AND kind = 'audit'")
    said = Answer(verdict, WHY)
    answering.give(resolver(), WHO, task_id, "*", said, answering.look(resolver(), WHO, task_id, said).token)
    mdm.drain()
    return uuid.UUID(str(task_id))


def told() -> tuple[int, int, int]:
    with db.read_only() as session:
        (band,) = precision.read(session, WHO.scope).bands
    return band.right, band.wrong, band.waiting


def test_a_yes_leaves_all_as_it_is_and_counts(mdm: Master) -> None:
    before = partition()
    assert told() == (0, 0, 1)
    answer(mdm, "match")
    assert (partition(), told(), master.questions()) == (before, (1, 0, 0), set())
    assert mdm.verify().differences == ()


def test_a_no_parts_and_counts_and_taken_back_it_is_asked_anew(mdm: Master) -> None:
    before = partition()
    task_id = answer(mdm, "no_match")
    assert (len(partition()), told()) == (2, (0, 1, 0))
    assert query("SELECT closed_because FROM task") == [("settled",)]
    assert mdm.verify().differences == ()
    answering.take_back(resolver(), WHO, task_id, "*", WHY, answering.look_back(resolver(), WHO, task_id).token)
    mdm.drain()
    assert (partition(), told()) == (before, (0, 0, 1))
    assert mdm.verify().differences == ()


def test_whoever_parts_by_hand_what_was_to_be_checked_has_answered(mdm: Master) -> None:
    sides = [settle.Side(records=(key,)) for key in (("shop", "1"), ("pos", "1"))]
    wish = settle.Wish("no_match", sides[0], sides[1], WHY)
    settle.make(resolver(), WHO, wish, settle.look(resolver(), WHO, wish).token)
    mdm.drain()
    assert told() == (0, 1, 0)


def test_a_merge_that_fell_away_unanswered_counts_for_nothing(mdm: Master) -> None:
    mdm.delete("pos", "1")
    mdm.drain()
    with db.read_only() as session:
        found = precision.read(session, WHO.scope)
    assert (found.bands, found.precision) == ((), None)


def test_who_sees_another_brand_is_told_nothing_of_it(mdm: Master) -> None:
    answer(mdm, "match")
    with db.read_only() as session:
        assert precision.read(session, db.Scope(brands=("bolt",))).bands == ()
        assert precision.read(session, db.Scope(brands=("acme",))).answers == 1
