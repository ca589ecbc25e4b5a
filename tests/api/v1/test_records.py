"""Records go in by key or as lines; whatever cannot be used is answered clearly, counted, and stops nothing else."""

import json
import threading
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.schemas.records import BatchResult, BatchSummary
from kernel import db
from mdm import policy as policies
from tests.rejected import rejected_by_code

ADA = {"given_name": "Ada", "surname": "Byron", "emails": ["ada@example.org"]}
URL = "/v1/sources/pos/records/17"


def counted() -> dict[str, int]:
    with db.read_only() as session:
        return rejected_by_code(session)


def lines(api: TestClient, *items: Any, **headers: str) -> list[dict[str, Any]]:
    body = b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in items)
    answer = api.post("/v1/records:batch", content=body, headers={"content-type": "application/x-ndjson", **headers})
    assert answer.status_code == 200, answer.text
    *results, summary = [json.loads(line) for line in answer.text.splitlines()]
    for one, told in [*((one, BatchResult) for one in results), (summary, BatchSummary)]:
        told.model_validate(one, extra="forbid")
    return [*results, summary]


def line(key: Any, record: Any = ADA, **more: Any) -> dict[str, Any]:
    return {"source": "pos", "key": key, "record": record, **more}


def test_put_creates_then_is_the_same_then_changes(api: TestClient) -> None:
    first, same = api.put(URL, json=ADA), api.put(URL, json=ADA)
    changed = api.put(URL, json={**ADA, "surname": "Lovelace"})
    assert [(one.status_code, one.json()["status"]) for one in (first, same, changed)] == [
        (201, "created"),
        (200, "same"),
        (200, "changed"),
    ]
    assert first.json()["resolution"] == "pending"
    assert first.json()["golden_id"] is None
    assert changed.json()["version_no"] == 2


def test_an_older_version_is_kept_but_never_current(api: TestClient) -> None:
    api.put(URL, json=ADA, params={"source_version": 7})
    late = api.put(URL, json={**ADA, "surname": "Old"}, params={"source_version": 6})
    deleted = api.delete(URL, params={"source_version": 8})
    assert (late.json()["status"], deleted.json()["status"]) == ("superseded", "deleted")
    assert api.put(URL, json=ADA, params={"source_version": 7}).json()["status"] == "superseded"
    assert api.get(URL).json()["is_deleted"] is True


def test_get_shows_what_was_received_and_how_it_was_read_and_is_audited(api: TestClient, goldens: Any) -> None:
    record_id = api.put(URL, json=ADA).json()["record_id"]
    shown = api.get(URL).json()
    assert (shown["payload"], shown["standard"]["name"]["given"]) == (ADA, "Ada")
    assert ("record.read", "record", record_id, {}) in goldens.audit()
    assert api.get("/v1/sources/pos/records/18").status_code == 404


def test_get_shows_the_quality_of_the_record(api: TestClient) -> None:
    api.put(URL, json={**ADA, "emails": ["ada@"], "shoe_size": 38})
    shown = api.get(URL).json()["quality"]
    assert shown["fields"]["emails"] == {"state": "refused", "codes": ["invalid"]}
    assert shown["fields"]["name"]["state"] == "good"
    assert shown["unmapped"] == ["shoe_size"]
    api.delete(URL)
    assert api.get(URL).json()["quality"] is None


def test_keys_may_hold_slashes_spaces_and_letters_of_any_script(api: TestClient) -> None:
    for key in ("a%2Fb", "a%20b", "%D0%9A-1", "x:rekey"):
        assert api.put(f"/v1/sources/pos/records/{key}", json=ADA).status_code == 201
        assert api.get(f"/v1/sources/pos/records/{key}").status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b'{"given_name": "Ad', "invalid_json"),
        (b'{"given_name": "\xff"}', "invalid_utf8"),
        (b'{"x": NaN}', "not_a_number"),
        (b'{"x": -Infinity}', "not_a_number"),
        (b"[]", "not_an_object"),
        (b'"ada@example.org"', "not_an_object"),
        (b'{"given_name": "' + b"a" * 1001 + b'"}', "value_too_long"),
        (b'{"emails": [' + b'"a",' * 9999 + b'"a"]}', "too_many_elements"),
        (b'{"x":' * 1000 + b"1" + b"}" * 1000, "too_deep"),
        (b'{"x":' * 3000 + b"1" + b"}" * 3000, "too_deep"),
        (b'{"given_name": "a\\u0000"}', "nul_character"),
        (b'{"given_name": {"a": 1}}', "wrong_type"),
    ],
)
def test_a_record_that_cannot_be_used_is_a_problem_and_counted(api: TestClient, body: bytes, code: str) -> None:
    answer = api.put(URL, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:customer-master:problem:{code}")
    assert counted() == {code: 1}
    assert "ada@" not in answer.text


def test_a_record_over_two_megabytes_is_refused_and_counted(api: TestClient) -> None:
    answer = api.put(URL, content=b'{"x": "' + b"a" * 2_100_000 + b'"}', headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, 2_097_152)
    assert answer.headers["content-type"] == "application/problem+json"
    assert counted() == {"too_large": 1}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nowhere/records/1", 404, "unknown_source"),
        ("mail/records/ada@example.org", 422, "key_in_url"),
        ("pos/records/" + "k" * 10_000, 422, "key_too_long"),
        ("pos/records/", 422, "key_missing"),
        ("pos/records/%00", 422, "bad_key"),
        ("pos/records/%FF", 422, "invalid_utf8"),
        ("p%00s/records/1", 422, "invalid_request"),
    ],
)
def test_a_bad_address_is_a_problem_that_repeats_no_key(api: TestClient, path: str, status: int, code: str) -> None:
    for method in ("PUT", "GET", "DELETE"):
        answer = api.request(method, f"/v1/sources/{path}", **({"json": ADA} if method == "PUT" else {}))
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:customer-master:problem:{code}"), method
        assert "ada@" not in answer.text


def test_a_key_may_hold_the_end_of_a_line(api: TestClient) -> None:
    for path in ("a%0Ab", "c%0D%0A", "c", "d/e%0A"):
        assert api.put(f"/v1/sources/pos/records/{path}", json=ADA).status_code == 201
        assert api.get(f"/v1/sources/pos/records/{path}").json()["payload"] == ADA
    with db.read_only() as session:
        found = session.connection().exec_driver_sql("SELECT source_key FROM source_record ORDER BY 1").scalars().all()
    assert set(found) == {"a\nb", "c\r\n", "c", "d/e\n"}


def test_a_card_number_is_no_key_and_no_new_one(api: TestClient) -> None:
    refused = api.put("/v1/sources/pos/records/4111111111111111", json=ADA)
    assert counted() == {"key_is_card_number": 1}
    assert api.put(URL, json=ADA).status_code == 201
    renamed = api.post(URL + ":rekey", json={"new_key": "4111-1111-1111-1111"})
    for answer in (refused, renamed):
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:customer-master:problem:key_is_card_number")
        assert "1111-1111" not in answer.text


def test_a_byte_order_mark_before_a_record_is_ignored(api: TestClient) -> None:
    answer = api.put(URL, content=b"\xef\xbb\xbf" + json.dumps(ADA).encode(), headers={"content-type": "application/json"})
    assert (answer.status_code, api.get(URL).json()["payload"]) == (201, ADA)
    first, second, _ = lines(
        api, b"\xef\xbb\xbf" + json.dumps(line("2")).encode(), b"\xef\xbb\xbf" + json.dumps(line("3")).encode()
    )
    assert (first["status"], second["problem"]["code"]) == ("created", "invalid_json")


def test_an_unmapped_field_is_told_and_kept(api: TestClient) -> None:
    answer = api.put(URL, json={**ADA, "shoe_size": 38}).json()
    assert [(note["code"], note["field"]) for note in answer["notes"]] == [("unmapped_field", "shoe_size")]


def test_a_record_of_which_nothing_is_read_is_taken_with_a_note(api: TestClient) -> None:
    for number, record in enumerate(({"vorname": "Ada"}, {}, {"given_name": " "})):
        answer = api.put(f"/v1/sources/pos/records/n{number}", json=record)
        assert (answer.status_code, answer.json()["notes"][0]["code"]) == (201, "nothing_mapped")
    assert api.put(URL, json=ADA).json()["notes"] == []


def test_a_value_that_cannot_be_used_is_told_to_its_sender(api: TestClient) -> None:
    answer = api.put(URL, json=ADA | {"phones": ["call me"], "birth_date": "soon", "emails": ["nobody"]}).json()
    assert answer["status"] == "created"
    assert sorted((note["field"], note["code"]) for note in answer["notes"]) == [
        ("birth_date", "unreadable"),
        ("emails", "invalid"),
        ("phones", "no_digits"),
    ]
    assert all("cannot be used; see" not in note["detail"] for note in answer["notes"])
    assert api.put(URL, json=ADA).json()["notes"] == []


def test_a_deletion_that_finds_nothing_says_so_and_still_outlives_a_late_older_version(api: TestClient) -> None:
    first = api.delete(URL, params={"source_version": 5})
    assert (first.status_code, first.json()["status"]) == (200, "deleted")
    assert [(note["code"], note["field"]) for note in first.json()["notes"]] == [("nothing_to_delete", "key")]
    assert api.put(URL, json=ADA, params={"source_version": 3}).json()["status"] == "superseded"
    assert api.put(URL, json=ADA, params={"source_version": 6}).json()["status"] == "changed"
    assert api.delete(URL, params={"source_version": 7}).json()["notes"] == []


def test_a_wrong_type_points_to_the_senders_own_field(api: TestClient) -> None:
    body = {"emails": [{"value": "a@b.example"}, {"value": {"ada@example.org": 1}}]}
    (told,) = api.put(URL, json=body).json()["errors"]
    assert (told["pointer"], told["attribute"], told["code"]) == ("/emails/1/value", "emails.value", "wrong_type")
    line = json.dumps({"source": "pos", "key": "1", "record": body})
    answer = api.post("/v1/records:batch", content=line, headers={"content-type": "application/x-ndjson"})
    problem = json.loads(answer.text.splitlines()[0])["problem"]
    assert (problem["field"], problem["pointers"]) == ("emails.value", ["/emails/1/value"])


def test_a_batch_notes_what_a_single_delivery_notes(api: TestClient) -> None:
    lines = [{"source": "pos", "key": "new", "delete": True}, {"source": "pos", "key": "odd", "record": {"vorname": "Ada"}}]
    body = "\n".join(map(json.dumps, lines))
    answer = api.post("/v1/records:batch", content=body, headers={"content-type": "application/x-ndjson"})
    noted = [[note["code"] for note in json.loads(line)["notes"]] for line in answer.text.splitlines()[:2]]
    assert noted == [["nothing_to_delete"], ["nothing_mapped", "unmapped_field"]]


def test_a_body_that_is_not_json_is_a_415(api: TestClient) -> None:
    assert api.put(URL, content=b"a=1", headers={"content-type": "text/plain"}).status_code == 415
    assert api.post("/v1/records:batch", json={}).status_code == 415


def test_another_brands_source_is_refused(api: TestClient, key: Any) -> None:
    mine = key("records:write", "records:read", brands=("main",))
    assert api.put("/v1/sources/shop/records/1", json=ADA, headers=mine).status_code == 403
    api.put("/v1/sources/shop/records/1", json=ADA)
    assert api.get("/v1/sources/shop/records/1", headers=mine).status_code == 404
    assert [one["name"] for one in api.get("/v1/sources", headers=mine).json()["items"]] == ["pos", "mail"]


def test_waiting_ends_when_a_worker_resolved_the_record(api: TestClient, goldens: Any) -> None:
    def worker() -> None:
        time.sleep(0.3)
        golden_id = goldens.add()
        goldens.connection.execute("UPDATE crosswalk SET state = 'resolved', golden_id = %s", [golden_id])
        goldens.connection.execute("DELETE FROM pending_record")

    thread = threading.Thread(target=worker)
    thread.start()
    started = time.monotonic()
    answer = api.put(URL, json=ADA, params={"wait_seconds": 20}).json()
    thread.join()
    assert answer["resolution"] == "resolved"
    assert answer["golden_id"] is not None
    assert time.monotonic() - started < 10


def test_waiting_ends_with_the_time_given(api: TestClient) -> None:
    assert api.put(URL, json=ADA, params={"wait_seconds": 0.2}).json()["resolution"] == "pending"
    assert api.put(URL, json=ADA, params={"wait_seconds": 31}).status_code == 422


def test_a_batch_answers_each_line_and_goes_on_past_bad_ones(api: TestClient) -> None:
    answers = lines(
        api,
        line("1"),
        b"{truncated",
        line(None),
        line("k" * 10_000),
        line("2", record="text"),
        line("3", record={"given_name": "a" * 1001}),
        {**line("4"), "source": "nowhere"},
        b"",
        {"source": "mail", "key": "ada@example.org", "record": ADA},
        b'{"source": "pos", "key": "5", "record": {"x": "\xff"}}',
        {**line("6"), "ada@example.org": 1},
        line("1", record={**ADA, "surname": "Lovelace"}),
        line("1", delete=True),
        line("7", source_version=1, source_updated_at="2026-01-01T00:00:00Z"),
    )
    *results, summary = answers
    found = {one["line"]: one.get("problem", {}).get("code", one["status"]) for one in results}
    assert found == {
        1: "created",
        2: "invalid_json",
        3: "key_missing",
        4: "key_too_long",
        5: "not_an_object",
        6: "value_too_long",
        7: "unknown_source",
        9: "created",
        10: "invalid_utf8",
        11: "bad_line",
        12: "changed",
        13: "deleted",
        14: "created",
    }
    assert summary["summary"] == {"lines": 13, "created": 3, "changed": 1, "deleted": 1, "rejected": 8}
    assert sum(counted().values()) == 8
    assert "ada@" not in json.dumps(answers)


def test_a_line_over_two_megabytes_is_answered_and_the_next_is_taken(api: TestClient) -> None:
    first, second, _ = lines(api, line("1", record={"x": "a" * 2_100_000}), line("2"))
    assert (first["problem"]["code"], second["status"]) == ("line_too_large", "created")


def test_an_empty_batch_is_a_problem(api: TestClient) -> None:
    answer = api.post("/v1/records:batch", content=b"\n \n", headers={"content-type": "application/x-ndjson"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:customer-master:problem:empty_body")


def test_a_batch_of_many_steps_keeps_count(api: TestClient) -> None:
    *results, summary = lines(api, *(line(str(number % 900)) for number in range(1200)))
    assert [one["line"] for one in results] == list(range(1, 1201))
    assert summary["summary"] == {"lines": 1200, "created": 900, "same": 300}


def test_a_repeated_batch_with_its_idempotency_key_gets_the_same_answer(api: TestClient) -> None:
    keyed = {"idempotency-key": "load-1"}
    first, again = lines(api, line("1"), **keyed), lines(api, line("1"), **keyed)
    assert first == again
    assert first[0]["status"] == "created"
    other = api.post("/v1/records:batch", content=b"{}", headers={"content-type": "application/x-ndjson", **keyed})
    assert (other.status_code, other.json()["type"]) == (422, "urn:customer-master:problem:idempotency_key_reused")


def test_rekey_keeps_the_record_and_gives_the_old_key_up(api: TestClient) -> None:
    record_id = api.put(URL, json=ADA).json()["record_id"]
    renamed = api.post(URL + ":rekey", json={"new_key": "A-17"}, headers={"idempotency-key": "r1"})
    again = api.post(URL + ":rekey", json={"new_key": "A-17"}, headers={"idempotency-key": "r1"})
    assert (renamed.json(), again.json()) == ({"record_id": record_id},) * 2
    assert again.headers["idempotency-replayed"] == "true"
    assert api.get("/v1/sources/pos/records/A-17").json()["record_id"] == record_id
    assert api.get(URL).status_code == 404
    assert (api.put(URL, json=ADA).status_code, api.put("/v1/sources/pos/records/A-17", json=ADA).json()["status"]) == (
        409,
        "same",
    )


def test_a_record_may_be_renamed_back(api: TestClient) -> None:
    record_id = api.put(URL, json=ADA).json()["record_id"]
    assert api.post(URL + ":rekey", json={"new_key": "A-17"}).status_code == 200
    assert api.post("/v1/sources/pos/records/A-17:rekey", json={"new_key": "17"}).json() == {"record_id": record_id}
    assert api.get(URL).json()["record_id"] == record_id


def test_rekey_refuses_what_it_cannot_do(api: TestClient) -> None:
    api.put(URL, json=ADA)
    api.put("/v1/sources/pos/records/18", json=ADA)
    assert api.post("/v1/sources/pos/records/9:rekey", json={"new_key": "x"}).status_code == 404
    assert api.post(URL + ":rekey", json={"new_key": "18"}).json()["type"].endswith("key_in_use")
    assert api.post(URL + ":rekey", json={"new_key": ""}).status_code == 422
    assert api.post(URL + ":rekey", json={"new_key": None}).status_code == 422
    assert api.post(URL + ":rekey", content=b'{"new_key": NaN}', headers={"content-type": "application/json"}).status_code == 422


def test_without_a_policy_writes_are_unavailable(api: TestClient, goldens: Any) -> None:
    goldens.connection.execute("TRUNCATE policy_version CASCADE")
    policies._STORED.clear()
    answer = api.put(URL, json=ADA)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:customer-master:problem:no_policy")
