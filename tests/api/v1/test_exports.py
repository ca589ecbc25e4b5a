"""Exports over HTTP: begun once, made by a worker, handed out whole to whoever may see all of it, with hash and cursor."""

import base64
import hashlib
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import pytest

from api.app import create_app
from kernel import db
from kernel.settings import settings
from mdm import export_registry
from workers.jobs import run_chunk

from ... import resolution as master
from ...resolution import MARIA, query
from ..conftest import Api
from .test_jobs import key, problem

ALL = ("exports:write", "lookup", "golden:read")


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    for left in export_registry.folder().iterdir():
        left.unlink()
    mdm = master.start()
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "2", {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07"})
    mdm.drain()
    with Api(create_app()) as client:
        yield client


def begin(api: Api, headers: dict[str, str] | None = None, **wish: Any) -> Any:
    return api.post("/v1/exports", json={"kind": "crosswalk", **wish}, headers=headers or key(*ALL))


def work() -> None:
    for (chunk,) in query("SELECT chunk_id::text FROM job_chunk WHERE state = 'queued'"):
        run_chunk(chunk)


def test_an_export_is_begun_made_and_downloaded(api: Api) -> None:
    headers = key(*ALL)
    answer = begin(api, headers, kind="golden", format="csv", fields=["name.given", "birth_date"])
    begun = answer.json()
    assert (answer.status_code, begun["state"], begun["rows"], begun["needs"]) == (202, "queued", None, "golden:read")
    where = f"/v1/exports/{begun['export_id']}"
    assert problem(api.get(f"{where}/content", headers=headers)) == (409, "export_not_ready")
    work()
    made = api.get(where, headers=headers).json()
    file = api.get(f"{where}/content", headers=headers)
    assert (made["state"], made["rows"], made["sha256"]) == ("finished", 2, hashlib.sha256(file.content).hexdigest())
    assert file.headers["etag"] == f'"{made["sha256"]}"'
    assert file.headers["repr-digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(made['sha256'])).decode()}:"
    assert (file.headers["mdm-cursor"], file.headers["content-type"]) == (made["cursor"], "text/csv; charset=utf-8")
    assert {line.split(",")[-2] for line in file.text.splitlines()[1:]} == {"Maria", "Otto"}
    assert api.get(f"{where}/content", headers=headers | {"if-none-match": file.headers["etag"]}).status_code == 304
    assert api.get("/v1/events", params={"after": made["cursor"]}, headers=key("events:read")).status_code == 200
    assert query("SELECT action, detail ->> 'rows' FROM audit WHERE object_type = 'export' ORDER BY audit_id") == [
        ("export.begun", None), ("export.made", "2"), ("export.downloaded", "2"), ("export.downloaded", "2"),
    ]  # fmt: skip


def test_an_export_that_is_asked_for_again_is_the_same(api: Api) -> None:
    headers = key(*ALL) | {"idempotency-key": "nightly"}
    assert begin(api, headers).json() == begin(api, headers).json()
    assert query("SELECT count(*) FROM export") == [(1,)]
    assert problem(begin(api, headers, format="csv"))[0] == 422


def test_who_may_not_see_all_of_a_file_does_not_see_that_there_is_one(api: Api) -> None:
    everything, acme, no_values = key(*ALL), key(*ALL, brands=("acme",)), key("exports:write", "lookup")
    whole, own = begin(api, everything).json()["export_id"], begin(api, acme).json()["export_id"]
    values = begin(api, everything, kind="golden", fields=["name"]).json()["export_id"]
    work()
    for method, path in (("GET", whole), ("GET", f"{whole}/content"), ("DELETE", whole)):
        assert problem(api.request(method, f"/v1/exports/{path}", headers=acme)) == (404, "unknown_export")
    assert '"2"' not in api.get(f"/v1/exports/{own}/content", headers=acme).text
    follows = key("jobs:read", "jobs:write", brands=("acme",))
    assert [one["job_id"] for one in api.get("/v1/jobs", headers=follows).json()["items"]] == [own], "its job is seen as it is"
    assert api.get(f"/v1/jobs/{own}", headers=follows).json()["state"] == "finished"
    assert problem(api.get(f"/v1/jobs/{whole}", headers=follows)) == (404, "unknown_job")
    assert problem(api.post(f"/v1/jobs/{whole}:cancel", headers=follows)) == (404, "unknown_job")
    assert '"1"' in api.get(f"/v1/exports/{own}/content", headers=everything).text
    assert api.get(f"/v1/exports/{whole}/content", headers=no_values).status_code == 200
    assert problem(api.get(f"/v1/exports/{values}/content", headers=no_values)) == (403, "missing_scope")
    assert problem(begin(api, no_values, kind="golden", fields=["name"])) == (403, "missing_scope")
    assert problem(begin(api, key("lookup", "golden:read"))) == (403, "missing_scope")
    assert problem(begin(api, acme, brands=["bolt"])) == (422, "unknown_brand")


def test_a_personal_key_is_told_to_whoever_may_read_golden_records_only(database: str) -> None:
    mdm = master.start("sources:\n  mail: {channel_kind: marketing, brand: acme, key_is_personal: true}\n")
    mdm.put("mail", "ada@example.org", {"given_name": "Ada"})
    mdm.drain()
    with Api(create_app()) as api:
        with_values, without = key(*ALL), key("exports:write", "lookup")
        told, hidden = (begin(api, headers).json()["export_id"] for headers in (with_values, without))
        work()
        assert "ada@example.org" in api.get(f"/v1/exports/{told}/content", headers=with_values).text
        assert problem(api.get(f"/v1/exports/{told}/content", headers=without)) == (403, "missing_scope")
        assert '"source_key":null' in api.get(f"/v1/exports/{hidden}/content", headers=without).text


def test_a_download_that_cannot_be_audited_is_refused(api: Api) -> None:
    headers = key(*ALL)
    export_id = begin(api, headers).json()["export_id"]
    work()
    with psycopg.connect(settings().require_database_url(), autocommit=True) as owner:
        owner.execute("REVOKE INSERT ON audit FROM mdm_app")
        try:
            assert problem(api.get(f"/v1/exports/{export_id}/content", headers=headers)) == (503, "audit_unavailable")
        finally:
            owner.execute("GRANT INSERT ON audit TO mdm_app")


def test_a_removed_or_expired_file_is_gone_and_an_export_under_way_is_cancelled(api: Api) -> None:
    headers = key(*ALL)
    removed, expired = begin(api, headers).json()["export_id"], begin(api, headers).json()["export_id"]
    work()
    waiting = begin(api, headers).json()["export_id"]
    query("UPDATE export SET expires_at = now() WHERE export_id = %s", uuid.UUID(expired))
    for export_id in (removed, removed, waiting):
        assert api.delete(f"/v1/exports/{export_id}", headers=headers).status_code == 204
    for export_id in (removed, expired):
        assert problem(api.get(f"/v1/exports/{export_id}/content", headers=headers)) == (410, "export_expired")
    assert [path.name.split(".")[0] for path in export_registry.folder().iterdir()] == [expired]
    assert api.get(f"/v1/exports/{waiting}", headers=headers).json()["state"] == "cancelled"
    with db.read_only() as session:
        assert export_registry.find(session, uuid.UUID(removed))[0].removed_at is not None


def consented(api: Api, golden_id: str, **more: Any) -> None:
    point = {"kind": "email", "value": MARIA["emails"][0]}
    own = {"origin": "subject", "notice": "terms 1", "contact_point": point, "golden_id": golden_id}
    said = {"state": "given", "purpose": "marketing", "channel": "email", "brand": "acme", **own, **more}
    (made,) = api.post("/v1/consents", json={"acts": [said]}, headers=key("consents:write")).json()["items"]
    assert made["status"] == "created"


def test_a_file_of_golden_values_says_whom_it_may_be_used_to_reach(api: Api) -> None:
    headers, maria = key(*ALL, "consents:check"), str(master.golden_of("shop", "1"))
    consented(api, maria)
    wish = {"kind": "golden", "fields": ["name.given"], "purpose": "marketing", "consent": {"channel": "email", "brand": "acme"}}
    begun = begin(api, headers, **wish).json()
    assert begun["consent"] == {"channel": "email", "brand": "acme"}
    consented(api, maria, state="withdrawn")  # The file is of when it is made, not of when it was asked for.
    consented(api, maria, channel="sms", contact_point={"kind": "phone", "value": MARIA["phones"][0]})
    by_sms = begin(api, headers, **{**wish, "consent": {"channel": "sms", "brand": "acme"}}).json()
    work()
    told = []
    for export_id in (begun["export_id"], by_sms["export_id"]):
        lines = api.get(f"/v1/exports/{export_id}/content", headers=headers).text.splitlines()
        rows = {row["name.given"]: row for row in map(orjson.loads, lines)}
        told.append([[rows[name][f"consent{what}"] for what in ("", "_reason", "_contact_points")] for name in ("Maria", "Otto")])
    assert told[0] == [["denied", "withdrawn", []], ["unknown", "not_held", []]]
    assert told[1] == [["allowed", "given", [MARIA["phones"][0]]], ["unknown", "not_held", []]]
    assert query("SELECT detail ->> 'asked' FROM audit WHERE action = 'consent.check'") == [("2",), ("2",)]
    assert problem(api.get(f"/v1/exports/{begun['export_id']}/content", headers=key(*ALL))) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("scopes", "wish", "refused"),
    [
        ((), {}, (403, "missing_scope")),
        (("consents:check",), {"purpose": None}, (422, "unknown_purpose")),
        (("consents:check",), {"consent": {"brand": "acme"}}, (422, "channel_missing")),
        (("consents:check",), {"consent": {"channel": "email", "brand": "nowhere"}}, (422, "unknown_brand")),
        (("consents:check",), {"kind": "crosswalk", "fields": None}, (422, "consent_does_not_fit")),
        (("consents:check",), {"consent": {"channel": "pigeon"}}, (422, "invalid_request")),
    ],
)
def test_what_cannot_be_asked_of_consent_begins_no_export(api: Api, scopes: Any, wish: Any, refused: Any) -> None:
    whole = {"kind": "golden", "fields": ["emails"], "purpose": "marketing", "consent": {"channel": "email"}, **wish}
    assert problem(begin(api, key(*ALL, *scopes), **whole)) == refused
