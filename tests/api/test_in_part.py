"""A customer of several brands: whoever sees some of them reads what their own records say, and nothing that others do."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.console.frame import COOKIE
from kernel import clock, db
from mdm import policy as policies
from stewardship import accounts
from webhooks import feed
from workers import sequencer
from workers.jobs import run_chunk

from ..resolution import MARIA, Master, golden_of, query
from .conftest import KeyMaker

OWN_EMAIL, FOREIGN_EMAIL = MARIA["emails"][0], "canary@other.es"
FOREIGN: dict[str, Any] = {
    **MARIA,
    "given_name": "Maria Zanahoria",
    "emails": [OWN_EMAIL, FOREIGN_EMAIL],
    "phones": [*MARIA["phones"], "+34600111222"],
    "addresses": [{"line1": "Calle Secreta 9", "city": "Madrid", "postal_code": "28013", "country": "ES"}],
}
CANARIES = re.compile("canary|Zanahoria|Secreta|600111222|KEY-OTHER", re.IGNORECASE)


@pytest.fixture
def customer(policy: policies.Policy) -> UUID:
    """One customer of the brands main and other, whose second record has more to say, and the last word."""
    master = Master(policy)
    master.put("pos", "1", MARIA)
    master.put("shop", "KEY-OTHER", FOREIGN)
    master.drain()
    golden_id = golden_of("pos", "1")
    assert golden_id is not None
    assert golden_id == golden_of("shop", "KEY-OTHER")
    return golden_id


@pytest.fixture
def api(key: KeyMaker) -> Iterator[TestClient]:
    with TestClient(create_app(), headers=key(brands=("main",))) as client:
        yield client


def asked(golden_id: UUID) -> dict[str, dict[str, Any]]:
    """Each way to read of the customer that answers one who sees a record of theirs."""
    view = {"view": "service"}
    return {
        "get": {"method": "GET", "url": f"/v1/golden/{golden_id}"},
        "batch": {"method": "POST", "url": "/v1/golden:batch-get", "json": {"ids": [str(golden_id)]}},
        "fields": {"method": "POST", "url": "/v1/golden:batch-get", "json": {"ids": [str(golden_id)], "fields": ["emails"]}},
        "lookup": {"method": "POST", "url": "/v1/lookup", "json": {"golden_id": str(golden_id), **view}},
        "identifier": {
            "method": "POST", "url": "/v1/lookup", "json": {"identifier": {"kind": "email", "value": OWN_EMAIL}, **view},
        },
        "match": {"method": "POST", "url": "/v1/match", "json": {"record": MARIA, "explain": True, **view}},
        "search": {"method": "POST", "url": "/v1/golden:search", "json": {"email": OWN_EMAIL}},
    }  # fmt: skip


def test_each_read_tells_what_the_records_of_ones_own_brands_say(api: TestClient, customer: UUID, key: KeyMaker) -> None:
    for name, request in asked(customer).items():
        answer = api.request(**request)
        assert answer.status_code == 200, (name, answer.text)
        assert not CANARIES.search(answer.text), (name, answer.text)
        assert OWN_EMAIL in answer.text or "Maria Garcia Lopez" in answer.text, (name, answer.text)
        whole = api.request(**request, headers=key())
        assert CANARIES.search(whole.text), (name, whole.text)
    golden = api.get(f"/v1/golden/{customer}").json()["golden"]
    assert [(one["source"], one["source_key"]) for one in golden["members"]] == [("pos", "1")]
    assert [one["value"] for one in golden["values"]["emails"]["value"]] == [OWN_EMAIL]


def test_nobody_is_found_by_what_only_a_foreign_record_says(api: TestClient, customer: UUID) -> None:
    for path, body in (
        ("/v1/golden:search", {"email": FOREIGN_EMAIL}),
        ("/v1/lookup", {"identifier": {"kind": "email", "value": FOREIGN_EMAIL}}),
        ("/v1/lookup", {"source_key": {"source": "shop", "key": "KEY-OTHER"}}),
    ):
        assert str(customer) not in api.post(path, json=body).text, path


def test_what_is_kept_whole_is_told_to_whoever_sees_the_whole(api: TestClient, customer: UUID, key: KeyMaker) -> None:
    at = clock.now().isoformat()
    masked = key("golden:read", "values:reveal", brands=("main",))
    requests: tuple[dict[str, Any], ...] = (
        {"method": "GET", "url": f"/v1/golden/{customer}/history"},
        {"method": "GET", "url": f"/v1/golden/{customer}", "params": {"as_of": at}},
        {"method": "POST", "url": f"/v1/golden/{customer}:reveal", "json": {"reason": "She called."}, "headers": masked},
    )
    for request in requests:
        answer = api.request(**request)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "outside_scope"), answer.text
        assert not CANARIES.search(answer.text)
        if "headers" not in request:
            assert api.request(**request, headers=key()).status_code == 200


def test_a_customer_whose_records_were_others_is_whole_again(api: TestClient, customer: UUID, policy: policies.Policy) -> None:
    """The present is the caller's own; the past is not, for as long as it is told."""
    master = Master(policy)
    master.put("shop", "KEY-OTHER", {"given_name": "Otto", "surname": "Becker", "emails": ["otto.becker@gmx.de"]})
    master.drain()
    assert golden_of("shop", "KEY-OTHER") != customer
    assert api.get(f"/v1/golden/{customer}").status_code == 200
    assert api.get(f"/v1/golden/{customer}/history").status_code == 403


@pytest.mark.parametrize("kind", ["golden", "changed-since"])
def test_a_file_of_one_brand_says_what_its_records_say(api: TestClient, customer: UUID, key: KeyMaker, kind: str) -> None:
    with db.read_only() as session:
        log = feed.log(session)
    sequencer.number_all()
    wish = {"kind": kind, "format": "ndjson", "fields": ["name.given", "emails", "display_name"]}
    after = {"after": log.cursor(0)} if kind == "changed-since" else {}
    for headers, tells_all in ((dict(api.headers), False), (key(), True)):
        begun = api.post("/v1/exports", json={**wish, **after}, headers=headers).json()
        for (chunk,) in query("SELECT chunk_id::text FROM job_chunk WHERE state = 'queued'"):
            run_chunk(chunk)
        told = api.get(f"/v1/exports/{begun['export_id']}/content", headers=headers)
        assert str(customer) in told.text, told.text
        assert (OWN_EMAIL in told.text, bool(CANARIES.search(told.text))) == (True, tells_all), told.text


@pytest.mark.parametrize("role", ["senior_steward", "auditor"])
def test_a_steward_of_one_brand_sees_a_page_made_of_their_records(customer: UUID, role: str) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ana", brands=["main"], password="correct horse battery")
        accounts.give_role(session, "test", "ana", role)
        cookie = {"cookie": f"{COOKIE}={accounts.begin(session, 'ana')}"}
    with TestClient(create_app(), headers=cookie) as browser:
        page = browser.get(f"/console/customers/{customer}")
        assert page.status_code == 200, page.text
        assert not CANARIES.search(page.text), page.text
        assert "beyond your brands" in page.text
        assert ("Calle Mayor" in page.text) == (role == "senior_steward")
        assert browser.get(f"/console/customers/{customer}?as_of={clock.now():%Y-%m-%dT%H:%M}").status_code in {403, 404}
