"""Verification finds nothing on a healthy store, and names every corrupted row."""

import random
import uuid

import pytest

from kernel import db
from mdm import verify
from mdm.differences import Kind
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, query
from .test_resolve import retailer


@pytest.fixture
def mdm(database: str) -> Master:
    """A retailer with merged ids, open tasks and decisions, resolved."""
    made = master.start()
    for source, item in retailer():
        made.put_many(source, [item])
    made.drain()
    for number in range(6):  # Two goldens each that a later version brings together, so that there are redirects.
        made.put("shop", f"left{number}", {"given_name": f"Ana{number}", "emails": [f"left{number}@telefonica.net"]})
        stranger = {"given_name": "Zoe", "surname": f"Quite{number}other", "emails": [f"z{number}@telefonica.net"]}
        made.put("pos", f"right{number}", stranger)
    made.drain()
    for number in range(6):
        said = {"given_name": f"Ana{number}", "surname": f"Bridge{number}", "birth_date": f"197{number}-05-17"}
        made.put("shop", f"left{number}", {**said, "emails": [f"left{number}@telefonica.net"]})
        made.put("pos", f"right{number}", {**said, "emails": [f"left{number}@telefonica.net"]})
    made.drain()
    return made


def test_a_healthy_store_has_no_difference(mdm: Master) -> None:
    report = mdm.verify()
    assert report.differences == ()
    assert report.in_flight == 0
    assert report.records == query("SELECT count(*) FROM crosswalk")[0][0]


def test_the_other_path_has_no_difference_either(mdm: Master) -> None:
    assert mdm.verify(deep=True).differences == ()


OLDEST = "(SELECT golden_id FROM golden ORDER BY golden_id LIMIT 1)"
ANOTHER = "(SELECT o.golden_id FROM golden o WHERE o.status = 'live' AND o.golden_id <> golden.redirect_to ORDER BY 1 LIMIT 1)"
CORRUPTIONS = {
    Kind.GOLDEN_VALUE: """UPDATE golden SET body = jsonb_set(body, '{display_name}', '"Somebody Else"') WHERE golden_id = %s""",
    Kind.CROSSWALK: f"UPDATE crosswalk SET golden_id = {OLDEST} WHERE record_id = %s",
    Kind.REDIRECT: f"UPDATE golden SET redirect_to = {ANOTHER} WHERE golden_id = %s",
    Kind.DECISION: "UPDATE decision SET weight = weight + 0.25 WHERE decision_id = %s",
    Kind.TASK: "UPDATE task SET reason_code = 'corrupted' WHERE task_id = %s",
}
CHOICES = {
    Kind.GOLDEN_VALUE: "SELECT golden_id FROM golden WHERE status = 'live' ORDER BY 1",
    Kind.CROSSWALK: f"SELECT record_id FROM crosswalk WHERE state = 'resolved' AND golden_id <> {OLDEST} ORDER BY 1",
    Kind.REDIRECT: "SELECT golden_id FROM golden WHERE status = 'merged' ORDER BY 1",
    Kind.DECISION: "SELECT decision_id FROM decision WHERE superseded_at IS NULL ORDER BY 1",
    Kind.TASK: "SELECT task_id FROM task WHERE state = 'open' ORDER BY 1",
}
GONE = {
    Kind.DECISION: "DELETE FROM decision WHERE decision_id = %s RETURNING record_a || ':' || record_b",
    Kind.TASK: "DELETE FROM task WHERE task_id = %s RETURNING kind || ':' || question_key",
}


@pytest.mark.parametrize("deep", [False, True])
def test_twenty_corrupted_rows_are_all_named(mdm: Master, deep: bool) -> None:
    chosen = random.Random(3)
    corrupted: set[tuple[Kind, str]] = set()
    for kind, choices in CHOICES.items():
        rows: list[uuid.UUID] = [row[0] for row in query(choices)]
        for row in chosen.sample(rows, 4):
            query(CORRUPTIONS[kind], row)
            corrupted.add((kind, str(row)))
    assert len(corrupted) == 20
    named = {(difference.kind, difference.id) for difference in mdm.verify(deep).differences}
    assert named >= corrupted
    assert {kind for kind, _ in named - corrupted} == set()


def test_rows_that_are_gone_are_named(mdm: Master) -> None:
    gone = {(kind, query(statement, query(CHOICES[kind])[0][0])[0][0], "missing") for kind, statement in GONE.items()}
    one_of_several = """SELECT golden_id, record_id FROM founder f WHERE EXISTS (
        SELECT FROM founder o WHERE o.golden_id = f.golden_id AND o.record_id <> f.record_id) ORDER BY 1, 2 LIMIT 1"""
    ((founder,),) = query(
        f"DELETE FROM founder WHERE (golden_id, record_id) IN ({one_of_several}) RETURNING golden_id || ':' || record_id"
    )
    found = {(difference.kind, difference.id, difference.problem) for difference in mdm.verify().differences}
    assert found >= {*gone, (Kind.FOUNDER, founder, "missing")}


def test_one_golden_can_be_verified_alone(mdm: Master) -> None:
    golden_id = golden_of("shop", "1")
    assert golden_id is not None
    query(CORRUPTIONS[Kind.GOLDEN_VALUE], golden_id)
    report = verify.verify(db.transaction, tasks, golden_id)
    assert [(one.kind, one.id) for one in report.differences] == [(Kind.GOLDEN_VALUE, str(golden_id))]
    assert report.records < query("SELECT count(*) FROM crosswalk")[0][0]


def test_the_deep_form_finds_a_standard_record_that_is_not_what_its_payload_says(mdm: Master) -> None:
    ((record,),) = query(
        """UPDATE standard_record SET body = jsonb_set(body, '{preferred_store}', '"S9"') 
           WHERE source_key = '1' AND source = 'shop' RETURNING record_id"""
    )
    ((unfiled,),) = query(
        """DELETE FROM blocking_key WHERE rule = 1 AND record_id =
             (SELECT record_id FROM standard_record WHERE source_key = '2' AND source = 'shop') RETURNING record_id"""
    )
    found = {(one.kind, one.id, one.problem) for one in mdm.verify(deep=True).differences}
    assert (Kind.STANDARD_RECORD, str(record), "says_something_else") in found
    assert (Kind.STANDARD_RECORD, str(unfiled), "filed_elsewhere") in found


def test_records_under_way_are_counted_not_judged(mdm: Master) -> None:
    mdm.put("shop", "1", {**MARIA, "given_name": "Changed"})
    report = mdm.verify()
    assert report.differences == ()
    assert report.in_flight > 0
