"""One open task for each question, and none for what is no longer asked."""

import uuid

import pytest

from kernel import clock, db
from kernel.settings import settings
from mdm import decisions, pending
from mdm.decisions import StoredDecision

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, partition, query, questions


@pytest.fixture
def mdm(database: str) -> Master:
    """Two records of a source that asks and one that does not: the same person, twice in doubt."""
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("bought", "b", MARIA)
    made.drain()
    return made


def decide(verdict: str, left: list[uuid.UUID], right: list[uuid.UUID]) -> uuid.UUID:
    """Write a steward's decision, as settling a task will."""
    ((version_set_id,),) = query("SELECT version_set_id FROM version_set WHERE is_current")
    said = StoredDecision(
        clock.uuid7(),
        "steward:ana",
        verdict,
        None,
        None,
        None,
        None,
        tuple(left),
        tuple(right),
        None,
        (),
        "steward",
        None,
        version_set_id,
        b"",
    )
    query(
        """INSERT INTO decision (decision_id, author, verdict, left_records, right_records, reason_code, version_set_id, checksum)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        said.decision_id, said.author, verdict, left, right, "steward", version_set_id,
        decisions.checksum(settings().secret_for("decision"), said),
    )  # fmt: skip
    with db.transaction() as session:
        pending.request(session, [*left, *right], "steward")
    return said.decision_id


def record(source: str, key: str) -> uuid.UUID:
    found: uuid.UUID = query("SELECT record_id FROM crosswalk WHERE source = %s AND source_key = %s", source, key)[0][0]
    return found


def test_a_question_is_one_open_task_about_both_goldens(mdm: Master) -> None:
    ((golden_ids, brands, state),) = query("SELECT golden_ids, brands, state FROM task")
    assert set(golden_ids) == {golden_of("shop", "1"), golden_of("bought", "b")}
    assert (brands, state) == (["acme", "cord"], "open")


def test_the_task_stays_the_same_while_its_question_does(mdm: Master) -> None:
    before = query("SELECT task_id, opened_at FROM task")
    mdm.put("shop", "1", {**MARIA, "language": "es"})
    mdm.drain()
    assert query("SELECT task_id, opened_at FROM task WHERE state = 'open'") == before


def test_the_task_closes_when_a_record_goes(mdm: Master) -> None:
    mdm.delete("bought", "b")
    mdm.drain()
    assert questions() == set()
    assert query("SELECT state, closed_because FROM task") == [("closed", "record_gone")]
    assert mdm.verify().differences == ()


def test_a_stewards_match_merges_and_its_end_splits_again(mdm: Master) -> None:
    before = golden_of("shop", "1"), golden_of("bought", "b")
    decision_id = decide("match", [record("shop", "1")], [record("bought", "b")])
    mdm.drain()
    assert len(partition()) == 1
    assert questions() == set()
    assert mdm.verify().differences == ()
    with db.transaction() as session:
        decisions.supersede(session, [decision_id], "undone")
        pending.request(session, [record("shop", "1"), record("bought", "b")], "undone")
    mdm.drain()
    assert (golden_of("shop", "1"), golden_of("bought", "b")) == before
    assert len(questions()) == 1
    assert mdm.verify().differences == ()


def test_a_stewards_no_match_holds_apart_and_ends_the_question(mdm: Master) -> None:
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    decide("no_match", [record("shop", "1")], [record("pos", "A")])
    decide("no_match", [record("shop", "1"), record("pos", "A")], [record("bought", "b")])
    mdm.drain()
    assert len(partition()) == 3
    assert questions() == set()
    assert mdm.verify().differences == ()


def test_decisions_that_contradict_each_other_are_asked_about(mdm: Master) -> None:
    one, other = record("shop", "1"), record("bought", "b")
    decide("match", [one], [other])
    decide("no_match", [one], [other])
    mdm.drain()
    assert len(partition()) == 2
    assert ("contested", frozenset({("shop", "1"), ("bought", "b")}), "no_match_contradicts_matches") in questions()
    assert mdm.verify().differences == ()
