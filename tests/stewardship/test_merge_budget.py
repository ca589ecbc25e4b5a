"""The budget of false merges: judged by checks, held in time, and let go on by a human's word."""

from collections.abc import Iterable
from itertools import islice

import pytest

from kernel import db
from mdm import merge_holds
from mdm import policy as policies
from mdm.incoming import Incoming
from mdm.merge_holds import Hold
from mdm.policy_schema import MergeBudget
from mdm.resolve import Resolver
from sampledata.files import policy_text
from sampledata.retailer import SimulatedRecord, simulate
from stewardship import answering, merge_budget, tasks
from stewardship.answering import Answer
from stewardship.merge_budget import Breach
from stewardship.precision import Band, Precision

from .. import resolution as master
from ..resolution import WHO, Master, query

WHY = "Looked at both cards."
BUDGET = "\nmerge_audit: {by_identifier: 1, by_weight: [{from_weight: -50, share: 1}], budget: {false_merges: 0.2, checks: 30}}\n"


def judge() -> list[Hold]:
    with db.transaction() as session:
        return merge_budget.run(session)


def lift(held: Hold) -> None:
    with db.transaction() as session:
        merge_holds.lift(session, held.hold_id, "local:ann", "The mapping is mended.")


def checks() -> list[tuple[object, ...]]:
    return query("SELECT task_id, record_ids FROM task WHERE state = 'open' AND kind = 'audit' ORDER BY task_id")


def answer(mdm: Master, verdict: str, most: int) -> int:
    """Answer so many open checks alike; how many were there."""
    resolver, done = Resolver(db.transaction, tasks.project), 0
    while done < most and (found := checks()):
        task_id, said = found[0][0], Answer(verdict, WHY)
        answering.give(resolver, WHO, task_id, "*", said, answering.look(resolver, WHO, task_id, said).token)
        mdm.drain()
        done += 1
    return done


def put(mdm: Master, records: Iterable[SimulatedRecord]) -> None:
    for one in records:
        mdm.put_many(one.source, [Incoming(one.key, one.payload)])
    mdm.drain()


@pytest.fixture
def mdm(database: str) -> Master:
    """The simulated retailer, all of whose automatic merges are to be checked."""
    text = policy_text()
    assert "merge_audit" in text
    kept = text[: text.index("merge_audit:")].rstrip() + "\n"
    rest = text[text.index("merge_audit:") :].split("\n\n", 1)
    made = master.start(kept + BUDGET + (rest[1] if len(rest) > 1 else ""))
    put(made, islice(simulate(200, 41), 300))
    return made


def test_thirty_false_merges_stop_automatic_merging_until_a_human_lets_it_go_on(mdm: Master) -> None:
    assert answer(mdm, "no_match", 29) == 29
    assert judge() == [], "of too few nothing is said"
    assert answer(mdm, "no_match", 1) == 1
    (held,) = judge()
    assert held.sources is None
    assert held.reason.startswith("30 of 30 automatic merges that were checked were wrong")
    assert (held.figures["wrong"], held.figures["checked"], held.figures["budget"]) == (30, 30, 0.2)
    assert judge() == [], "it is on hold"

    before = len([part for part in master.partition() if len(part) > 1])
    put(mdm, islice(simulate(200, 41), 300, 420))
    with db.read_only() as session:
        waiting = merge_holds.waiting(session)
    assert waiting > 5
    assert len([part for part in master.partition() if len(part) > 1]) == before

    lift(held)
    mdm.drain()
    assert len([part for part in master.partition() if len(part) > 1]) > before
    assert judge() == [], "what was answered before it was lifted counts no more"
    assert mdm.verify().differences == ()
    assert answer(mdm, "no_match", 30) == 30
    assert len(judge()) == 1, "as often as it is breached anew"


def test_right_merges_stop_nothing(mdm: Master) -> None:
    assert answer(mdm, "match", 40) == 40
    assert judge() == []


def test_without_a_budget_nothing_is_judged(database: str) -> None:
    master.start()
    assert judge() == []


BAND = Band("merged_from_12_bits", right=95, wrong=5, waiting=0, merges=100.0)


@pytest.mark.parametrize(
    ("allowed", "checks", "is_breached"),
    [(0.2, 50, False), (0.12, 50, False), (0.11, 50, True), (0.05, 50, True), (0.05, 101, False), (0.05, 100, True)],
)
def test_the_upper_end_of_the_interval_is_judged_from_enough_answers_on(allowed: float, checks: int, is_breached: bool) -> None:
    """5 wrong of 100: Wilson's interval ends at 11.2 %."""
    budget = MergeBudget(false_merges=allowed, checks=checks)
    assert bool(list(merge_budget.judged({None: Precision((BAND,))}, budget))) is is_breached


def test_two_sources_are_held_where_all_together_are_within_the_budget(mdm: Master) -> None:
    with db.read_only() as session:
        budget = policies.current(session).merge_audit.budget
    assert budget is not None
    wrong = Precision((Band("merged_from_12_bits", 20, 20, 0, 40.0),))
    assert [one.sources for one in merge_budget.judged({("crm", "pos"): wrong, ("app", "pos"): Precision((BAND,))}, budget)] == [
        ("crm", "pos")
    ]
    breach = Breach(("crm", "pos"), budget, wrong)
    assert breach.reason.startswith("20 of 40 merges of crm with pos that were checked were wrong: up to 64.")
