"""Schemas as rows: types, rules, nesting."""

from typing import Any

import pytest

from api.pages.fields import Field, resolve, rows, rules, type_text

COMPONENTS: dict[str, Any] = {
    "Key": {
        "type": "object",
        "description": "A record by its name.",
        "required": ["source"],
        "properties": {
            "source": {"type": "string", "minLength": 1, "maxLength": 64},
            "at": {"type": "string", "format": "date-time"},
        },
    },
    "Loop": {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/Loop"}}},
}
KEY = {"$ref": "#/components/schemas/Key"}


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer or null"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "integer or string"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}, "integer or string or null"),
        ({"type": "array", "items": KEY}, "array of object"),
        ({}, "any"),
    ],
)
def test_a_type_is_named_in_words(schema: dict[str, Any], text: str) -> None:
    assert type_text(schema, COMPONENTS) == text


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string", "enum": ["a", "b"]}, ("one of `a`, `b`",)),
        ({"type": "string", "const": "live"}, ("`live`",)),
        ({"type": "number", "minimum": 0.5, "maximum": 1000.0}, ("at least 0.5", "at most 1,000")),
        ({"type": "array", "minItems": 1, "maxItems": 2000}, ("at most 2,000 items",)),
        ({"type": "integer", "minimum": -(2**63), "default": 0}, ("default `0`",)),
        ({"type": "boolean", "default": False}, ("default `false`",)),
        ({"type": "string", "pattern": "^a$"}, ("form `^a$`",)),
    ],
)
def test_rules_are_told_unless_they_tell_nothing(schema: dict[str, Any], told: tuple[str, ...]) -> None:
    assert rules(schema, COMPONENTS) == told


def test_what_stands_beside_a_reference_wins() -> None:
    known, may_be_null = resolve({"anyOf": [KEY, {"type": "null"}], "description": "Whose."}, COMPONENTS)
    assert (known["type"], known["description"], may_be_null) == ("object", "Whose.", True)


def test_nested_fields_follow_their_field_with_a_dotted_path() -> None:
    schema = {"type": "object", "properties": {"keys": {"type": "array", "items": KEY}, "one": KEY}}
    found = list(rows(schema, COMPONENTS))
    assert [field.path for field in found] == ["keys", "keys[].source", "keys[].at", "one", "one.source", "one.at"]
    assert found[1] == Field("keys[].source", "string", True, ("at most 64 characters",), "")
    assert found[3].description == "A record by its name."


def test_a_schema_that_holds_itself_ends() -> None:
    assert len(list(rows(COMPONENTS["Loop"], COMPONENTS))) == 5
