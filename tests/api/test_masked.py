"""Canaries: a customer whose every value is recognisable, and nothing of it in what masked roles are answered, whichever way.

Each way is asked by a role that sees clear values as well, so that a canary which was never there proves nothing.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.console.frame import COOKIE
from kernel import actor, clock, db, log
from kernel.settings import configure, settings
from mdm import policy as policies
from mdm.masking import Masker
from stewardship import accounts
from workers.jobs import run_chunk

from ..resolution import Master, golden_of, query

PERSON = {
    "given_name": "Canarygiven",
    "surname": "Canarysurname",
    "birth_date": "1984-03-12",
    "gender": "female",
    "emails": ["canarybox@canarydomain.net"],
    "phones": ["+34655872310"],
    "addresses": [{"line1": "Canarystreet 5", "city": "Madrid", "postal_code": "28013", "country": "ES"}],
    "identifiers": [{"type": "national_id", "value": "12345678Z", "issuer": "ES"}],
    "loyalty_accounts": [{"programme": "main", "number": "4000123456789"}],
    "extras": {"segment": "canarysegment"},
}
CANARY = re.compile(r"canary|6558723|655 87 23|-03-12|8013|12345678|400012345|female", re.IGNORECASE)
MASKED = ("data_engineer", "auditor")
Ask = Callable[[str], Any]


@pytest.fixture
def golden_id(policy: policies.Policy) -> str:
    mdm = Master(policy)
    mdm.put("pos", "1", PERSON)
    mdm.put("pos", "2", {**PERSON, "given_name": "Canarygivenname", "phones": ["+34655872311"]})
    mdm.put("mail", "canarybox@canarydomain.net", PERSON)
    mdm.drain()
    found = golden_of("pos", "1")
    assert found is not None
    return str(found)


@pytest.fixture
def client(policy: policies.Policy) -> Iterator[TestClient]:
    with TestClient(create_app()) as made:
        yield made


def key_of(role: str, *scopes: str, kind: str = actor.SERVICE) -> dict[str, str]:
    with db.transaction() as session:
        _, text = actor.create_key(session, role, scopes, None, None, None, role, kind)
    return {"authorization": f"Bearer {text}"}


def ways(client: TestClient, golden_id: str) -> dict[str, Callable[[dict[str, str]], Any]]:
    """Every way in which v1 shows values of a golden record or of a record."""
    at, post = f"/v1/golden/{golden_id}", client.post
    full = {"record": PERSON, "view": "service", "explain": True}
    now = {"as_of": clock.now().isoformat()}
    fields = ["display_name", "name", "emails", "birth_date", "extras.segment", "address"]
    return {
        "get": lambda headers: client.get(at, headers=headers),
        "get as of": lambda headers: client.get(at, headers=headers, params=now),
        "batch": lambda headers: post("/v1/golden:batch-get", json={"ids": [golden_id]}, headers=headers),
        "fields": lambda headers: post("/v1/golden:batch-get", json={"ids": [golden_id], "fields": fields}, headers=headers),
        "search": lambda headers: post("/v1/golden:search", json={"email": PERSON["emails"][0]}, headers=headers),
        "history": lambda headers: client.get(f"{at}/history", headers=headers),
        "why name": lambda headers: client.get(f"{at}/attributes/name/why", headers=headers),
        "why emails": lambda headers: client.get(f"{at}/attributes/emails/why", headers=headers),
        "lookup": lambda headers: post("/v1/lookup", json={"golden_id": golden_id, "view": "service"}, headers=headers),
        "match": lambda headers: post("/v1/match", json=full, headers=headers),
        "record": lambda headers: client.get("/v1/sources/pos/records/1", headers=headers),
        "duplicates": lambda headers: client.get("/v1/sources/pos/duplicates", headers=headers),
        "as csv": lambda headers: client.get("/v1/sources/pos/duplicates", headers={**headers, "accept": "text/csv"}),
        "consents": lambda headers: client.get(f"{at}/consents", headers=headers),
    }


def test_no_way_of_v1_shows_a_canary_to_a_masked_role(client: TestClient, golden_id: str) -> None:
    consent = {"state": "given", "purpose": "marketing", "channel": "email", "record": {"source": "pos", "key": "1"}}
    point = {"contact_point": {"kind": "email", "value": PERSON["emails"][0]}, "method": "form", "evidence": {"notice": "v1"}}
    client.post("/v1/consents", json={"acts": [{**consent, **point}]}, headers=key_of("privacy_officer"))
    client.post(
        "/v1/consents",
        json={"acts": [{**consent, "state": "withdrawn", "contact_point": point["contact_point"]}]},
        headers=key_of("privacy_officer"),
    )
    clear = key_of("privacy_officer", "lookup", "match")
    callers = {role: key_of(role, "lookup", "match", "consents:read", "golden:read", "records:read") for role in MASKED}
    callers["agent"] = key_of("senior_steward", kind=actor.AGENT)
    for name, ask in ways(client, golden_id).items():
        seen = ask(clear)
        assert (seen.status_code, bool(CANARY.search(seen.text))) == (200, True), (name, seen.text)
        for role, headers in callers.items():
            answer = ask(headers)
            assert answer.status_code == 200, (name, role, answer.text)
            assert not CANARY.search(answer.text), (name, role, answer.text)


def test_a_masked_golden_record_is_recognised_by_whoever_knows_it(client: TestClient, golden_id: str) -> None:
    shown = client.get(f"/v1/golden/{golden_id}", headers=key_of("auditor")).json()["golden"]
    values = {name: held["value"] for name, held in shown["values"].items()}
    assert values["name"]["surname"] == "C•••"
    assert values["emails"][0]["value"] == "c•••@c•••"
    assert values["phones"][0]["value"] == "•••10"
    assert (values["birth_date"], values["address"]["city"], values["address"]["postal_code"]) == (
        "1984-••-••",
        "Madrid",
        "28•••",
    )
    assert {one["source"] for one in shown["members"]} == {"pos", "mail"}
    assert {one["source_key"] for one in shown["members"]} == {"1", "2", "•••"}, "a source whose keys are personal"


@pytest.mark.parametrize("file_format", ["csv", "ndjson", "parquet"])
def test_the_export_of_a_masked_role_is_masked_and_a_clear_one_is_not_theirs(
    file_format: str, client: TestClient, golden_id: str
) -> None:
    wish = {
        "kind": "golden",
        "format": file_format,
        "fields": ["display_name", "name.given", "emails", "birth_date", "extras.segment"],
    }
    files = {}
    for role, headers in {"data_engineer": key_of("data_engineer"), "senior_steward": key_of("senior_steward")}.items():
        begun = client.post("/v1/exports", json=wish, headers=headers).json()
        for (chunk,) in query("SELECT chunk_id::text FROM job_chunk WHERE state = 'queued'"):
            run_chunk(chunk)
        files[role] = f"/v1/exports/{begun['export_id']}/content", headers
    texts = {role: _text(client.get(path, headers=headers).content, file_format) for role, (path, headers) in files.items()}
    assert CANARY.search(texts["senior_steward"])
    assert not CANARY.search(texts["data_engineer"])
    assert "1984-••-••" in texts["data_engineer"]
    refused = client.get(files["senior_steward"][0], headers=files["data_engineer"][1])
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "clear_values_needed")


def _text(content: bytes, file_format: str) -> str:
    if file_format == "parquet":
        return str(pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist())
    if file_format == "csv":
        return str(list(csv.reader(io.StringIO(content.decode()))))
    return str([orjson.loads(line) for line in content.splitlines()])


def test_what_is_signed_is_refused_rather_than_shown_with_holes(client: TestClient, golden_id: str) -> None:
    acts = {"acts": [{"state": "withdrawn", "purpose": "marketing", "channel": "email", "record": {"source": "pos", "key": "1"}}]}
    made = client.post("/v1/consents", json=acts, headers=key_of("privacy_officer")).json()["items"][0]
    answer = client.get(f"/v1/consents/{made['entry_id']}/receipt", headers=key_of("auditor"))
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "clear_values_needed")


@pytest.mark.usefixtures("logging_as_it_was")
def test_events_and_logs_hold_no_canary(client: TestClient, golden_id: str, capfd: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True, level="DEBUG")
    headers = key_of("data_engineer")
    for ask in ways(client, golden_id).values():
        ask(headers)
    client.put("/v1/sources/pos/records/1", json={**PERSON, "birth_date": {"canary": 1}}, headers=headers)
    client.post("/v1/golden:search", json={"email": "canarybox@"}, headers=headers)
    written = capfd.readouterr()
    told = (
        query("SELECT body::text FROM outbox") + query("SELECT body::text FROM event") + query("SELECT detail::text FROM audit")
    )
    assert told
    assert not CANARY.search(" ".join(text for (text,) in told))
    assert not CANARY.search(written.out + written.err)


@pytest.fixture
def signed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], TestClient]:
    """Sign the client in as somebody of a role."""
    monkeypatch.setattr(accounts, "COST", (2**4, 8, 1))

    def sign(role: str) -> TestClient:
        with db.transaction() as session:
            accounts.add(session, "test", role, scopes=(), password="correct horse battery")
            accounts.give_role(session, "test", role, role)
            token = accounts.begin(session, role)
        client.cookies.clear()
        client.cookies.set(COOKIE, token, path="/console")
        return client

    return sign


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


def test_the_console_shows_a_masked_role_no_canary_until_it_says_why(signed: Any, golden_id: str) -> None:
    browser = signed("data_engineer")
    at = f"/console/customers/{golden_id}"
    form = browser.get("/console/customers").text
    found = browser.post("/console/customers", data={**hidden(form), "postal_code": "28013", "country": "ES"}).text
    page = browser.get(at).text
    assert "C••• C•••" in page
    assert "C•••" in found
    assert not CANARY.search(page + found.replace("28013", ""))
    assert "Set a value by hand" not in page
    refused = browser.post(f"{at}/reveal", data={**hidden(page), "reason": " "})
    assert (refused.status_code, bool(CANARY.search(refused.text))) == (422, False)
    revealed = browser.post(f"{at}/reveal", data={**hidden(page), "reason": "Their import maps names wrongly."})
    assert (revealed.status_code, "Canarysurname" in revealed.text) == (200, True)
    assert query("SELECT actor, object_id, purpose FROM audit WHERE action = 'golden.revealed'") == [
        ("user:data_engineer", golden_id, "Their import maps names wrongly.")
    ]
    assert not CANARY.search(browser.get(at).text)


def test_a_role_without_the_permission_has_no_button_and_reveals_nothing(signed: Any, golden_id: str) -> None:
    browser = signed("auditor")
    page = browser.get(f"/console/customers/{golden_id}").text
    assert "as they are" not in page
    assert browser.post(f"/console/customers/{golden_id}/reveal", data={**hidden(page), "reason": "I may."}).status_code == 403
    assert browser.get("/console/tasks").status_code == 403
    assert browser.get("/console").url.path == "/console/customers"


def test_whoever_decides_must_see_clear_values(client: TestClient, signed: Any, golden_id: str) -> None:
    """Two values that differ may look the same under their masks: a masked account with the scope decides nothing here."""
    browser = signed("auditor")
    query("UPDATE user_account SET scopes = '{decisions:write}'")
    assert browser.get("/console/tasks").status_code == 403


def test_revealing_is_audited_within_the_scope_and_so_many_in_an_hour(client: TestClient, golden_id: str, time: Any) -> None:

    before = settings()
    configure(before.model_copy(update={"reveals_per_hour": 2}))
    headers = key_of("data_engineer")

    def ask(**body: Any) -> Any:
        return client.post(f"/v1/golden/{golden_id}:reveal", json={"reason": "She called.", **body}, headers=headers)

    try:
        assert ask(attributes=["shoe_size"]).status_code == 422
        assert ask(attributes=["emails"]).json()["values"] == {
            "emails": [{"value": PERSON["emails"][0], "primary": True, "verified": False}]
        }
        assert "name" in ask().json()["values"]
        refused = ask()
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (429, "reveals_used_up")
        assert 3_500 < int(refused.headers["retry-after"]) <= 3_600
        time(timedelta(hours=1, seconds=1))
        assert ask().status_code == 200
    finally:
        configure(before)
    told = query("SELECT object_id, purpose, detail FROM audit WHERE action = 'golden.revealed' ORDER BY audit_id")
    assert len(told) == 3
    assert told[0] == (golden_id, "She called.", {"attributes": ["emails"]})


def test_a_key_of_another_brand_reveals_nothing(client: TestClient, golden_id: str) -> None:
    with db.transaction() as session:
        _, text = actor.create_key(session, "x", (), ("other",), None, None, "data_engineer")
    answer = client.post(
        f"/v1/golden/{golden_id}:reveal", json={"reason": "Why not."}, headers={"authorization": f"Bearer {text}"}
    )
    assert answer.status_code == 404
    assert query("SELECT count(*) FROM reveal") == [(0,)], "what is refused is not counted"


def test_a_till_with_the_role_asks_one_question_of_whoever_may_be_meant(client: TestClient, policy: policies.Policy) -> None:
    """No name, no view, no evidence of a `possible` one; a key without a role is answered as before."""
    mdm = Master(policy)
    mdm.put("pos", "1", {**PERSON, "emails": [], "identifiers": [], "loyalty_accounts": []})
    mdm.drain()
    record = {"given_name": "Canarygiven", "surname": "Canarysurname"}
    body = {"record": record, "view": "service", "explain": True}
    tills = key_of("lookup", "match:explain"), key_of("steward")
    asked, told = (client.post("/v1/match", json=body, headers=headers).json() for headers in tills)
    assert (asked["certainty"], told["certainty"]) == ("possible", "possible"), told
    assert asked["ask"] == {"of": "birth_date", "part": "month", "words": "In which month is the customer's birthday?"}
    assert asked["candidates"] == [{key: told["candidates"][0][key] for key in ("golden_id", "certainty", "records")}]
    assert told["candidates"][0]["view"]["display_name"] == "Canarygiven Canarysurname"
    assert "ask" not in told


def answered() -> Iterator[tuple[str, str, list[Any]]]:
    """Every member of every answer that the document knows: its schema, its name, and how its value is described."""
    document = create_app().openapi()
    schemas, seen = document["components"]["schemas"], set[str]()
    waiting = [one["responses"] for path in document["paths"].values() for one in path.values()]
    while waiting:
        for found in set(re.findall(r"'#/components/schemas/(\w+)'", str(waiting.pop()))) - seen:
            seen.add(found)
            waiting.append(schemas[found])
            for called, described in schemas[found].get("properties", {}).items():
                ways = (described, described.get("items", {}), *described.get("anyOf", ()))
                yield found, called, [schemas.get(one.get("$ref", "").rpartition("/")[2], one) for one in ways]


def test_what_may_only_be_one_of_a_list_is_shown_to_everybody() -> None:
    """It tells of nobody, and a reader who was promised one of them breaks on another."""
    chosen = {
        (schema, name, value)
        for schema, name, ways in answered()
        for way in ways
        for value in (*way.get("enum", ()), *([way["const"]] if "const" in way else ()))
        if isinstance(value, str)
    }
    assert len({one[:2] for one in chosen}) > 50
    assert sorted(one for one in chosen if Masker().mask({one[1]: one[2]}) != {one[1]: one[2]}) == []
