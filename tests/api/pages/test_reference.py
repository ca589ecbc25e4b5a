"""The reference holds every operation of the document, and says of each what its caller must know."""

import json
from typing import Any

import pytest

from api.app import create_app
from api.pages import reference
from api.pages.reference import Operation, heading
from api.refusals import SENTENCES

DOCUMENT = create_app().openapi()
REFERENCE = reference.read(DOCUMENT)
OPERATIONS = {one.anchor: one for resource in REFERENCE.resources for one in resource.operations}


@pytest.fixture(params=sorted(OPERATIONS))
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


def test_every_operation_is_there_once_under_its_resource() -> None:
    told = {(path, method.upper()) for path, item in DOCUMENT["paths"].items() for method in item}
    assert {(one.path, one.method) for one in OPERATIONS.values()} == told
    assert sum(len(resource.operations) for resource in REFERENCE.resources) == len(told)


def test_an_operation_is_named_by_what_it_does(operation: Operation) -> None:
    assert operation.heading[0].isupper()
    assert 10 <= len(operation.heading) <= 60, "the first clause of the docstring is its heading: make it short"


def test_an_operation_tells_its_answers_and_a_command(operation: Operation) -> None:
    assert {"200", "201", "202", "204"} & {answer.status for answer in operation.answers}
    assert all(answer.description != reference.GENERIC_DESCRIPTION for answer in operation.answers)
    assert ("$MDM_KEY" in operation.command) == (operation.scope is not None)
    assert "{" not in operation.command.split("\n  -H")[0]


def test_a_body_is_shown_with_fields_or_words_and_an_example(operation: Operation) -> None:
    if operation.body is not None:
        assert operation.body.fields or operation.body.description
        assert isinstance(json.loads(operation.body.example), dict)


def test_every_field_of_a_lookup_is_told() -> None:
    body = OPERATIONS["lookup-find"].body
    assert body is not None
    paths = [field.path for field in body.fields]
    assert {"identifier", "identifier.kind", "source_key.key", "golden_id", "view"} <= set(paths)
    assert json.loads(body.example)["identifier"]["kind"] == "email"


def test_parameters_stand_with_their_place() -> None:
    told = {(place, field.path, field.is_required) for place, field in OPERATIONS["records-put"].parameters}
    assert {("path", "key", True), ("query", "wait_seconds", False)} <= told
    assert OPERATIONS["records-put"].to_replace == ("source", "key")


def test_scopes_tell_what_they_open() -> None:
    scopes = {scope: [one.anchor for one in operations] for scope, operations in REFERENCE.scopes().items()}
    mine = ["get", "batch-get", "search", "history", "relationships", "activities"]
    assert scopes["golden:read"] == [*(f"golden-{one}" for one in mine), "explain-attribute-why", "sources-duplicates"]
    assert all(one.scope is None for one in OPERATIONS.values() if one.path in {"/live", "/ready"})


def test_refusals_are_told_with_their_status() -> None:
    told: dict[str, Any] = {code: status for code, status, _ in REFERENCE.refusals}
    assert told.keys() == SENTENCES.keys()
    assert (told["payload_too_large"], told["bad_key"]) == (413, 422)


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("Read up to 1,000 golden records: whole, chosen fields.", "Read up to 1,000 golden records"),
        ("Find one customer, for the till.", "Find one customer"),
        ("List them", "List them"),
    ],
)
def test_a_heading_is_the_first_clause(description: str, text: str) -> None:
    assert heading(description) == text
