"""Preferences over HTTP: recorded, told, through merge and split, erased and exported; what forbids is told by its own name."""

import uuid
from typing import Any

import pytest

from kernel import db
from mdm.resolve import Resolver
from stewardship import privacy_access, privacy_erasure, privacy_requests

from ...resolution import MARIA, WHO, Master, golden_of, query
from ..conftest import Api, KeyMaker
from .test_consents import GIVEN, check, merged, record

SPANISH = {"record": {"source": "pos", "key": "1"}, "key": "language", "value": "es", "occurred_at": "2026-03-01T10:00:00Z"}


def prefer(api: Api, *wishes: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = api.post("/v1/preferences", json={"preferences": list(wishes)}, **more)
    assert answer.status_code == 201, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def preferred(api: Api, golden_id: object, **more: Any) -> dict[tuple[str, str | None], Any]:
    answer = api.get(f"/v1/golden/{golden_id}/preferences", **more)
    assert answer.status_code == 200, answer.text
    return {(one["key"], one["brand"]): one["value"] for one in answer.json()["preferences"]}


def test_the_latest_counts_and_the_same_is_one(api: Api, policy: Any) -> None:
    golden_id = merged(policy)
    first, again = prefer(api, SPANISH), prefer(api, SPANISH)
    assert (first[0]["status"], again[0]["status"]) == ("created", "same")
    prefer(api, {**SPANISH, "value": "de", "occurred_at": "2026-02-01T10:00:00Z"})
    window = {"from": "09:00", "to": "18:00", "days": ["mon"], "timezone": "Europe/Madrid"}
    prefer(api, {"golden_id": str(golden_id), "key": "contact_window", "value": window})
    assert preferred(api, golden_id) == {("language", "main"): "es", ("contact_window", None): window}
    prefer(api, {**SPANISH, "value": None, "occurred_at": "2026-04-01T10:00:00Z"})
    assert preferred(api, golden_id) == {("contact_window", None): window}


def test_what_cannot_be_used_is_refused_by_itself(api: Api, policy: Any, key: KeyMaker) -> None:
    merged(policy)
    wrong = [
        ({**SPANISH, "value": "in Spanish"}, "bad_value"),
        ({**SPANISH, "record": {"source": "pos", "key": "none"}}, "unknown_record"),
        ({**SPANISH, "record": None, "golden_id": str(uuid.uuid4())}, "unknown_golden_id"),
        ({**SPANISH, "occurred_at": "2199-01-01T00:00:00Z"}, "time_in_future"),
    ]
    *refused, taken = prefer(api, *(one for one, _ in wrong), SPANISH)
    assert [one["problem"]["code"] for one in refused] == [code for _, code in wrong]
    assert taken["status"] == "created"
    (foreign,) = prefer(api, {**SPANISH, "brand": "main"}, headers=key(brands=("other",)))
    assert foreign["problem"]["code"] in {"outside_scope", "unknown_record"}


def test_a_merge_that_is_undone_leaves_what_was(api: Api, policy: Any) -> None:
    master = Master(policy)
    other = {
        **MARIA,
        "given_name": "Otto",
        "surname": "Becker",
        "birth_date": "1950-01-07",
        "emails": ["o@example.es"],
        "phones": [],
    }
    master.put("pos", "1", MARIA)
    master.put("shop", "1", {**other, "addresses": []})
    master.drain()
    prefer(api, SPANISH, {**SPANISH, "record": {"source": "shop", "key": "1"}, "value": "de", "brand": "main"})
    prefer(api, {**SPANISH, "value": "fr", "occurred_at": "2026-03-09T10:00:00Z", "record": {"source": "shop", "key": "1"}})
    before = {source: preferred(api, golden_of(source, "1")) for source in ("pos", "shop")}
    assert before["pos"] == {("language", "main"): "es"}
    master.put("shop", "1", MARIA)
    master.drain()
    assert golden_of("pos", "1") == golden_of("shop", "1")
    both = preferred(api, golden_of("pos", "1"))
    assert set(both.items()) <= set(before["pos"].items()) | set(before["shop"].items())
    assert both["language", "other"] == "fr"
    master.put("shop", "1", {**other, "addresses": []})
    master.drain()
    assert golden_of("pos", "1") != golden_of("shop", "1")
    assert {source: preferred(api, golden_of(source, "1")) for source in ("pos", "shop")} == before


@pytest.mark.parametrize("suppression", ["deceased", "minor", "do_not_call", "gpc"])
def test_what_forbids_for_all_is_told_by_its_own_name(api: Api, policy: Any, suppression: str) -> None:
    golden_id = merged(policy)
    record(api, GIVEN)
    (said,) = record(api, {"golden_id": str(golden_id), "state": "suppressed", "suppression": suppression})
    found = check(api, golden_id=str(golden_id))
    assert (found["answer"], found["reason"], found["entries"]) == ("denied", suppression, [said["entry_id"]])
    told = api.get(f"/v1/golden/{golden_id}/preferences").json()["suppressions"]
    assert [(one["suppression"], one["entry_id"]) for one in told] == [(suppression, said["entry_id"])]
    record(api, {"state": "lifted", "lifts": said["entry_id"], "reason": "A mistake."})
    assert check(api, golden_id=str(golden_id))["answer"] == "allowed"
    assert api.get(f"/v1/golden/{golden_id}/preferences").json()["suppressions"] == []


def test_preferences_are_exported_and_erased_with_the_person(api: Api, policy: Any) -> None:
    golden_id = merged(policy)
    prefer(api, SPANISH, {"golden_id": str(golden_id), "key": "store", "value": "Madrid 4"})
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, WHO, privacy_requests.Wish("access", golden_id))
        privacy_requests.identify(session, WHO, request_id, "passed", "in_store")
        found = privacy_requests.find(session, request_id)
        privacy_requests.answer(session, WHO, request_id, {one.record_id: True for one in found.members})
        told = privacy_access.export(session, WHO, request_id)["other"]["preference"]
    assert sorted(one["key"] for one in told) == ["language", "store"]
    records = [row[0] for row in query("SELECT record_id FROM crosswalk WHERE golden_id = %s", golden_id)]
    gone = privacy_erasure.end(Resolver(db.transaction), privacy_erasure.begin(db.transaction, uuid.uuid4(), records))
    assert (gone["preference"], query("SELECT count(*) FROM preference_anchor")) == (2, [(0,)])
    (refused,) = prefer(api, SPANISH)
    assert refused["problem"]["code"] == "erased_person"


def test_a_key_of_one_brand_is_told_of_no_others(api: Api, policy: Any, key: KeyMaker) -> None:
    golden_id = merged(policy)
    prefer(api, SPANISH, {**SPANISH, "record": {"source": "shop", "key": "1"}, "value": "de"})
    assert preferred(api, golden_id, headers=key(brands=("other",))) == {("language", "other"): "de"}
    assert api.get(f"/v1/golden/{golden_id}/preferences", headers=key(brands=("third",))).status_code == 404


def test_what_is_preferred_otherwise_is_told_without_its_value_and_once(api: Api, policy: Any) -> None:
    golden_id = merged(policy)

    def told() -> list[Any]:
        found = query("SELECT body, subject_id, brands FROM outbox WHERE type = 'preference.changed' ORDER BY outbox_id")
        return [body["changed"] for body, subject, _ in found if subject == golden_id and body["golden_id"] == str(golden_id)]

    prefer(api, SPANISH, {"golden_id": str(golden_id), "key": "topics", "value": ["shoes"]})
    language, topics = {"key": "language", "brand": "main"}, {"key": "topics", "brand": None}
    assert told() == [[language, topics]]
    prefer(api, SPANISH)  # The same act again.
    prefer(api, {**SPANISH, "value": "de", "occurred_at": "2026-02-01T10:00:00Z"})  # Earlier: the later counts.
    prefer(api, {**SPANISH, "occurred_at": "2026-03-02T10:00:00Z"})  # Said once more.
    assert told() == [[language, topics]]
    prefer(api, {**SPANISH, "value": None, "occurred_at": "2026-04-01T10:00:00Z"})
    assert told() == [[language, topics], [language]]
    assert query("SELECT count(*) FROM outbox WHERE body::text ~ 'shoes|\"es\"'") == [(0,)]
