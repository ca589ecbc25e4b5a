"""Examples: the schema's own first, else the smallest value."""

from typing import Any

import pytest

from api.pages.examples import example


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "examples": ["pos"]}, "pos"),
        ({"type": "integer", "default": 5, "example": None}, None),
        ({"type": "integer", "default": 5}, 5),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"type": "string", "const": "live"}, "live"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "boolean"}, False),
        ({"type": "array", "items": {"type": "string"}}, ["text"]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text"),
    ],
)
def test_an_example_is_the_schemas_own_or_the_smallest_value(schema: dict[str, Any], value: Any) -> None:
    assert example(schema, {}) == value


def test_an_object_holds_what_it_must_and_what_has_an_example() -> None:
    properties = {"must": {"type": "string"}, "may": {"type": "string"}, "shown": {"type": "string", "examples": ["seen"]}}
    assert example({"type": "object", "properties": properties, "required": ["must"]}, {}) == {"must": "text", "shown": "seen"}
