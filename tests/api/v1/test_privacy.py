"""Requests about people's data over HTTP: opened, checked, answered, looked at, confirmed, and carried out by a worker."""

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import actor, db, jobs, outbox
from kernel.settings import configure, settings
from mdm import chunks, export_rows, sql
from mdm import policy as policies
from stewardship import privacy_confirming, privacy_ledger
from webhooks import endpoints

from ...resolution import MARIA, Master, golden_of, query

PATH = "/v1/privacy-requests"
PROBLEM = "urn:customer-master:problem:"
BERTA: dict[str, Any] = {
    "given_name": "Berta",
    "surname": "Quintana",
    "birth_date": "1961-05-05",
    "emails": ["berta@telefonica.net"],
}


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    return with_people(policy)


def with_people(policy: policies.Policy) -> Master:
    """Maria at the till and by mail, Berta in the shop."""
    made = Master(policy)
    made.put("pos", "1", MARIA)
    made.put("mail", "2", MARIA)
    made.put("shop", "3", BERTA)
    made.drain()
    return made


def send(api: TestClient, path: str, body: Any = None, **more: Any) -> Any:
    answer = api.post(path, json=body, **more)
    assert answer.status_code < 300, answer.text
    return answer.json()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEM)


def opened(api: TestClient, golden_id: Any, kind: str = "erasure") -> str:
    request_id = send(api, PATH, {"kind": kind, "golden_id": str(golden_id)})["request_id"]
    send(api, f"{PATH}/{request_id}:check-identity", {"outcome": "passed", "method": "id_document"})
    return str(request_id)


def confirm(api: TestClient, request_id: str, **more: Any) -> Any:
    token = send(api, f"{PATH}/{request_id}:preview")["preview_token"]
    return api.post(f"{PATH}/{request_id}:confirm", json={"confirm": True, "preview_token": token}, **more)


def work() -> None:
    """Do what a worker does with the open erasures."""
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "test", [privacy_confirming.KIND])
    assert claim is not None
    chunks.take(db.transaction, privacy_confirming.CHUNKS, claim)


def test_a_person_is_erased_by_two_steps(api: TestClient, mdm: Master) -> None:
    golden_id = golden_of("pos", "1")
    request_id = opened(api, golden_id)
    seen = send(api, f"{PATH}/{request_id}:preview")
    assert seen["blocked"] == []
    assert seen["golden_ids"] == [str(golden_id)]
    assert (seen["rows"]["standard_record"], seen["rows"]["record_data_key"]) == (2, 2)
    assert api.post(f"{PATH}/{request_id}:confirm", json={"confirm": True}).status_code == 428
    assert confirm(api, request_id).status_code == 202
    work()
    done = api.get(f"{PATH}/{request_id}").json()
    assert (done["state"], done["result"]["removed"]["records"]) == ("done", 2)
    assert code(api.get(f"/v1/golden/{golden_id}")) == (410, "golden_erased")
    assert mdm.verify(deep=True).differences == ()


def test_what_was_seen_must_still_be_so(api: TestClient, mdm: Master) -> None:
    request_id = opened(api, golden_of("pos", "1"))
    token = send(api, f"{PATH}/{request_id}:preview")["preview_token"]
    mdm.put("pos", "1", MARIA | {"language": "es"})
    mdm.drain()
    body = {"confirm": True, "preview_token": token}
    assert code(api.post(f"{PATH}/{request_id}:confirm", json=body)) == (412, "preview_outdated")


@pytest.mark.parametrize(
    ("act", "body", "because"),
    [
        ("hold", {"because": "legal_claim"}, "legal_hold"),
        ("check-identity", {"outcome": "failed", "method": "in_store"}, "identity_not_checked"),
    ],
)
def test_nothing_is_erased_while_something_bars_it(api: TestClient, mdm: Master, act: str, body: Any, because: str) -> None:
    request_id = opened(api, golden_of("pos", "1"))
    send(api, f"{PATH}/{request_id}:{act}", body)
    refused = confirm(api, request_id)
    assert code(refused) == (409, "erasure_blocked")
    assert refused.json()["because"] == [because]


def test_two_persons_confirm_where_two_are_needed(api: TestClient, mdm: Master, key: Any) -> None:
    configure(settings().model_copy(update={"erasure_approvals": 2}))
    try:
        request_id = opened(api, golden_of("pos", "1"))
        assert confirm(api, request_id).json()["state"] == "open"
        assert confirm(api, request_id).json()["state"] == "open"
        (proposal,) = api.get("/v1/approvals").json()["items"]
        assert (proposal["kind"], proposal["about"]["request_id"]) == ("erasure", request_id)
        assert confirm(api, request_id, headers=key()).json()["state"] == "confirmed"
    finally:
        configure(settings().model_copy(update={"erasure_approvals": 1}))


def match(api: TestClient, mdm: Master, left: dict[str, Any]) -> None:
    """Have a steward merge Berta with somebody."""
    right = {"records": [{"source": "shop", "key": "3"}]}
    body = {"verdict": "match", "left": left, "right": right, "reason": "Said Berta Quintana on the phone."}
    token = send(api, "/v1/decisions?dry_run=true", body)["preview_token"]
    send(api, "/v1/decisions", body | {"preview_token": token})
    mdm.drain()


def test_whoever_joins_before_the_erasure_must_be_answered_for(api: TestClient, mdm: Master) -> None:
    """Split from Berta, the record at the till lives with the one by mail again, of which nobody was asked: nothing is erased."""
    match(api, mdm, {"records": [{"source": "pos", "key": "1"}]})
    maria, berta = golden_of("pos", "1"), query("SELECT record_id FROM crosswalk WHERE source_key = '3'")[0][0]
    assert golden_of("mail", "2") != maria
    request_id = opened(api, maria)
    send(api, f"{PATH}/{request_id}:answer", {"members": [{"record_id": str(berta), "belongs": False}]})
    confirm(api, request_id)
    work()
    again = api.get(f"{PATH}/{request_id}").json()
    assert (again["state"], {one["source"] for one in again["members"]}) == ("open", {"pos", "mail"})
    assert confirm(api, request_id).status_code == 202
    work()
    assert code(api.get(f"/v1/golden/{maria}")) == (410, "golden_erased")
    assert mdm.verify(deep=True).differences == ()


def test_a_false_merge_discloses_and_erases_nothing_of_the_other(api: TestClient, mdm: Master) -> None:
    """A steward once merged Berta with Maria: her record is answered with no, split off, and stands as it was."""
    match(api, mdm, {"golden_id": str(golden_of("pos", "1"))})
    maria, berta = golden_of("pos", "1"), query("SELECT record_id FROM crosswalk WHERE source_key = '3'")[0][0]
    assert golden_of("shop", "3") == maria
    request_id = opened(api, maria)
    assert send(api, f"{PATH}/{request_id}:preview")["blocked"] == ["members_unanswered"]
    send(api, f"{PATH}/{request_id}:answer", {"members": [{"record_id": str(berta), "belongs": False}]})
    assert confirm(api, request_id).status_code == 202
    work()
    mdm.drain()
    live = api.get(f"/v1/golden/{golden_of('shop', '3')}").json()
    assert live["status"] == "live"
    assert live["golden"]["values"]["name"]["value"]["surname"] == "Quintana"
    assert "Garcia" not in str(query("SELECT body FROM golden_version"))
    assert query("SELECT count(*) FROM decision WHERE reason IS NOT NULL") == [(0,)]
    assert api.get(f"{PATH}/{request_id}").json()["state"] == "done"
    assert mdm.verify(deep=True).differences == ()


def test_who_may_not_see_all_of_a_person_has_nothing_erased(api: TestClient, mdm: Master, key: Any) -> None:
    body = {"kind": "erasure", "golden_id": str(golden_of("pos", "1"))}
    assert code(api.post(PATH, json=body, headers=key(brands=("other",)))) == (403, "outside_scope")
    request_id = opened(api, golden_of("pos", "1"))
    assert api.get(f"{PATH}/{request_id}", headers=key(brands=("other",))).status_code == 404


def test_one_request_of_a_kind_at_a_time(api: TestClient, mdm: Master) -> None:
    first = opened(api, golden_of("pos", "1"))
    again = api.post(PATH, json={"kind": "erasure", "golden_id": str(golden_of("pos", "1"))})
    assert (again.status_code, again.json()["request_id"]) == (409, first)
    send(api, f"{PATH}/{first}:refuse", {"because": "withdrawn_by_person"})
    assert uuid.UUID(opened(api, golden_of("pos", "1")))
    assert len(send_list(api)) == 2


def send_list(api: TestClient) -> list[Any]:
    return list(api.get(PATH).json()["items"])


def test_a_month_is_counted_as_the_law_does(api: TestClient, mdm: Master) -> None:
    body = {"kind": "access", "golden_id": str(golden_of("pos", "1")), "received_at": "2026-01-31T12:00:00Z"}
    made = send(api, PATH, body)
    assert (made["due_at"], made["is_overdue"]) == ("2026-02-28T12:00:00+00:00", True)
    longer = send(api, f"{PATH}/{made['request_id']}:extend")
    assert longer["due_at"] == "2026-04-30T12:00:00+00:00"
    assert api.post(f"{PATH}/{made['request_id']}:extend").status_code == 409


def test_no_row_of_an_erasure_holds_a_value(api: TestClient, mdm: Master) -> None:
    confirm(api, opened(api, golden_of("pos", "1")))
    work()
    with db.transaction() as session:
        said = str(sql.rows(session, "SELECT body FROM erasure")) + privacy_ledger.path().read_text()
    assert "garcia" not in said.lower()
    assert "655872310" not in said


def exported(api: TestClient, golden_id: Any, **more: Any) -> Any:
    request_id = opened(api, golden_id, "access")
    for one in api.get(f"{PATH}/{request_id}").json()["members"]:
        said = {"members": [{"record_id": one["record_id"], "belongs": one["source"] != "shop"}]}
        send(api, f"{PATH}/{request_id}:answer", said)
    answer = api.get(f"{PATH}/{request_id}/export", **more)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_person_is_told_all_that_is_held(api: TestClient, mdm: Master) -> None:
    golden_id = golden_of("pos", "1")
    assert api.get(f"/v1/golden/{golden_id}").status_code == 200
    said = exported(api, golden_id).json()
    assert [one["versions"][0]["sent"] for one in said["records"]] == [MARIA, MARIA]
    (golden,) = said["golden_records"]
    assert golden["values"]["name"]["value"]["surname"] == "Garcia Lopez"
    assert golden["values"]["name"]["provenance"]["source"]
    assert len(said["decisions"]) == 1
    assert said["decisions"][0].endswith(" are the same customer, by evidence of 58.7 bits.")
    assert {one["act"] for one in said["accesses"]} >= {"golden.read"}
    assert said["request"]["due_at"] > said["request"]["received_at"]
    assert "crosswalk_version" in said["other"]


def test_the_page_holds_the_values_escaped_and_loads_nothing(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", MARIA | {"surname": "Garcia <b>Lopez</b>"})
    mdm.drain()
    answer = exported(api, golden_of("pos", "1"), params={"format": "html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "Calle Mayor 5" in answer.text
    assert "&lt;b&gt;" in answer.text
    assert "<b>" not in answer.text
    assert "src=" not in answer.text


def test_a_false_merge_discloses_nothing_of_the_other(api: TestClient, mdm: Master) -> None:
    match(api, mdm, {"golden_id": str(golden_of("pos", "1"))})
    answer = exported(api, golden_of("pos", "1"))
    assert "uintana" not in answer.text
    assert "berta@" not in answer.text
    assert answer.json()["withheld"]["records_of_others"] == 1


def test_nothing_is_disclosed_before_the_identity_is_checked(api: TestClient, mdm: Master) -> None:
    request_id = send(api, PATH, {"kind": "access", "golden_id": str(golden_of("pos", "1"))})["request_id"]
    assert code(api.get(f"{PATH}/{request_id}/export")) == (409, "export_blocked")
    send(api, f"{PATH}/{request_id}:check-identity", {"outcome": "passed", "method": "signed_in"})
    assert api.get(f"{PATH}/{request_id}/export").status_code == 200
    assert send(api, f"{PATH}/{request_id}:complete")["state"] == "done"


def restricted(api: TestClient, golden_id: Any) -> str:
    request_id = opened(api, golden_id, "restriction")
    assert send(api, f"{PATH}/{request_id}:complete")["state"] == "done"
    return request_id


def looked_up(api: TestClient) -> tuple[str, str | None]:
    body = {"identifier": {"kind": "email", "value": MARIA["emails"][0]}, "view": "service"}
    found = api.post("/v1/lookup", json=body).json()
    return found["result"], found.get("reason")


def consent_answers(api: TestClient, golden_id: Any) -> list[tuple[str, str]]:
    """What checks of consent say of a customer: by golden id, by a record, and by a contact point alone."""
    whom = (
        {"golden_id": str(golden_id)},
        {"record": {"source": "pos", "key": "1"}},
        {"contact_point": {"kind": "email", "value": MARIA["emails"][0]}},
    )
    checks = [{"purpose": "marketing", "channel": "email", "brand": "main", **one} for one in whom]
    items = api.post("/v1/consent-checks", json={"checks": checks}).json()["items"]
    return [(one["answer"], one["reason"]) for one in items]


def test_whose_use_is_restricted_is_answered_by_nothing(api: TestClient, mdm: Master) -> None:
    golden_id = golden_of("pos", "1")
    assert looked_up(api) == ("found", None)
    request_id = restricted(api, golden_id)
    assert looked_up(api) == ("none", "use_restricted")
    match = {"record": MARIA, "source": "pos"}
    assert [one["golden_id"] for one in api.post("/v1/match", json=match).json()["candidates"]] == []
    with db.read_only(db.Role.APP, db.Scope(), snapshot=True) as session:
        _, portions = export_rows.rows(session, export_rows.Extent("golden", ("name",)))
        told = [row[0] for portion in portions for row in portion]
    assert told == [str(golden_of("shop", "3"))]
    assert set(consent_answers(api, golden_id)) == {("denied", "use_restricted")}
    send(api, f"{PATH}/{request_id}:lift")
    assert looked_up(api) == ("found", None)
    assert ("denied", "use_restricted") not in consent_answers(api, golden_id)
    assert api.post(f"{PATH}/{request_id}:lift").status_code == 409


def test_a_restriction_goes_along_when_records_merge(api: TestClient, mdm: Master) -> None:
    restricted(api, golden_of("shop", "3"))
    match(api, mdm, {"golden_id": str(golden_of("pos", "1"))})
    assert looked_up(api) == ("none", "use_restricted")


def test_a_correction_is_told_to_the_source_that_holds_the_old_value(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", MARIA | {"emails": ["maria.garcia@telefonica.net"], "language": "en"})
    mdm.put("mail", "2", MARIA | {"language": "es"})
    mdm.drain()
    golden_id = golden_of("pos", "1")
    wish = {"attribute": "language", "value": "es", "reason": "She said so."}
    token = send(api, f"/v1/golden/{golden_id}/overrides?dry_run=true", wish)["preview_token"]
    send(api, f"/v1/golden/{golden_id}/overrides", wish | {"preview_token": token})
    mdm.drain()
    request_id = opened(api, golden_id, "correction")
    done = send(api, f"{PATH}/{request_id}:correct", {"attribute": "language"})
    told = query("SELECT body, sources FROM outbox WHERE type = 'record.correction_wanted'")
    assert [(body["attribute"], sources) for body, sources in told] == [("language", ["pos"])]
    assert (done["state"], done["result"]["records"]) == ("done", [told[0][0]["record_id"]])


def test_who_has_applied_an_erasure_is_told(api: TestClient, mdm: Master) -> None:
    golden_id = golden_of("pos", "1")
    request_id = opened(api, golden_id)
    confirm(api, request_id)
    work()
    with db.transaction() as session:
        endpoints.create(session, actor.local("test"), endpoints.Wish("https://93.184.216.34/hook"))
        outbox.number(session)
    query("UPDATE webhook_endpoint SET reached_seq = 0")
    query(
        """INSERT INTO webhook_delivery (endpoint_id, seq, subject_id)
           SELECT endpoint_id, seq, subject_id FROM webhook_endpoint, event WHERE type = 'golden.erased'"""
    )
    waits = api.get(f"{PATH}/{request_id}").json()["acknowledged"]
    assert (waits["told"], waits["applied"], len(waits["waiting"])) == (1, 0, 1)
    query("UPDATE webhook_endpoint SET applied_seq = (SELECT max(seq) FROM event)")
    assert api.get(f"{PATH}/{request_id}").json()["acknowledged"] == {"told": 1, "applied": 1, "waiting": []}
