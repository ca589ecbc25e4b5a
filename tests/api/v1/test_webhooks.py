"""Endpoints over REST: made, shown, changed, rotated, within the caller's scope; hostile URLs and filters are refused."""

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from api.app import create_app
from kernel import actor, clock, db, outbox
from webhooks import deliveries, endpoints
from workers import sequencer

from ... import resolution as master
from ...resolution import Master, query
from ..conftest import Api

URL = "https://hooks.example.com/customers"


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


@pytest.fixture
def api(mdm: Master) -> Iterator[Api]:
    with Api(create_app()) as client:
        yield client


def key(*scopes: str, brands: tuple[str, ...] | None = None) -> dict[str, str]:
    with db.transaction() as session:
        return {"authorization": f"Bearer {actor.create_key(session, 'test', scopes or ('webhooks:write',), brands)[1]}"}


def create(api: Api, headers: dict[str, str], **wish: Any) -> dict[str, Any]:
    answer = api.post("/v1/webhooks", json={"url": URL, **wish}, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_secret_is_shown_once_and_stored_sealed(api: Api) -> None:
    headers = key()
    made = create(api, headers, description="the shop", types=["golden.merged"], sources=["shop"])
    assert made["secret"].startswith("whsec_")
    read = api.get(f"/v1/webhooks/{made['endpoint_id']}", headers=headers).json()
    assert read.pop("waiting") == []
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert (read["state"], read["due"], read["types"], read["sources"]) == ("enabled", 0, ["golden.merged"], ["shop"])
    stored = bytes(query("SELECT secret FROM webhook_endpoint")[0][0])
    assert made["secret"].encode() not in stored
    assert api.get("/v1/webhooks", headers=headers).json()["items"] == [read]


def test_an_endpoint_is_made_once_for_an_idempotency_key_and_its_secret_is_kept_nowhere(api: Api) -> None:
    """Made twice, it would hear of everything twice, and nobody would hold the first secret."""
    headers = key() | {"idempotency-key": "shop-1"}
    made = create(api, headers)
    again = api.post("/v1/webhooks", json={"url": URL}, headers=headers)
    assert (again.status_code, again.headers["idempotency-replayed"], again.json()) == (201, "true", {**made, "secret": None})
    assert len(api.get("/v1/webhooks", headers=headers).json()["items"]) == 1
    kept = bytes(query("SELECT response FROM idempotency WHERE idempotency_key = 'shop-1'")[0][0])
    assert made["secret"].removeprefix("whsec_").encode() not in kept
    other = api.post("/v1/webhooks", json={"url": URL + "/2"}, headers=headers)
    assert problem(other) == (422, "idempotency_key_reused")
    refused = api.post("/v1/webhooks", json={"url": "https://10.0.0.1/"}, headers=headers | {"idempotency-key": "shop-2"})
    assert problem(refused) == (422, "bad_endpoint_url")
    assert create(api, headers | {"idempotency-key": "shop-2"})["endpoint_id"] != made["endpoint_id"], (
        "a refused request frees it"
    )


def test_an_endpoint_is_changed_disabled_enabled_rotated_and_deleted(api: Api) -> None:
    headers = key()
    made = create(api, headers)
    path = f"/v1/webhooks/{made['endpoint_id']}"
    changed = api.put(path, json={"url": URL + "/2", "is_ordered": True, "per_second": 5}, headers=headers).json()
    assert (changed["url"], changed["is_ordered"], changed["per_second"]) == (URL + "/2", True, 5)
    assert api.post(f"{path}:disable", headers=headers).json()["disabled_because"] == "by_hand"
    assert problem(api.post(f"{path}:test", headers=headers)) == (422, "endpoint_disabled")
    assert api.post(f"{path}:enable", headers=headers).json()["state"] == "enabled"
    rotated = api.post(f"{path}:rotate-secret", json={"overlap_hours": 1}, headers=headers).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["secret_before_until"] is not None
    again = api.post(f"{path}:rotate-secret", json={}, headers=headers)
    assert problem(again) == (409, "rotation_under_way")
    assert again.json()["secret_before_until"] is not None
    with db.transaction() as session:
        assert endpoints.sendings(session)[0].secrets == (rotated["secret"], made["secret"])
    alone = api.post(f"{path}:rotate-secret", json={"overlap_hours": 0}, headers=headers).json()
    with db.transaction() as session:
        assert endpoints.sendings(session)[0].secrets == (alone["secret"],)
    assert api.delete(path, headers=headers).status_code == 204
    assert problem(api.get(path, headers=headers)) == (404, "unknown_endpoint")
    acts = [row[0] for row in query("SELECT action FROM audit WHERE object_type = 'webhook' ORDER BY audit_id")]
    assert acts == [f"webhook.{act}" for act in ("created", "changed", "disabled", "enabled", *["secret_rotated"] * 2, "deleted")]


def test_a_key_of_one_brand_makes_endpoints_of_that_brand_and_sees_no_others(api: Api) -> None:
    all_brands = create(api, key())
    acme = key(brands=("acme",))
    own = create(api, acme)
    assert own["brands"] == ["acme"]
    assert [one["endpoint_id"] for one in api.get("/v1/webhooks", headers=acme).json()["items"]] == [own["endpoint_id"]]
    assert problem(api.get(f"/v1/webhooks/{all_brands['endpoint_id']}", headers=acme)) == (404, "unknown_endpoint")
    assert problem(api.delete(f"/v1/webhooks/{all_brands['endpoint_id']}", headers=acme)) == (404, "unknown_endpoint")
    assert api.get("/v1/webhooks", headers=key(brands=("bolt",))).json()["items"] == []


def test_an_endpoint_hears_of_the_brands_that_were_named_and_keeps_them(api: Api) -> None:
    """By a key of all brands; a change that names none leaves them, and nobody reaches beyond the own scope."""
    headers = key()
    made = create(api, headers, brands=["bolt"])
    path = f"/v1/webhooks/{made['endpoint_id']}"
    assert made["brands"] == ["bolt"]
    assert api.put(path, json={"url": URL + "/2"}, headers=headers).json()["brands"] == ["bolt"]
    assert api.put(path, json={"url": URL, "brands": ["acme", "bolt"]}, headers=headers).json()["brands"] == ["acme", "bolt"]
    for brands, by in ((["bolt"], key(brands=("acme",))), (["nobody"], headers)):
        assert problem(api.post("/v1/webhooks", json={"url": URL, "brands": brands}, headers=by)) == (422, "unknown_brand")
    own = create(api, key(brands=("acme", "bolt")), brands=["acme"])
    assert own["brands"] == ["acme"]


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"url": "http://hooks.example.com"}, 422, "bad_endpoint_url"),
        ({"url": "https://169.254.169.254/latest"}, 422, "bad_endpoint_url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, 422, "bad_endpoint_url"),
        ({"types": ["golden.exploded"]}, 422, "unknown_event_type"),
        ({"sources": ["nobody"]}, 422, "unknown_source"),
        ({"changed": ["email"]}, 422, "unknown_attribute"),
        ({"changed": ["emails", "extras.segment"]}, 422, "unknown_attribute"),
        ({"brands": []}, 422, "invalid_request"),
        ({"concurrency": 0}, 422, "invalid_request"),
        ({"colour": "red"}, 422, "invalid_request"),
        ({"description": "the\x00shop"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused(api: Api, wish: dict[str, Any], status: int, code: str) -> None:
    assert problem(api.post("/v1/webhooks", json={"url": URL, **wish}, headers=key())) == (status, code)
    assert query("SELECT count(*) FROM webhook_endpoint") == [(0,)]


def test_it_needs_its_scope(api: Api) -> None:
    assert problem(api.post("/v1/webhooks", json={"url": URL}, headers=key("events:read"))) == (403, "missing_scope")


def test_applied_and_delivered_are_told_apart_and_never_go_back(api: Api) -> None:
    headers = key()
    made = create(api, headers)
    path = f"/v1/webhooks/{made['endpoint_id']}"
    for version in (1, 2):
        with db.transaction() as session:
            outbox.emit(session, outbox.Event("golden.updated", clock.uuid7(), version, {"changed": []}))
    sequencer.number_all()
    with db.transaction() as session:
        deliveries.fan_out(session)
    events = api.get("/v1/events", params={"types": ["golden.updated"]}, headers=key("events:read")).json()["events"][-2:]
    told = api.get(f"{path}/deliveries", headers=headers).json()["items"]
    assert [(one["seq"], one["state"], one["attempts"]) for one in told] == [(one["seq"], "due", 0) for one in reversed(events)]
    now = api.post(f"{path}:applied", json={"cursor": events[1]["id"]}, headers=headers).json()
    assert (now["applied_seq"], now["delivered_seq"], now["due"]) == (events[1]["seq"], events[0]["seq"] - 1, 2)
    with db.transaction() as session:
        outbox.emit(session, outbox.Event("golden.merged", clock.uuid7(), 1, {"changed": []}))
    sequencer.number_all()
    (left,) = api.get(path, headers=headers).json()["waiting"]
    assert (left["type"], left["seq"], left["seconds"] < 60) == ("golden.merged", events[1]["seq"] + 1, True)
    assert problem(api.post(f"{path}:applied", json={"cursor": events[0]["id"]}, headers=headers)) == (409, "applied_already")
    other = f"{uuid.uuid4()}:1"
    assert problem(api.post(f"{path}:applied", json={"cursor": other}, headers=headers)) == (409, "cursor_from_other_timeline")


def test_of_two_confirmations_at_once_the_greater_stands(api: Api) -> None:
    """The lower one had looked before the greater was noted, and waited for it to be written."""
    headers = key()
    made = create(api, headers)
    with db.transaction() as session:
        outbox.emit_all(session, [outbox.Event("golden.updated", clock.uuid7(), 1, {"changed": []}) for _ in range(2)])
    sequencer.number_all()
    lower, greater = api.get("/v1/events", headers=key("events:read")).json()["events"][-2:]
    answers: list[Any] = []
    asked = {"json": {"cursor": lower["id"]}, "headers": headers}
    path = f"/v1/webhooks/{made['endpoint_id']}"
    late = threading.Thread(target=lambda: answers.append(api.post(f"{path}:applied", **asked)))
    with db.transaction() as session:
        endpoints.applied(session, uuid.UUID(made["endpoint_id"]), greater["id"])
        late.start()
        deadline = time.monotonic() + 30
        while query("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'") == [(0,)]:
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.01)
    late.join(60)
    assert problem(answers[0]) == (409, "applied_already")
    assert answers[0].json()["applied_seq"] == greater["seq"]
    assert api.get(path, headers=headers).json()["applied_seq"] == greater["seq"]


def test_a_range_is_delivered_again_and_a_page_of_deliveries_goes_on(api: Api) -> None:
    headers = key()
    made = create(api, headers)
    path = f"/v1/webhooks/{made['endpoint_id']}"
    with db.transaction() as session:
        outbox.emit_all(session, [outbox.Event("golden.updated", clock.uuid7(), 1, {"changed": []}) for _ in range(5)])
    sequencer.number_all()
    with db.transaction() as session:
        deliveries.fan_out(session)
    query("UPDATE webhook_delivery SET state = 'delivered', ended_at = now()")
    first = api.get(f"{path}/deliveries", params={"limit": 3}, headers=headers).json()
    rest = api.get(f"{path}/deliveries", params={"limit": 3, "before": first["next"]}, headers=headers).json()
    seqs = [one["seq"] for one in (*first["items"], *rest["items"])]
    assert (len(seqs), rest["next"]) == (5, None)
    asked = {"first_seq": min(seqs) + 1, "last_seq": max(seqs) - 1}
    assert api.post(f"{path}:redeliver", json=asked, headers=headers).json() == {"deliveries": 3}
    assert query("SELECT state, count(*) FROM webhook_delivery GROUP BY 1 ORDER BY 1") == [("delivered", 2), ("due", 3)]
    assert problem(api.post(f"{path}:redeliver", json={**asked, "only_dead": True}, headers=headers)) == (
        404,
        "nothing_to_redeliver",
    )
    far = {"first_seq": 1, "last_seq": 10**9}
    assert problem(api.post(f"{path}:redeliver", json=far, headers=headers)) == (422, "range_too_large")
