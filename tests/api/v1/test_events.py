"""`GET /v1/events`: what a subscriber sees, within its scope, and how it goes on."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from api.schemas.events import DATA
from kernel import actor, db
from mdm.events import TYPES
from webhooks import feed
from workers import sequencer

from ... import resolution as master
from ...modes import modes
from ...resolution import MARIA, Master, golden_of
from ..conftest import Api


@pytest.fixture
def mdm(database: str) -> Master:
    mail = "  mail: {channel_kind: marketing, brand: acme, key_is_personal: true}\n"
    return master.start(master.POLICY.replace("identifiers:", mail + "identifiers:"))


@pytest.fixture
def api(mdm: Master) -> Iterator[Api]:
    with Api(create_app()) as client:
        yield client


@pytest.fixture
def since(mdm: Master) -> str:
    with db.read_only() as session:
        log = feed.log(session)
    return log.cursor(log.last_seq)


def read(api: Api, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    sequencer.number_all()
    answer = api.get("/v1/events", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def headers(*scopes: str, brands: tuple[str, ...] | None = None) -> dict[str, str]:
    with db.transaction() as session:
        return {"authorization": f"Bearer {actor.create_key(session, 'test', scopes or ('events:read',), brands)[1]}"}


@pytest.mark.parametrize("mode", ["live", "test"])
def test_an_event_says_whether_a_live_or_a_test_service_tells_it(mdm: Master, api: Api, since: str, mode: str) -> None:
    with modes(mode, mode):
        mdm.put("shop", "1", MARIA)
        mdm.drain()
        told = read(api, headers(), after=since)["events"]
    assert told
    assert {one["mode"] for one in told} == {mode}


def test_a_merge_tells_who_moved_from_where_with_source_keys_and_no_value(mdm: Master, api: Api, since: str) -> None:
    mdm.put("shop", "1", {**MARIA, "given_name": "Maria", "emails": [], "phones": [], "birth_date": None})
    mdm.drain()
    first = golden_of("shop", "1")
    mdm.put("pos", "A", MARIA)
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    found = read(api, headers(), after=since, types=["golden.created", "golden.merged", "golden.updated"])
    created, changed = found["events"][0], found["events"][-1]
    assert (created["type"], created["subject_id"], created["data"]["because"]) == ("golden.created", str(first), "record")
    assert created["data"]["joined"][0]["source_key"] == "1"
    assert created["data"]["joined"][0]["from"] is None
    assert changed["data"]["golden_id"] == str(golden_of("pos", "A")) == str(first)
    assert {"emails", "phones", "birth_date"} <= set(changed["data"]["changed"])
    assert changed["version"] == changed["data"]["version"] > created["version"]
    assert "Garcia" not in str(found)
    assert "telefonica" not in str(found)


def test_a_page_goes_on_where_it_stopped(mdm: Master, api: Api, since: str) -> None:
    for number in range(4):
        mdm.put("shop", str(number), {"given_name": f"N{number}", "emails": [f"n{number}@example.org"]})
    mdm.drain()
    key = headers()
    whole = read(api, key, after=since)
    assert not whole["has_more"]
    assert whole["next"] == whole["latest"] == whole["events"][-1]["id"]
    pieces, cursor = [], since
    while True:
        page = read(api, key, after=cursor, limit=3)
        pieces += page["events"]
        cursor = page["next"]
        if not page["has_more"]:
            break
    assert pieces == whole["events"]
    assert [one["seq"] for one in pieces] == list(range(pieces[0]["seq"], pieces[0]["seq"] + len(pieces)))


def test_a_key_of_one_brand_hears_of_its_own(mdm: Master, api: Api, since: str) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "7", {"given_name": "Otto", "surname": "Weber", "emails": ["otto@example.org"]})
    mdm.put("crm", "8", MARIA)
    mdm.drain()
    found = read(api, headers(brands=("bolt",)), after=since)
    named = {(moved["source"], moved["source_key"]) for one in found["events"] for moved in one["data"].get("joined", ())}
    assert named == {("crm", "7"), ("crm", "8")}
    assert {one["data"]["source"] for one in found["events"] if one["type"] == "record.received"} == {"crm"}


def test_a_key_that_is_personal_stays_inside(mdm: Master, api: Api, since: str) -> None:
    mdm.put("mail", "maria@example.org", MARIA)
    mdm.drain()
    found = read(api, headers(), after=since)
    assert "maria@example.org" not in str(found)
    assert [one["data"]["joined"][0]["source"] for one in found["events"] if one["type"] == "golden.created"] == ["mail"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"after": "nonsense"}, 422, "bad_cursor"),
        ({"after": f"{uuid.uuid4()}:3"}, 409, "cursor_from_other_timeline"),
        ({"types": "golden.exploded"}, 422, "unknown_event_type"),
        ({"limit": 0}, 422, "invalid_request"),
        ({"since": "x"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_answered_is_told(api: Api, query: dict[str, Any], status: int, code: str) -> None:
    answer = api.get("/v1/events", params=query, headers=headers())
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, code)


def test_it_needs_its_scope(api: Api) -> None:
    assert api.get("/v1/events").status_code == 401
    assert api.get("/v1/events", headers=headers("lookup")).status_code == 403


def test_every_type_is_documented_with_a_schema(api: Api) -> None:
    said = api.get("/asyncapi.json").json()
    assert set(said["components"]["messages"]) == set(TYPES)
    assert {name.partition(".")[0] for name in TYPES} == set(DATA)
    for message in said["components"]["messages"].values():
        name = message["payload"]["allOf"][1]["properties"]["data"]["$ref"].rpartition("/")[2]
        assert said["components"]["schemas"][name]["properties"]


def test_events_are_what_their_schemas_say(mdm: Master, api: Api, since: str) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("bought", "2", MARIA)
    mdm.drain()
    mdm.delete("shop", "1")
    mdm.drain()
    found = read(api, headers(), after=since)["events"]
    assert {"golden.created", "golden.ended", "record.received", "task.opened", "task.settled"} <= {one["type"] for one in found}
    for one in found:
        DATA[one["type"].partition(".")[0]].model_validate(one["data"])
