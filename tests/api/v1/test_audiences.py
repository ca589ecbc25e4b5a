"""Audiences as jobs: every row answered as a check of its own would be, in the caller's scope; and whom to drop since."""

import csv
import io
import json
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kernel import db
from stewardship import privacy_requests
from workers import sequencer
from workers.jobs import run_chunk

from ...resolution import MARIA, WHO, Master, golden_of, query
from ..conftest import Api, KeyMaker
from .test_consents import EMAIL, GIVEN, WITHDRAWN, check, merged, record

ASKED = {"format": "ndjson", "purpose": "marketing", "channel": "email", "brand": "main"}
OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto@example.es"]}


def begin(api: Api, content: bytes, headers: dict[str, str] | None = None, **asked: Any) -> dict[str, Any]:
    answer = api.post("/v1/audiences", params={**ASKED, **asked}, content=content, headers=headers or {})
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


def answered(api: Api, content: bytes, headers: dict[str, str] | None = None, **asked: Any) -> bytes:
    """Have an audience made by a worker, in the process that reads files; the bytes of its answers."""
    where = f"/v1/audiences/{begin(api, content, headers, **asked)['export_id']}"
    for (chunk,) in query("SELECT chunk_id::text FROM job_chunk WHERE state = 'queued'"):
        run_chunk(chunk)
    made = api.get(where, headers=headers or {}).json()
    assert (made["state"], made["error"]) == ("finished", None)
    file = api.get(f"{where}/content", headers=headers or {})
    assert file.status_code == 200, file.text
    return file.content


def rows_of(answers: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answers.splitlines()]


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in rows)


def test_every_row_is_answered_as_a_check_would_be(api: Api, policy: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    nobody = str(uuid.uuid4())
    found = rows_of(
        answered(
            api,
            lines(
                {"golden_id": golden_id},
                {"source": "shop", "key": "1"},
                {"email": EMAIL.upper()},
                {"email": "mg@example.es", "golden_id": golden_id},
                {"golden_id": nobody},
                {"golden_id": golden_id, "channel": "sms"},
                {"golden_id": golden_id, "purpose": "newsletter"},
                {"golden_id": golden_id, "brand": "other"},
                {"email": "no address"},
                {"name": "Maria"},
                {"golden_id": golden_id, "purpose": "nothing_known"},
                {"golden_id": golden_id, "source": "pos", "key": "1"},
            )
            + b"no json\n",
        )
    )
    assert [one["row"] for one in found] == list(range(1, 14))
    assert [one["answer"] for one in found[:4]] == ["allowed", "allowed", "allowed", "unknown"]
    assert (found[4]["answer"], found[4]["reason"], found[4]["golden_id"]) == ("unknown", "unknown_customer", None)
    assert {one["golden_id"] for one in found[:2]} == {golden_id}
    for row, asked in ((found[5], {"channel": "sms"}), (found[6], {"purpose": "newsletter"}), (found[7], {"brand": "other"})):
        alone = check(api, golden_id=golden_id, **asked)
        assert (row["answer"], row["reason"]) == (alone["answer"], alone["reason"])
        assert asked.items() <= row.items()
    assert {one["answer"] for one in found[8:]} == {"unreadable"}
    assert [one["reason"] for one in found[8:12]] == ["unreadable_value", "no_subject", "unknown_purpose", "two_subjects"]
    assert EMAIL.encode() not in json.dumps(found).encode()


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_files_of_other_formats_are_answered_in_their_own(api: Api, policy: Any, file_format: str) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    if file_format == "csv":
        answers = answered(api, f"golden_id\n{golden_id}\n".encode(), format="csv")
        found = list(csv.DictReader(io.StringIO(answers.decode("utf-8-sig"))))
    else:
        sink = io.BytesIO()
        pq.write_table(pa.table({"golden_id": [golden_id]}), sink)
        found = pq.read_table(io.BytesIO(answered(api, sink.getvalue(), format="parquet"))).to_pylist()
    assert [(one["answer"], one["golden_id"]) for one in found] == [("allowed", golden_id)]


def test_an_audience_sees_no_more_than_its_key(api: Api, policy: Any, key: KeyMaker) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    stranger = key("consents:check", brands=("third",))
    (row,) = rows_of(answered(api, lines({"golden_id": golden_id}), stranger, brand="third"))
    assert (row["answer"], row["reason"]) == ("unknown", "unknown_customer")
    mine = begin(api, lines({"golden_id": golden_id}))["export_id"]
    assert api.get(f"/v1/audiences/{mine}", headers=stranger).status_code == 404
    assert api.get(f"/v1/audiences/{mine}", headers=key("consents:write")).status_code == 403


def test_what_cannot_be_asked_is_refused_before_a_job(api: Api, policy: Any) -> None:
    for asked in ({"purpose": "nothing_known"}, {"format": "xml"}, {"channel": "pigeon"}):
        assert api.post("/v1/audiences", params={**ASKED, **asked}, content=b"{}\n").status_code == 422
    assert query("SELECT count(*) FROM job") == [(0,)]


def dropped(api: Api, after: str, **asked: Any) -> tuple[dict[str, Any], str]:
    given = {"purpose": "marketing", "channel": "email", "brand": "main", "after": after, **asked}
    answer = api.get("/v1/consent-denials", params=given)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return {one["golden_id"]: one for one in told["items"]}, told["next"]


def test_whoever_sends_by_a_list_is_told_whom_to_drop_since(api: Api, policy: Any) -> None:
    golden_id = str(merged(policy))
    Master(policy).put("pos", "2", OTTO)
    Master(policy).drain()
    otto = golden_of("pos", "2")
    assert otto is not None
    point = {"kind": "email", "value": "otto@example.es"}
    record(api, GIVEN, {**GIVEN, "record": {"source": "pos", "key": "2"}, "contact_point": point})
    sequencer.number_all()
    cursor = begin(api, lines({"golden_id": golden_id}))["export_id"]
    for (chunk,) in query("SELECT chunk_id::text FROM job_chunk WHERE state = 'queued'"):
        run_chunk(chunk)
    cursor = api.get(f"/v1/audiences/{cursor}").json()["cursor"]
    assert dropped(api, cursor)[0] == {}
    record(api, WITHDRAWN)
    sequencer.number_all()
    found, after = dropped(api, cursor)
    assert {one: (told["drop"], told["reason"]) for one, told in found.items()} == {golden_id: (True, "withdrawn")}
    assert dropped(api, after)[0] == {}
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, WHO, privacy_requests.Wish("restriction", otto))
        privacy_requests.identify(session, WHO, request_id, "passed", "in_store")
        privacy_requests.complete(session, WHO, request_id)
    found, _ = dropped(api, after)
    assert {one: (told["drop"], told["reason"], told["seq"]) for one, told in found.items()} == {
        str(otto): (True, "use_restricted", None)
    }


def test_a_merge_is_told_of_by_both_ids(api: Api, policy: Any) -> None:
    master = Master(policy)
    master.put("pos", "1", MARIA)
    master.put("shop", "1", {**OTTO, "emails": ["otto@example.es"]})
    master.drain()
    one, other = golden_of("pos", "1"), golden_of("shop", "1")
    record(api, GIVEN)
    record(api, {"golden_id": str(other), "state": "suppressed", "suppression": "deceased"})
    sequencer.number_all()
    log = api.get("/v1/events", params={"after": "latest"}).json()["next"]
    master.put("shop", "1", MARIA)
    master.drain()
    sequencer.number_all()
    assert golden_of("pos", "1") == golden_of("shop", "1")
    found, _ = dropped(api, log)
    assert {told["reason"] for told in found.values()} == {"deceased"}
    assert {str(one), str(other)} <= found.keys()


def test_a_cursor_of_elsewhere_is_told(api: Api, policy: Any) -> None:
    after = f"{uuid.uuid4()}:1"
    given = {"purpose": "marketing", "channel": "email", "after": after}
    assert api.get("/v1/consent-denials", params=given).status_code == 409
    assert api.get("/v1/consent-denials", params={**given, "after": "x"}).status_code == 422
