"""A refusal points to the sender's own field, never to ours and never to a value."""

from typing import Any

import pytest

from mdm import mapping
from mdm.mapping_schema import Mapping
from mdm.sender_paths import pointers

FIELDS = {
    "name": "contact",
    "surname": {"first": ["last", "address.last~name"]},
    "emails": {"each": "mails", "value": "at"},
    "phones": ["phone.main"],
    "extras": {"tier": "club/tier"},
}


def told(fields: dict[str, Any] | None, row: dict[str, Any]) -> list[list[str]]:
    declared = Mapping.model_validate({"fields": fields} if fields else {})
    problems = [problem for problem in mapping.apply(declared, row).problems if problem.code == "wrong_type"]
    return [pointers(declared, problem, row) for problem in problems]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"contact": {"a": 1}}, "/contact"),
        ({"last": None, "address": {"last~name": {"a": 1}}}, "/address/last~0name"),
        ({"mails": [{"at": "a@b.example"}, {"at": {"a": 1}}]}, "/mails/1/at"),
        ({"phone": {"main": {"a": 1}}}, "/phone/main"),
        ({"club/tier": {"a": 1}}, "/club~1tier"),
    ],
)
def test_the_pointer_leads_to_what_holds_the_structure(row: dict[str, Any], expected: str) -> None:
    assert told(FIELDS, row) == [[expected]]


def test_a_list_declared_and_a_text_sent() -> None:
    assert told(FIELDS, {"mails": "a@b.example"}) == [["/mails"]]


def test_a_source_in_our_own_terms_is_told_its_own_element() -> None:
    assert told(None, {"given_name": {"a": 1}}) == [["/given_name"]]
    assert told(None, {"emails": [{"value": {"a": 1}}]}) == [["/emails/0/value"]]


def test_other_problems_name_the_senders_field_already() -> None:
    assert pointers(Mapping(), mapping.Problem("unmapped_field", "x"), {"x": {}}) == []
