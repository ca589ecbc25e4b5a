"""Consent over HTTP: recorded for records and golden records, checked, told, and never wider for a merge."""

import base64
import json
import time
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kernel import db

from ...resolution import MARIA, Master, golden_of
from ..conftest import Api, KeyMaker

EMAIL = "maria.garcia@telefonica.net"
POINT = {"kind": "email", "value": EMAIL}
GIVEN = {
    "record": {"source": "pos", "key": "1"}, "contact_point": POINT, "state": "given", "purpose": "marketing", "channel": "email",
    "origin": "subject", "occurred_at": "2026-03-01T10:00:00Z", "evidence": {"form": "newsletter"}, "notice": "privacy-7-es",
}  # fmt: skip
WITHDRAWN = {
    "contact_point": POINT, "state": "withdrawn", "purpose": "marketing", "channel": "email", "origin": "subject",
    "occurred_at": "2026-03-02T10:00:00Z",
}  # fmt: skip
SHOP = {**MARIA, "emails": [EMAIL, "mg@example.es"]}


def merged(policy: Any) -> UUID:
    """Two records of one customer, of two brands."""
    master = Master(policy)
    master.put("pos", "1", MARIA)
    master.put("shop", "1", SHOP)
    master.drain()
    golden_id = golden_of("pos", "1")
    assert golden_id is not None
    assert golden_id == golden_of("shop", "1")
    return golden_id


def record(api: Api, *acts: dict[str, Any]) -> list[dict[str, Any]]:
    """Record acts; the answers."""
    answer = api.post("/v1/consents", json={"acts": list(acts)})
    assert answer.status_code == 201, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def check(api: Api, **asked: Any) -> dict[str, Any]:
    """Ask one question about marketing by e-mail."""
    question = {"purpose": "marketing", "channel": "email", "brand": "main", **asked}
    answer = api.post("/v1/consent-checks", json={"checks": [question]})
    assert answer.status_code == 200, answer.text
    item: dict[str, Any] = answer.json()["items"][0]
    return item


def test_a_consent_permits_and_a_withdrawal_takes_it_back(api: Api, policy: Any) -> None:
    golden_id = merged(policy)
    assert check(api, golden_id=str(golden_id))["answer"] == "unknown"
    (given,) = record(api, GIVEN)
    assert (given["status"], given["owner"]) == ("created", "record")
    found = check(api, golden_id=str(golden_id))
    assert (found["answer"], found["reason"], found["contact_points"]) == ("allowed", "given", [EMAIL])
    assert found["entries"] == [given["entry_id"]]
    assert found["jurisdictions"] == ["EU"]
    assert check(api, record={"source": "shop", "key": "1"})["golden_id"] == str(golden_id)
    assert check(api, contact_point=POINT)["answer"] == "allowed"
    assert check(api, golden_id=str(golden_id), contact_point={"kind": "email", "value": "mg@example.es"})["answer"] == "unknown"
    (withdrawn,) = record(api, WITHDRAWN)
    for asked in ({"golden_id": str(golden_id)}, {"record": {"source": "pos", "key": "1"}}, {"contact_point": POINT}):
        assert check(api, **asked)["answer"] == "denied"
        assert check(api, **asked)["entries"] == [withdrawn["entry_id"]]


def test_a_key_of_one_brand_lifts_nothing_that_all_brands_heed(api: Api, policy: Any, key: KeyMaker) -> None:
    merged(policy)
    complaint = {"contact_point": POINT, "state": "suppressed", "suppression": "complaint", "occurred_at": "2026-03-05T10:00:00Z"}
    _, suppressed = record(api, GIVEN, complaint)
    lift = {"acts": [{"state": "lifted", "lifts": suppressed["entry_id"], "reason": "A mistake.", "brand": "main"}]}
    (refused,) = api.post("/v1/consents", json=lift, headers=key(brands=("main",))).json()["items"]
    assert refused["problem"]["code"] == "outside_scope"
    assert check(api, contact_point=POINT)["answer"] == "denied"
    assert api.post("/v1/consents", json=lift).json()["items"][0]["status"] == "created"
    assert check(api, contact_point=POINT)["answer"] == "allowed"


def test_a_suppression_that_was_lifted_and_is_said_again_stands_again(api: Api, policy: Any) -> None:
    merged(policy)
    complaint = {"contact_point": POINT, "state": "suppressed", "suppression": "complaint"}
    record(api, GIVEN)
    seen = set()
    for _ in range(3):
        first, again = record(api, complaint, complaint)
        assert (first["status"], again["status"]) == ("created", "same")
        assert check(api, contact_point=POINT)["answer"] == "denied"
        record(api, {"state": "lifted", "lifts": first["entry_id"], "reason": "A mistake."})
        assert check(api, contact_point=POINT)["answer"] == "allowed"
        seen.add(first["entry_id"])
    assert len(seen) == 3


def test_the_same_act_is_the_same_entry(api: Api, policy: Any) -> None:
    merged(policy)
    first, second = record(api, GIVEN, GIVEN)
    assert (first["status"], second["status"]) == ("created", "same")
    assert record(api, GIVEN)[0] == {**second, "index": 0}
    assert first["entry_id"] == second["entry_id"]


def test_what_is_known_is_told(api: Api, policy: Any) -> None:
    golden_id = merged(policy)
    record(api, GIVEN)
    told = api.get(f"/v1/golden/{golden_id}/consents").json()
    said = {(one["contact_point"], one["brand"]): (one["answer"], one["reason"]) for one in told["effective"]}
    assert said == {(EMAIL, "main"): ("allowed", "given"), ("mg@example.es", "main"): ("unknown", "nothing_recorded")}
    (entry,) = told["entries"]
    assert entry["evidence"] == {"form": "newsletter"}
    assert entry["evidence_intact"] is True
    assert entry["contact_point"] == EMAIL
    past = api.get(f"/v1/golden/{golden_id}/consents", params={"as_of": told["as_of"]}).json()
    assert past["effective"] == told["effective"]


def test_tampered_evidence_shows(api: Api, policy: Any, database: str) -> None:
    golden_id = merged(policy)
    record(api, GIVEN)
    with db.transaction() as session:
        session.connection().exec_driver_sql('UPDATE consent_detail SET evidence = \'{"form": "another"}\'')
    (entry,) = api.get(f"/v1/golden/{golden_id}/consents").json()["entries"]
    assert entry["evidence_intact"] is False


def test_what_is_wrong_is_answered_and_the_rest_recorded(api: Api, policy: Any) -> None:
    merged(policy)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({**GIVEN, "purpose": "world_peace"}, "unknown_purpose"),
        ({**GIVEN, "occurred_at": "2126-01-01T00:00:00Z"}, "time_in_future"),
        ({**GIVEN, "asked_at": "2026-03-20T10:00:00Z"}, "asked_after_it_occurred"),
        ({**GIVEN, "record": {"source": "pos", "key": "none"}}, "unknown_record"),
        ({**WITHDRAWN, "channel": "post", "contact_point": {"kind": "email", "value": "nobody@example.org"}}, "nobody_holds"),
        ({**GIVEN, "contact_point": {"kind": "email", "value": "no address"}}, "bad_contact_point"),
        ({**GIVEN, "channel": "sms"}, "contact_point_of_another_channel"),
        ({**GIVEN, "channel": None}, "channel_missing"),
        ({**GIVEN, "state": "suppressed"}, "suppression_and_state_differ"),
        ({"state": "withdrawn"}, "no_subject"),
        ({"state": "lifted", "lifts": "00000000-0000-0000-0000-000000000000", "reason": "R."}, "unknown_suppression"),
    ]  # fmt: skip
    answers = record(api, *(act for act, _ in wrong), GIVEN)
    assert [one.get("problem", {}).get("code") for one in answers] == [code for _, code in wrong] + [None]
    assert all(one["problem"]["detail"] for one in answers[:-1])


def test_a_notice_holds_nothing_that_cannot_be_stored(api: Api, policy: Any) -> None:
    assert api.post("/v1/consents", json={"acts": [{**GIVEN, "notice": "privacy\x007"}]}).status_code == 422


def test_a_key_of_one_brand_records_for_that_brand_only(api: Api, policy: Any, key: KeyMaker) -> None:
    merged(policy)
    headers = key("consents:write", brands=("other",))
    answer = api.post("/v1/consents", json={"acts": [GIVEN, {**WITHDRAWN, "brand": "main"}]}, headers=headers)
    assert [one["problem"]["code"] for one in answer.json()["items"]] == ["unknown_record", "outside_scope"]


def test_a_key_of_one_brand_is_told_of_that_brand_only(api: Api, policy: Any, key: KeyMaker) -> None:
    golden_id = merged(policy)
    record(api, GIVEN, {**GIVEN, "record": {"source": "shop", "key": "1"}})
    told = api.get(f"/v1/golden/{golden_id}/consents", headers=key(brands=("main",))).json()
    assert {one["brand"] for one in told["effective"]} == {one["brand"] for one in told["entries"]} == {"main"}


def test_a_key_that_sees_half_a_customer_is_answered_for_the_whole(api: Api, policy: Any, key: KeyMaker) -> None:
    golden_id = merged(policy)
    record(api, {**GIVEN, "record": {"source": "shop", "key": "1"}, "brand": "other"})
    headers = key("consents:check", brands=("other",))
    checks = {"checks": [{"golden_id": str(golden_id), "purpose": "marketing", "channel": "email", "brand": "other"}]}
    assert api.post("/v1/consent-checks", json=checks, headers=headers).json()["items"][0]["answer"] == "allowed"
    record(api, {"record": {"source": "pos", "key": "1"}, "state": "withdrawn", "origin": "subject"})  # Of that brand only.
    assert api.post("/v1/consent-checks", json=checks, headers=headers).json()["items"][0]["answer"] == "allowed"
    record(api, {"golden_id": str(golden_id), "state": "suppressed", "suppression": "deceased"})
    assert api.post("/v1/consent-checks", json=checks, headers=headers).json()["items"][0]["answer"] == "denied"


def test_a_receipt_is_signed_and_holds_the_fields_of_the_standard(api: Api, policy: Any) -> None:
    merged(policy)
    (given,) = record(api, GIVEN)
    told = api.get(f"/v1/consents/{given['entry_id']}/receipt").json()
    receipt, signature = told["receipt"], told["signature"]
    assert {"schema_version", "receipt_id", "record_id", "pii_principal_id", "processing", "events", "parties"} <= receipt.keys()
    processing = {
        "purpose",
        "pii_controllers",
        "storage_location",
        "retention",
        "jurisdiction",
        "recipients",
        "withdrawal_method",
    }
    assert processing | {"lawful_basis", "privacy_notice"} <= receipt["processing"][0].keys()
    event = receipt["events"][0]
    assert {"event_time", "validity_duration", "entity_id", "event_type", "event_state"} <= event.keys()
    assert (event["event_state"], receipt["processing"][0]["lawful_basis"]) == ("dpv:ConsentGiven", "eu-gdpr:A6-1-a")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature["public_key"]))
    written = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    key.verify(base64.b64decode(signature["value"]), written)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(signature["value"]), written.replace(b"marketing", b"newsletter"))
    assert api.get(f"/v1/consents/{golden_of('pos', '1')}/receipt").status_code == 404


def test_a_hundred_thousand_entries_for_one_shared_phone_are_answered(api: Api, policy: Any, database: str) -> None:
    master = Master(policy)
    master.put("pos", "1", MARIA)
    master.drain()
    phone = {"kind": "phone", "value": MARIA["phones"][0]}
    no = {**WITHDRAWN, "contact_point": phone, "channel": "sms"}
    (first,) = record(api, no)
    with db.transaction(db.Role.OWNER) as session:
        session.connection().exec_driver_sql(
            """INSERT INTO consent_entry (entry_id, state, recorded_at, occurred_at, contact, contact_kind, channel, purpose,
                 basis, origin, strength, method, is_evidenced, recorded_by)
               SELECT gen_random_uuid(), 'refused', now() - interval '1 day', '2020-01-01', contact, 'phone', 'sms', purpose,
                 basis, origin, strength, method, false, 'test'
               FROM consent_entry, generate_series(1, 100000) WHERE entry_id = %s""",
            (first["entry_id"],),
        )
    began = time.monotonic()
    found = check(api, contact_point=phone, channel="sms")
    assert found["answer"] == "denied"
    assert found["entries"][0] == first["entry_id"]
    assert len(found["entries"]) == 2  # Of a hundred thousand refusals of the same width one says what all of them say.
    assert time.monotonic() - began < 15  # The deadline of a hot read.


def test_a_large_batch_is_answered_in_its_order(api: Api, policy: Any) -> None:
    """More than one portion: some are looked up while others are judged."""
    golden_id = str(merged(policy))
    record(api, GIVEN)
    kinds = (
        {"golden_id": golden_id},
        {"contact_point": {"kind": "email", "value": "mg@example.es"}},
        {"record": {"source": "pos", "key": "none"}},
    )
    asked = [{"purpose": "marketing", "channel": "email", "brand": "main", **kinds[number % 3]} for number in range(2_503)]
    answer = api.post("/v1/consent-checks", json={"checks": asked})
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert [one["index"] for one in items] == list(range(len(asked)))
    alone = [check(api, **one) for one in kinds]
    for number, one in enumerate(items):
        assert (one["answer"], one["reason"]) == (alone[number % 3]["answer"], alone[number % 3]["reason"])
    assert [one["reason"] for one in alone] == ["given", "nothing_recorded", "unknown_customer"]
