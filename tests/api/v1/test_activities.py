"""Activities go in as lines, each answered by itself, and come out with the golden record that holds their record."""

import json
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import clock, db
from tests.rejected import rejected_by_code

ORDER = {
    "source": "pos", "key": "r1", "record_key": "17", "kind": "order", "at": "2026-03-01T12:00:00+01:00", "store": "madrid",
    "amount": "129.90", "currency": "EUR",
}  # fmt: skip


def send(api: TestClient, *items: Any, **headers: str) -> list[dict[str, Any]]:
    body = b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items)
    answer = api.post("/v1/activities:batch", content=body, headers={"content-type": "application/x-ndjson", **headers})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def code(line: dict[str, Any]) -> tuple[str, str]:
    return str(line["problem"]["code"]), str(line["problem"]["field"])


def test_each_line_is_answered_and_the_summary_counts_them(api: TestClient, goldens: Any) -> None:
    goldens.add_record("17", goldens.add())
    lines = send(
        api, ORDER, ORDER, {**ORDER, "amount": 100, "updated_at": "2026-03-02"}, {**ORDER, "key": "r2", "amount": -1}, b"{"
    )
    assert [one["status"] for one in lines[:-1]] == ["created", "same", "changed", "rejected", "rejected"]
    assert [code(one) for one in lines[3:5]] == [("negative_amount", "amount"), ("invalid_json", "")]
    assert lines[-1]["summary"] == {"lines": 5, "created": 1, "same": 1, "changed": 1, "rejected": 2}
    with db.read_only() as session:
        assert rejected_by_code(session) == {"negative_amount": 1, "invalid_json": 1}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"source": "nowhere"}, ("unknown_source", "source")),
        ({"key": None}, ("key_missing", "key")),
        ({"record_key": " "}, ("key_missing", "record_key")),
        ({"record_key": "4111 1111 1111 1111"}, ("key_is_card_number", "record_key")),
        ({"key": "k" * 501}, ("key_too_long", "key")),
        ({"kind": "gift"}, ("unknown_kind", "kind")),
        ({"kind": ["order"]}, ("unknown_kind", "kind")),
        ({"status": "paid"}, ("unknown_status", "status")),
        ({"at": None}, ("bad_time", "at")),
        ({"at": 1772366400}, ("bad_time", "at")),
        ({"at": "0001-01-01T00:00:00+14:00"}, ("bad_time", "at")),
        ({"at": "1899-12-31"}, ("bad_time", "at")),
        ({"at": "9999-12-31T23:59:59-12:00"}, ("bad_time", "at")),
        ({"at": (clock.now() + timedelta(days=2)).isoformat()}, ("time_in_future", "at")),
        ({"updated_at": (clock.now() + timedelta(days=2)).isoformat()}, ("time_in_future", "updated_at")),
        ({"amount": -0.01}, ("negative_amount", "amount")),
        ({"kind": "return", "amount": "-5"}, ("negative_amount", "amount")),
        ({"amount": "NaN"}, ("bad_amount", "amount")),
        ({"amount": "1e15"}, ("bad_amount", "amount")),
        ({"amount": "1e999999"}, ("bad_amount", "amount")),
        ({"amount": "0.00001"}, ("bad_amount", "amount")),
        ({"amount": "1,50"}, ("bad_amount", "amount")),
        ({"amount": True}, ("bad_amount", "amount")),
        ({"amount": None}, ("amount_missing", "amount")),
        ({"currency": None}, ("bad_currency", "currency")),
        ({"currency": "eur"}, ("bad_currency", "currency")),
        ({"currency": "EUR\n"}, ("bad_currency", "currency")),
        ({"kind": "visit"}, ("amount_without_sale", "amount")),
        ({"store": "s" * 10_000}, ("store_too_long", "store")),
        ({"store": "s" * 101}, ("store_too_long", "store")),
        ({"store": 7}, ("wrong_type", "store")),
        ({"shop": "madrid"}, ("bad_line", "")),
    ],
)
def test_what_is_wrong_with_a_line_is_told_and_stops_nothing_else(api: TestClient, wrong: dict[str, Any], told: Any) -> None:
    bad, good, _ = send(api, {**ORDER, **wrong}, {**ORDER, "key": "good"})
    assert (bad["status"], code(bad), good["status"]) == ("rejected", told, "created")
    assert len(bad["problem"]["detail"]) > 20
    assert all(value not in json.dumps(bad) for value in wrong.values() if isinstance(value, str) and len(value) > 6)


def test_characters_that_no_store_has_are_refused(api: TestClient) -> None:
    raw = json.dumps(ORDER)
    lines = send(api, raw.replace("madrid", "\\u0000").encode(), raw.replace("madrid", "\\ud800").encode())
    assert [one["status"] for one in lines[:-1]] == ["rejected", "rejected"]


def test_a_record_that_is_not_known_yet_is_noted(api: TestClient) -> None:
    (line, _) = send(api, ORDER)
    assert (line["status"], line["notes"][0]["code"]) == ("created", "record_not_known")


def test_lines_past_the_thousandth_are_left_and_that_is_told(api: TestClient) -> None:
    *_, last = send(api, *({**ORDER, "key": f"r{number}"} for number in range(1_002)))
    assert (last["summary"]["lines"], last["summary"]["unread_from_line"]) == (1_000, 1_001)


def test_another_brands_source_is_refused(api: TestClient, key: Any) -> None:
    lines = send(api, {**ORDER, "source": "shop"}, ORDER, **key(brands=("main",)))
    assert [one["status"] for one in lines[:-1]] == ["rejected", "created"]
    assert code(lines[0]) == ("outside_scope", "source")


def test_a_golden_record_tells_what_its_records_did_by_channel(api: TestClient, goldens: Any) -> None:
    golden_id = goldens.add()
    goldens.add_record("17", golden_id)
    goldens.add_record("18", golden_id, source="shop", brand="other")
    send(
        api, ORDER, {**ORDER, "key": "r2", "kind": "return", "amount": "29.9", "at": "2026-03-04"},
        {**ORDER, "source": "shop", "record_key": "18", "amount": 1500, "currency": "JPY", "at": "2026-03-03"},
    )  # fmt: skip
    merged = goldens.add("merged", golden_id)
    told = api.get(f"/v1/golden/{merged}/activities", params={"limit": 2}).json()
    assert (told["golden_id"], told["status"], told["orders"], told["returns"]) == (str(golden_id), "merged", 2, 1)
    assert told["net"] == [{"currency": "EUR", "amount": "100"}, {"currency": "JPY", "amount": "1500"}]
    by_channel = {one["channel_kind"]: (one["orders"], one["net"][0]["amount"]) for one in told["channels"]}
    assert by_channel == {"pos": (1, "100"), "ecommerce": (1, "1500")}
    assert [(one["source"], one["key"]) for one in told["items"]] == [("pos", "r2"), ("shop", "r1")]
    assert (told["items"][0]["amount"], told["cut"]) == ("29.9", False)
    assert goldens.audit()[-1][:3] == ("golden.read_activities", "golden", str(golden_id))


def test_within_its_scope_and_only_of_a_record_that_is_known(api: TestClient, goldens: Any, key: Any) -> None:
    golden_id = goldens.add(brand="other")
    headers = key(brands=("main",))
    assert api.get(f"/v1/golden/{golden_id}/activities", headers=headers).status_code == 404
    assert api.get(f"/v1/golden/{goldens.add('erased')}/activities").status_code == 410
    assert api.get(f"/v1/golden/{golden_id}/activities", headers=key("lookup")).status_code == 403
    nothing = api.get(f"/v1/golden/{golden_id}/activities").json()
    assert (nothing["last_seen_at"], nothing["orders"], nothing["net"], nothing["items"]) == (None, 0, [], [])


def test_a_view_shows_it_only_where_it_names_it(api: TestClient, goldens: Any) -> None:
    golden_id = goldens.add()
    goldens.add_record("17", golden_id)
    fields = {"ids": [str(golden_id)], "fields": ["golden_id", "activity"]}
    assert "activity" not in api.post("/v1/golden:batch-get", json=fields).json()["items"][0]["golden"]
    send(api, ORDER)
    shown = {
        "last_seen_at": "2026-03-01T11:00:00+00:00",
        "orders": 1,
        "returns": 0,
        "net": [{"currency": "EUR", "amount": "129.9"}],
    }
    assert api.post("/v1/golden:batch-get", json=fields).json()["items"][0]["golden"]["activity"] == shown
    for view, expected in (("service", shown), ("checkout", None)):
        found = api.post("/v1/lookup", json={"golden_id": str(golden_id), "view": view}).json()
        assert found["view"].get("activity") == expected
