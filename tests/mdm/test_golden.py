"""What is written with a golden record: body, versions, founders, events; and that the hash means the same everywhere."""

import json

import pytest

from mdm import drafts

from .. import resolution as master
from ..resolution import MARIA, Master, at, contents, empty_records, events, golden_of, query


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def body(golden_id: object) -> dict[str, object]:
    found: dict[str, object] = query("SELECT body FROM golden WHERE golden_id = %s", golden_id)[0][0]
    return found


def test_the_body_says_values_members_versions_and_what_is_not_known(mdm: Master) -> None:
    record_id = mdm.put("shop", "1", MARIA, source_updated_at=at(3)).record_id
    mdm.drain()
    golden_id = golden_of("shop", "1")
    said = body(golden_id)
    assert said["golden_id"] == str(golden_id)
    assert (said["status"], said["version"], said["display_name"], said["party"]) == ("live", 1, "Maria Garcia Lopez", "person")
    assert said["members"] == [{"source": "shop", "source_key": "1", "record_id": str(record_id)}]
    assert said["consent"] == "asked separately: POST /v1/consent-checks"
    assert set(said["version_set"]) == {"id", "standardizer", "blocking", "rules", "model", "policy"}  # type: ignore[call-overload]  # JSON.
    values = said["values"]
    assert isinstance(values, dict)
    assert values["birth_date"]["value"] == "1984-03-12"
    assert values["birth_date"]["provenance"]["source"] == "shop"


def test_every_change_is_a_version_and_an_event(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    mdm.put("shop", "1", {**MARIA, "language": "es"})
    mdm.drain()
    golden_id = golden_of("shop", "1")
    assert query("SELECT version, cause FROM golden_version ORDER BY version") == [(1, "created"), (2, "values")]
    assert events(golden_id) == ["golden.created", "golden.updated"]


def test_resolving_again_writes_nothing(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    before = query("SELECT version, computed_at FROM golden"), query("SELECT count(*) FROM outbox")
    query("INSERT INTO pending_record (record_id, reason) SELECT record_id, 'again' FROM source_record")
    assert mdm.drain().goldens == 0
    assert (query("SELECT version, computed_at FROM golden"), query("SELECT count(*) FROM outbox")) == before


def test_events_hold_ids_versions_and_cause_and_no_personal_value(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    said = json.dumps([row[0] for row in query("SELECT body FROM outbox")])
    assert "cause" in said
    for value in ("Maria", "Garcia", "1984", "655872310", "telefonica", "Mayor"):
        assert value not in said


def test_members_found_an_id_once(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    golden_id = golden_of("shop", "1")
    assert query("SELECT golden_id, count(*) FROM founder GROUP BY 1") == [(golden_id, 2)]


def test_the_brands_of_a_golden_are_those_of_its_members(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "x", MARIA)
    mdm.drain()
    assert query("SELECT brands FROM golden") == [(["acme", "bolt"],)]


def test_the_content_hash_is_the_same_in_another_installation(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA, source_updated_at=at(1))
    mdm.put("pos", "A", {**MARIA, "given_name": "Mario"}, source_updated_at=at(2))
    mdm.drain()
    before = contents()
    empty_records()
    mdm.put("pos", "A", {**MARIA, "given_name": "Mario"}, source_updated_at=at(2))
    mdm.put("shop", "1", MARIA, source_updated_at=at(1))
    mdm.drain()
    assert contents() == before


def test_stamps_do_not_count_as_content() -> None:
    said = {"golden_id": "1", "values": {}}
    assert drafts.body_hash(said) == drafts.body_hash({**said, "version": 3, "computed_at": "x", "version_set": {}})
    assert drafts.body_hash(said) != drafts.body_hash({**said, "values": {"gender": 1}})
