"""The quality of a source over HTTP: the worst first, examples masked and audited, nobody else's source."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from kernel.actor import Principal
from mdm import ingest, quality_breaches
from mdm import policy as policies
from mdm.incoming import Incoming
from mdm.quality_examples import mask

WRITER = Principal("k", "test", frozenset({"records:write"}), db.Scope())
PEOPLE = [
    {"given_name": "Maria", "surname": "Garcia", "emails": ["maria@telefonica"], "birth_date": "31.02.1985", "hobby": "chess"},
    {"given_name": "Ugo", "surname": "Tassi", "emails": ["ugo@tassi.it"], "phones": ["0000000"]},
    {"given_name": "Ann", "surname": "Lee", "emails": ["ann@lee.org"]},
]


@pytest.fixture
def filled(policy: policies.Policy) -> None:
    with db.transaction() as session:
        ingest.put_records(session, policy, "pos", [Incoming(str(n), one) for n, one in enumerate(PEOPLE)], WRITER)
    quality_breaches.run(db.transaction)


def read(api: TestClient, source: str = "pos", **query: Any) -> dict[str, Any]:
    answer = api.get(f"/v1/sources/{source}/quality", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fields(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["field"]: one for one in found["fields"]}


@pytest.mark.usefixtures("filled")
def test_figures_stand_with_the_worst_field_first(api: TestClient) -> None:
    found = read(api)
    assert (found["source"], found["records"], found["received_on_day"], found["stage"]) == ("pos", 3, 3, "live")
    assert {one["field"] for one in found["fields"][:3]} == {"emails", "birth_date", "phones"}
    emails = fields(found)["emails"]
    assert (emails["complete"], emails["valid"], emails["unique"], emails["said"]) == (0.6667, 0.6667, 1.0, 3)
    assert emails["faults"] == [{"code": "invalid", "records": 1}]
    assert fields(found)["phones"]["complete"] == 0.0
    assert found["unmapped"] == [{"field": "(other fields)", "records": 1}]
    assert [day["records"] for day in found["trend"]] == [3]


@pytest.mark.usefixtures("filled")
def test_examples_are_masked_and_each_record_opened_is_audited(api: TestClient, goldens: Any) -> None:
    found = fields(read(api, examples=True))
    shown = {fault["code"]: fault["examples"] for one in found.values() for fault in one["faults"]}
    assert shown["invalid"] == ["m***@t***"]
    assert shown["invalid_day"] == ["3***.0***.1***"]
    assert shown["dummy"] == ["0***"]
    audited = [row for row in goldens.audit() if row[0] == "quality.example"]
    assert len(audited) == 2  # Two records were opened, one of them for two faults.
    assert {row[1] for row in audited} == {"record"}


@pytest.mark.usefixtures("filled")
def test_without_examples_nothing_is_opened(api: TestClient, goldens: Any) -> None:
    text = str(read(api))
    assert [row for row in goldens.audit() if row[0] == "quality.example"] == []
    assert [word for word in ("maria", "Garcia", "chess", "1985") if word in text] == []


@pytest.mark.usefixtures("filled")
def test_what_was_never_measured_is_not_known_and_not_zero(api: TestClient) -> None:
    found = read(api, "shop")
    assert (found["measured_at"], found["records"], found["timeliness"], found["fields"], found["trend"]) == (None,) * 3 + (
        [],
        [],
    )


@pytest.mark.usefixtures("filled")
def test_another_brands_source_is_not_there(api: TestClient, key: Callable[..., dict[str, str]]) -> None:
    foreign = api.get("/v1/sources/pos/quality", headers=key("records:read", brands=("other",)))
    assert (foreign.status_code, foreign.json()["type"]) == (404, "urn:customer-master:problem:unknown_source")
    assert "pos" not in foreign.json()["sources"]
    own = api.get("/v1/sources/shop/quality", headers=key("records:read", brands=("other",)))
    assert own.status_code == 200


def test_the_scope_and_the_parameters_are_checked(api: TestClient, key: Callable[..., dict[str, str]]) -> None:
    assert api.get("/v1/sources/pos/quality", headers=key("lookup")).status_code == 403
    assert api.get("/v1/sources/nowhere/quality").status_code == 404
    assert [api.get("/v1/sources/pos/quality", params={"days": days}).status_code for days in (0, 401, "x")] == [422] * 3


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("maria@telefonica.net", "m***@t***.net"),
        ("+34 655 872 310", "+3*** 6*** 8*** 3***"),
        ("X", "*"),
        ("-", "-"),
        ("", ""),
        ("Łukasz Żak", "Ł*** Ż***"),
        ("a.b@c", "*.*@*"),
        ("maria@mail.garcia", "m***@m***.g***"),  # An ending of more than four letters is a name.
        ("maria garcia.net", "m*** g***.n***"),  # No address: nothing of it is kept.
        ("maria @ m.gil", "m*** @ *.g***"),  # Nor is the name behind a lonely sign.
        ("李@王.小明", "*@*.小***"),  # Endings are Latin.
        ("ⓙⓤⓐⓝ", "ⓙ***"),
        ("प्रिया", "प***"),
    ],
)
def test_a_mask_keeps_the_shape_and_first_signs_only(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_long_value_is_cut() -> None:
    assert len(mask("ab " * 1_000)) == 61
