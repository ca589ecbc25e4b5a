"""An attribute of a customer who was not heard of for its time goes: out of everything, once, and nothing else goes."""

from datetime import timedelta
from typing import Any

import pytest

from kernel import actor, clock, db, jobs
from mdm import chunks, erasing_traces
from stewardship import overriding, privacy_requests, privacy_retention, privacy_values
from stewardship.overriding import OverrideWish
from stewardship.privacy_requests import Wish

from ..resolution import MARIA, POLICY, Master, golden_of, query, start

BORN = "1984-03-12"
DAYS = timedelta(days=100)
KEPT = (
    POLICY
    + "extras: {size: {kind: text}, hat: {kind: text}}\n"
    + ("attributes: {birth_date: {kept_days: 100}, extras.size: {kept_days: 100}}\n")
)
TABLES = """
SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
  AND has_table_privilege(oid, 'SELECT')"""
NOTED = "SELECT detail->>'attribute', detail->>'held_still' FROM audit WHERE action = 'privacy.value_released' ORDER BY 1"
SAID = MARIA | {"extras": {"size": "quxasize", "hat": "quxahat"}, "language": "es"}
OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "phones": ["+4915123466718"]}


@pytest.fixture
def mdm(database: str) -> Master:
    made = start(KEPT)
    made.put("shop", "1", SAID | {"phones": []})
    made.put("shop", "1", SAID)
    made.put("crm", "2", SAID | {"birth_date": "1984-03"})
    made.put("shop", "otto", OTTO)
    made.drain()
    assert golden_of("shop", "1") == golden_of("crm", "2")
    return made


def age(where: str = "source_key <> 'otto'", by: timedelta = DAYS) -> None:
    by += timedelta(hours=1)
    query(f"UPDATE source_record SET received_at = received_at - %s WHERE {where}", by)
    query(f"UPDATE value_release SET released_at = released_at - %s FROM source_record r WHERE {where}", by)
    query("UPDATE standard_record s SET observed_at = r.received_at FROM source_record r WHERE r.record_id = s.record_id")


def due() -> dict[str, int]:
    with db.read_only() as session:
        return privacy_values.due(session)


def held(text: str) -> set[str]:
    """Where a text stands: the tables, whatever they are, and the payloads once opened."""
    found = set()
    for (name,) in query(TABLES):
        if query(f'SELECT 1 FROM "{name}" AS t WHERE t::text LIKE %s', f"%{text}%"):
            found.add(name)
    with db.transaction() as session:
        ids = [row[0] for row in query("SELECT record_id FROM source_record")]
        if any(text in str(said) for _, _, said in erasing_traces.payloads(session, ids)):
            found.add("payloads")
    return found


def values(source: str, key: str) -> dict[str, Any]:
    ((body,),) = query("SELECT body FROM golden WHERE golden_id = %s", golden_of(source, key))
    return {name: one["value"] for name, one in body["values"].items()}


def test_what_is_due_goes_out_of_everything_and_nothing_else_does(mdm: Master) -> None:
    assert due() == {}
    assert held(BORN) >= {"payloads", "standard_record", "golden", "golden_version"}
    before = values("shop", "1")
    age()
    assert due() == {"birth_date": 2, "extras.size": 2}
    assert held(BORN) >= {"payloads"}, "a dry run changes nothing"
    assert privacy_values.run(db.transaction) == {"birth_date": 2, "extras.size": 2}
    mdm.drain()
    assert (held(BORN), held("1984-03"), held("quxasize")) == (set(), set(), set())
    left = values("shop", "1")
    assert left == {name: one for name, one in before.items() if name != "birth_date"} | {"extras": {"hat": "quxahat"}}
    assert values("shop", "otto")["birth_date"] == "1950-01-07"
    assert (due(), privacy_values.run(db.transaction)) == ({}, {})
    assert mdm.verify(deep=True).differences == ()
    assert query(NOTED) == [("birth_date", "0"), ("extras.size", "0")]


def test_a_source_that_sends_the_same_again_brings_nothing_back(mdm: Master) -> None:
    age()
    privacy_values.run(db.transaction)
    mdm.drain()
    assert mdm.put("shop", "1", SAID).status == "same"
    mdm.drain()
    assert held(BORN) == set()
    assert mdm.put("shop", "1", SAID | {"language": "ca"}).status == "changed"  # It is heard of again, and says so.
    mdm.drain()
    assert values("shop", "1")["birth_date"] == BORN
    assert due() == {}
    age("source_key = '1'")
    assert due()["birth_date"] == 1
    privacy_values.run(db.transaction)
    mdm.drain()
    assert held(BORN) == set()


def test_what_was_stopped_midway_goes_on_where_it_was(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    age()
    monkeypatch.setattr(privacy_values, "_NEXT", privacy_values._NEXT.replace("LIMIT 200", "LIMIT 1"))
    before = clock.now() - DAYS
    with db.transaction() as session:
        assert privacy_values._step(session, "birth_date", before, privacy_values.FIRST) == (1, ("crm", "2"))
    assert due() == {"birth_date": 1, "extras.size": 2}
    assert privacy_values.run(db.transaction) == {"birth_date": 1, "extras.size": 2}
    mdm.drain()
    assert held(BORN) == set()


def test_versions_and_deliveries_stand_in_the_order_in_which_they_came(mdm: Master) -> None:
    mdm.put("shop", "1", SAID)  # A delivery of what is known already.
    of = "WHERE record_id = (SELECT record_id FROM source_record WHERE source_key = '1')"
    before = query(f"SELECT version_no, payload_hash FROM record_version {of} ORDER BY 1")
    places = query(f"SELECT version_no, after_no FROM record_sighting {of}")
    age()
    privacy_values.run(db.transaction)
    mdm.drain()
    after = query(f"SELECT version_no, payload_hash FROM record_version {of} ORDER BY 1")
    assert [bytes(digest) for _, digest in after] == [bytes(digest) for _, digest in before]
    by = {new - old for (new, _), (old, _) in zip(after, before, strict=True)}
    assert len(by) == 1
    assert by != {0}
    assert query(f"SELECT version_no, after_no FROM record_sighting {of}") == [
        (number + min(by), place + min(by)) for number, place in places
    ]


def test_what_stewards_set_long_ago_goes_and_what_they_set_since_stays(mdm: Master) -> None:
    golden_id = golden_of("shop", "1")
    caller = actor.local("ann")
    for attribute, value in (("birth_date", "1984-03-13"), ("extras.size", "by hand")):
        wish = OverrideWish(golden_id, attribute, value, "She said so.")
        overriding.make(mdm.resolver, caller, wish, overriding.look(mdm.resolver, caller, wish).token)
    mdm.drain()
    query(
        """UPDATE decision SET created_at = created_at - %s WHERE decision_id IN
             (SELECT record_id FROM steward_record WHERE attribute = 'birth_date')""",
        DAYS * 2,
    )
    age()
    privacy_values.run(db.transaction)
    mdm.drain()
    assert values("shop", "1").get("birth_date") is None
    assert values("shop", "1")["extras"] == {"hat": "quxahat", "size": "by hand"}


@pytest.mark.parametrize("heard", ["another record", "an activity"])
def test_a_customer_who_was_heard_of_keeps_all(mdm: Master, heard: str) -> None:
    age("source_key = '1'" if heard == "another record" else "source_key <> 'otto'")
    if heard == "an activity":
        query(
            """INSERT INTO activity (source, activity_key, record_key, brand, kind, status, occurred_at, updated_at, received_at,
                 received_by) SELECT 'crm', 'a', '2', 'bolt', 'order', 'completed', now(), now(), now(), 'k'"""
        )
    assert due() == {}
    assert privacy_values.run(db.transaction) == {}
    assert BORN in str(values("shop", "1"))


def test_what_a_source_deleted_is_let_go_of_by_its_own_time(mdm: Master) -> None:
    mdm.delete("crm", "2")
    mdm.drain()
    age("source_key = '2'")
    assert due() == {"birth_date": 1, "extras.size": 1}
    privacy_values.run(db.transaction)
    mdm.drain()
    with db.transaction() as session:
        ids = [row[0] for row in query("SELECT record_id FROM source_record WHERE source_key = '2'")]
        assert not any("birth_date" in said for _, _, said in erasing_traces.payloads(session, ids))
    assert values("shop", "1")["birth_date"] == BORN
    assert mdm.verify(deep=True).differences == ()


def test_it_is_done_by_the_nightly_job(mdm: Master) -> None:
    age()
    with db.transaction() as session:
        job_id = jobs.create_job(session, privacy_retention.KIND, {}, "test", chunks=[{}])
        claim = jobs.claim_chunk(session, "test", [privacy_retention.KIND], job_id=job_id)
    assert claim is not None
    chunks.take(db.transaction, privacy_retention.CHUNKS, claim)
    assert query("SELECT result FROM job WHERE job_id = %s", job_id)[0][0]["values"] == {"birth_date": 2, "extras.size": 2}


def test_what_serves_a_purpose_goes_when_its_time_is_over(database: str) -> None:
    made = start(POLICY + "attributes: {birth_date: {serves: [newsletter]}}\npurposes: {marketing: {kept_days: 100}}\n")
    made.put("shop", "1", SAID)
    made.drain()
    assert due() == {}
    age()
    assert due() == {"birth_date": 1}
    privacy_values.run(db.transaction)
    made.drain()
    assert held(BORN) == set()


def test_what_somebody_asked_about_stays_until_that_is_over(mdm: Master) -> None:
    age()
    golden_id, clerk = golden_of("shop", "1"), actor.local("clerk")
    assert golden_id is not None
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, clerk, Wish("access", golden_id))
    assert due() == {}
    assert privacy_values.run(db.transaction) == {}
    with db.transaction() as session:
        privacy_requests.refuse(session, clerk, request_id, "withdrawn_by_person")
    assert due() == {"birth_date": 2, "extras.size": 2}
