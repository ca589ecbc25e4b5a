"""Verification finds nothing on a healthy store, and names every corrupted row."""

import random
import uuid
from dataclasses import replace

import pytest

from kernel import db
from mdm import sql, verify, versions
from mdm.differences import Kind
from mdm.graph import Graph
from mdm.steps import snapshot
from stewardship import tasks

from ..resolution import MARIA, Master, golden_of, query


@pytest.fixture
def mdm(busy: Master) -> Master:
    return busy


def test_a_healthy_store_has_no_difference(mdm: Master) -> None:
    report = mdm.verify()
    assert report.differences == ()
    assert report.in_flight == 0
    assert report.records == query("SELECT count(*) FROM crosswalk")[0][0]


def test_the_other_path_has_no_difference_either(mdm: Master) -> None:
    assert mdm.verify(deep=True).differences == ()


OLDEST = "(SELECT golden_id FROM golden ORDER BY golden_id LIMIT 1)"
ANOTHER = "(SELECT o.golden_id FROM golden o WHERE o.status = 'live' AND o.golden_id <> golden.redirect_to ORDER BY 1 LIMIT 1)"
# Any column of a row that says something: which are corrupted is drawn.
CORRUPTED = {
    Kind.GOLDEN_VALUE: [
        """body = jsonb_set(body, '{display_name}', '"Somebody Else"')""",
        "body = jsonb_set(body, '{values,name,value,given}', '\"Xaver\"')",
        "body = jsonb_set(body, '{version}', '77')",
        "content_hash = '\\x00'",
        "brands = '{hacked}'",
        "regions = '{hacked}'",
        "version = version + 1",
    ],
    Kind.CROSSWALK: [
        f"golden_id = {OLDEST}",
        "state = 'pending'",
        "source_key = 'hacked' || record_id",
        "source = 'hacked'",
        "brand = 'hacked'",
        "region = 'hacked'",
        "version_no = version_no + 1",
        "rung = rung + 1",
    ],
    Kind.REDIRECT: [f"redirect_to = {ANOTHER}", "status = 'ended', redirect_to = NULL", "split_into = ARRAY[golden_id]"],
    Kind.DECISION: [
        "weight = weight + 0.25",
        "verdict = CASE verdict WHEN 'match' THEN 'review' ELSE 'match' END",
        "levels = '{1}'",
        "reason_code = 'hacked'",
        "version_a = version_a + 1",
    ],
    Kind.TASK: ["reason_code = 'corrupted'", "weight = coalesce(weight, 0) + 1", "brands = '{hacked}'", "record_ids = '{}'"],
}
TABLES = {
    Kind.GOLDEN_VALUE: ("golden", "golden_id"),
    Kind.CROSSWALK: ("crosswalk", "record_id"),
    Kind.REDIRECT: ("golden", "golden_id"),
    Kind.DECISION: ("decision", "decision_id"),
    Kind.TASK: ("task", "task_id"),
}


def corrupt(kind: Kind, change: str, row: uuid.UUID) -> None:
    table, key = TABLES[kind]
    query(f"UPDATE {table} SET {change} WHERE {key} = %s", row)


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


@pytest.mark.parametrize(("deep", "seed"), [(False, 3), (False, 4), (False, 5), (True, 6)])
def test_twenty_corrupted_rows_are_all_named(mdm: Master, deep: bool, seed: int) -> None:
    chosen = random.Random(seed)
    corrupted: set[tuple[Kind, str]] = set()
    for kind, choices in CHOICES.items():
        rows: list[uuid.UUID] = [row[0] for row in query(choices)]
        changes = chosen.sample(CORRUPTED[kind] * 2, 4)
        for row, change in zip(chosen.sample(rows, 4), changes, strict=True):
            corrupt(kind, change, row)
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
    corrupt(Kind.GOLDEN_VALUE, CORRUPTED[Kind.GOLDEN_VALUE][0], golden_id)
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
    ((compared,),) = query(
        """UPDATE standard_record SET form = jsonb_set(form::jsonb, '{1}', '"company"')::text
           WHERE source_key = '3' AND source = 'shop' RETURNING record_id"""
    )
    found = {(one.kind, one.id, one.problem) for one in mdm.verify(deep=True).differences}
    assert (Kind.STANDARD_RECORD, str(record), "says_something_else") in found
    assert (Kind.STANDARD_RECORD, str(compared), "compared_otherwise") in found
    assert (Kind.STANDARD_RECORD, str(unfiled), "filed_elsewhere") in found


def test_records_under_way_are_counted_not_judged(mdm: Master) -> None:
    mdm.put("shop", "1", {**MARIA, "given_name": "Changed"})
    report = mdm.verify()
    assert report.differences == ()
    assert report.in_flight > 0


def test_a_past_version_that_was_edited_is_named(mdm: Master) -> None:
    golden_id = golden_of("shop", "1")
    query("UPDATE golden_version SET body = '{}' WHERE golden_id = %s AND version = 1", golden_id)
    assert (Kind.GOLDEN_VERSION, f"{golden_id}:1") in {(one.kind, one.id) for one in mdm.verify().differences}


def test_a_record_without_a_crosswalk_row_is_named(mdm: Master) -> None:
    ((record,),) = query("DELETE FROM crosswalk WHERE source = 'shop' AND source_key = '3' RETURNING record_id")
    assert (Kind.CROSSWALK, str(record), "missing") in {(one.kind, one.id, one.problem) for one in mdm.verify().differences}


def test_a_golden_of_many_founders_is_read_whole(mdm: Master) -> None:
    """However much a closure has read already, the records of a later round are still looked for."""
    with db.transaction() as session:
        graph = Graph(session, versions.current(session))
        graph._asked.update(uuid.uuid4() for _ in range(2_000))
        records = [row[0] for row in query("SELECT record_id FROM standard_record ORDER BY record_id LIMIT 9")]
        found = graph.components(records)
    assert {record for one in found for record in one.records} >= set(records)


def test_a_record_that_was_absorbed_and_then_deleted_founded_its_own_id_only(mdm: Master) -> None:
    """It stands alone with the id that it founded; the id under which it lived at last is verified without looking at it."""
    survivor = golden_of("shop", "left0")
    assert survivor is not None
    assert golden_of("pos", "right0") == survivor
    mdm.delete("pos", "right0")
    mdm.drain()
    assert verify.verify(db.transaction, tasks, survivor).differences == ()
    assert mdm.verify(deep=True).differences == ()


def test_helpers_find_what_one_process_finds(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reads in the snapshot of the leader: what is committed meanwhile is no difference to any of them."""
    for kind, choices in CHOICES.items():
        corrupt(kind, CORRUPTED[kind][0], query(choices)[0][0])
    alone = verify.verify(db.transaction, tasks)
    monkeypatch.setattr(verify, "WORTH_A_CREW", 1)
    monkeypatch.setattr(verify, "CHUNK", 40)
    shared = verify.verify(db.transaction, tasks, processes=2)
    assert len({one.kind for one in alone.differences}) == len(CHOICES)
    assert shared == replace(alone, seconds=shared.seconds)


def test_a_helper_reads_in_the_snapshot_that_it_is_given(mdm: Master) -> None:
    with snapshot(db.transaction) as leader:
        [(name,)] = sql.rows(leader, "SELECT pg_export_snapshot()")
        query("DELETE FROM task")
        with snapshot(db.transaction, name) as helper:
            assert sql.rows(helper, "SELECT count(*) FROM task")[0][0] > 0
