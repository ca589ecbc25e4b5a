"""What is wrong with a request is told by place, rule and choice, and never in the sender's words."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import faults
from api.schemas.lookup import Lookup

SECRET = "ada@example.org"


def test_findings_are_told_without_their_own_words() -> None:
    finding = {"type": "string_pattern_mismatch", "loc": ("body", "a/b", 0, "c~d"), "msg": SECRET, "input": SECRET}
    error = faults.invalid([{**finding, "ctx": {"pattern": "^[A-Z]{2}$"}}])
    assert error.extra["errors"] == [
        {"pointer": "/a~1b/0/c~0d", "code": "string_pattern_mismatch", "detail": "This text must match ^[A-Z]{2}$."}
    ]
    assert SECRET not in json.dumps(error.extra)


def test_a_finding_without_its_words_is_told_in_general() -> None:
    (told,) = faults.invalid([{"type": "less_than_equal", "loc": ("query", "limit")}]).extra["errors"]
    assert told == {"parameter": "limit", "code": "less_than_equal", "detail": "This must be at most what is documented."}


def test_unknown_fields_of_one_object_are_told_once_with_the_known_ones() -> None:
    found = [{"type": "extra_forbidden", "loc": ("body", "identifier", name)} for name in ("mail", SECRET)]
    (told,) = faults.invalid(found, Lookup).extra["errors"]
    assert (told["pointer"], told["code"]) == ("/identifier", "extra_forbidden")
    assert told["known"] == ["kind", "value", "issuer", "programme", "country"]


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (
            "/v1/match",
            {"given_name": SECRET, SECRET: 1, "surname": "x"},
            [("/record", "missing", None), ("", "extra_forbidden", ["record", "source", "limit", "view", "explain"])],
        ),
        (
            "/v1/crosswalk:lookup",
            {"records": [{"source": "pos", "key": "1", SECRET: 1}]},
            [("/records/0", "extra_forbidden", ["source", "key"])],
        ),
        ("/v1/sources/pos/records/1:rekey", {"new_key": "2", SECRET: 1}, [("", "extra_forbidden", ["new_key"])]),
    ],
)
def test_a_misnamed_field_is_answered_with_those_to_choose_from(api: TestClient, path: str, body: Any, expected: Any) -> None:
    answer = api.post(path, json=body)
    told = [(one["pointer"], one["code"], one.get("known")) for one in answer.json()["errors"]]
    assert (answer.status_code, told) == (422, expected)
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "body", [{}, {"golden_id": "0198c0de-0000-7000-8000-000000000000", "identifier": {"kind": "email", "value": "x"}}]
)
def test_none_or_two_questions_in_one_say_which_there_are(api: TestClient, body: dict[str, Any]) -> None:
    (told,) = api.post("/v1/lookup", json=body).json()["errors"]
    assert told == {
        "pointer": "",
        "code": "exactly_one",
        "detail": "Say exactly one of identifier, source_key and golden_id.",
    }


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("PUT", "/v1/sources/pos/records/1?wait=5", ["source_updated_at", "source_version", "wait_seconds"]),
        ("GET", "/v1/sources/pos/records/1?wait_seconds=5", []),
        ("POST", "/v1/records:batch?ada@example.org", []),
        ("POST", "/v1/lookup?view=checkout", []),
        ("GET", "/v1/sources?ada@example.org=1", []),
    ],
)
def test_an_unknown_query_parameter_is_refused_and_not_repeated(
    api: TestClient, method: str, path: str, known: list[str]
) -> None:
    answer = api.request(method, path, json={})
    (told,) = answer.json()["errors"]
    assert (answer.status_code, told["code"], told["known"]) == (422, "unknown_parameter", known)
    assert SECRET not in answer.text


def test_whose_key_is_missing_is_told_before_what_is_wrong(api: TestClient) -> None:
    assert api.get("/v1/sources?x=1", headers={"authorization": ""}).status_code == 401
    assert api.post("/v1/lookup?x=1", json={}, headers={"authorization": ""}).status_code == 401
