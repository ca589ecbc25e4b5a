"""Where a record belonged at any time: noted as it moves, found by every key it ever had, and only within the caller's scope."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import clock, db
from mdm import policy as policies
from mdm import rekey, sql
from mdm.differences import Kind

from ...resolution import MARIA, WHO, Master, golden_of, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
Key = tuple[str, str]
ONE, TWO = ("pos", "1"), ("mail", "2")


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    return Master(policy)


def stood(api: TestClient, when: datetime, *keys: Key, **more: Any) -> list[dict[str, Any]]:
    body = {"records": [{"source": source, "key": key} for source, key in keys]}
    answer = api.post("/v1/crosswalk:lookup", json=body, params={"as_of": when.isoformat()}, **more)
    assert answer.status_code == 200, answer.text
    assert [item["index"] for item in answer.json()["items"]] == list(range(len(keys)))
    return list(answer.json()["items"])


def under(api: TestClient, when: datetime, *keys: Key) -> list[tuple[str, str | None]]:
    return [(item["resolution"], item["golden_id"]) for item in stood(api, when, *keys)]


def test_a_record_stood_where_it_stood_then(api: TestClient, mdm: Master) -> None:
    before = clock.now()
    mdm.put(*ONE, MARIA)
    mdm.put(*TWO, OTTO)
    unresolved = clock.now()
    mdm.drain()
    one, two = str(golden_of(*ONE)), str(golden_of(*TWO))
    apart = clock.now()
    mdm.put(*TWO, MARIA)
    changed = clock.now()
    mdm.drain()
    together = clock.now()
    mdm.delete(*TWO)
    mdm.drain()
    deleted = clock.now()
    mdm.put(*TWO, OTTO)
    mdm.drain()
    assert under(api, before, ONE, TWO) == [("not_known_yet", None), ("not_known_yet", None)]
    assert under(api, unresolved, TWO, ONE) == [("pending", None), ("pending", None)]
    assert under(api, apart, TWO, ONE, TWO) == [("resolved", two), ("resolved", one), ("resolved", two)]
    assert under(api, changed, TWO) == [("resolved", two)]
    assert under(api, together, ONE, TWO) == [("resolved", one), ("resolved", one)]
    assert under(api, deleted, ONE, TWO) == [("resolved", one), ("deleted", None)]
    assert under(api, clock.now(), ONE, TWO) == [("resolved", one), ("resolved", two)]
    (item,) = stood(api, deleted, TWO)
    assert together <= datetime.fromisoformat(item["since"]) <= deleted
    (first,) = stood(api, before, ONE)
    assert before <= datetime.fromisoformat(first["since"]) <= unresolved


def test_a_record_is_found_by_every_key_it_had(api: TestClient, mdm: Master) -> None:
    mdm.put(*ONE, MARIA)
    mdm.drain()
    named = clock.now()
    golden_id = str(golden_of(*ONE))
    for old, new in (("1", "1b"), ("1b", "1c"), ("1c", "1")):
        with db.transaction() as session:
            rekey.rekey(session, WHO, "pos", old, new)
        mdm.drain()
        for when in (named, clock.now()):
            assert under(api, when, ("pos", "1"), ("pos", old), ("pos", new)) == [("resolved", golden_id)] * 3


def test_times_and_keys_that_have_no_answer(api: TestClient, mdm: Master, goldens: Any, key: Any) -> None:
    golden_id = goldens.add(brand="other")
    goldens.add_record("theirs", golden_id, brand="other")
    query("INSERT INTO crosswalk_version SELECT record_id, now(), golden_id, 'resolved' FROM crosswalk")
    body = {"records": [{"source": "pos", "key": "theirs"}, {"source": "pos", "key": "nobody's"}]}
    for when, code in (("2999-01-01T00:00:00Z", "as_of_in_future"), ("2026-01-01", "invalid_request"), ("-1", "invalid_request")):
        answer = api.post("/v1/crosswalk:lookup", json=body, params={"as_of": when})
        assert (answer.status_code, answer.json()["type"]) == (422, f"urn:customer-master:problem:{code}")
    asked = [("pos", "theirs"), ("pos", "nobody's")]
    assert under(api, clock.now(), *asked) == [("resolved", str(golden_id)), ("unknown", None)]
    mine = key("lookup", brands=("main",))
    assert [item["resolution"] for item in stood(api, clock.now(), *asked, headers=mine)] == ["unknown", "unknown"]
    assert [item["resolution"] for item in stood(api, clock.now() - timedelta(days=9), *asked, headers=mine)] == ["unknown"] * 2


def test_the_past_itself_is_within_the_scope(database: str, goldens: Any) -> None:
    record_id = goldens.add_record("theirs", goldens.add(brand="other"), brand="other")
    query("INSERT INTO crosswalk_version SELECT record_id, now(), golden_id, 'resolved' FROM crosswalk")
    for brands, seen in ((("main",), []), (("other",), [(record_id,)]), (None, [(record_id,)])):
        with db.transaction(db.Role.APP, db.Scope(brands=brands)) as session, sql.cursor(session) as cursor:
            assert cursor.execute("SELECT record_id FROM crosswalk_version").fetchall() == seen


def test_asking_of_the_past_is_audited(api: TestClient, mdm: Master) -> None:
    mdm.put(*ONE, MARIA)
    mdm.drain()
    stood(api, clock.now(), ONE, ("pos", "nobody's"))
    ((action, detail),) = query("SELECT action, detail FROM audit WHERE object_type <> 'key' ORDER BY audit_id")
    assert (action, detail["asked"], detail["found"]) == ("crosswalk.lookup_past", 2, 1)


def test_verification_names_a_crosswalk_row_that_its_past_does_not_tell_of(mdm: Master) -> None:
    mdm.put(*ONE, MARIA)
    mdm.put(*TWO, OTTO)
    mdm.drain()
    ((record_id,),) = query("SELECT record_id FROM crosswalk WHERE source = 'pos'")
    query("UPDATE crosswalk_version SET golden_id = %s WHERE record_id = %s", uuid.uuid4(), record_id)
    (found,) = mdm.verify().differences
    assert (found.kind, found.id, found.problem) == (Kind.CROSSWALK, str(record_id), "differs_from_its_versions")
