"""Makes an example value of a JSON schema: what the schema gives as its example, else the smallest value it takes; pure."""

from typing import Any

from api.pages.fields import Components, Schema, resolve

BY_FORMAT = {
    "uuid": "01990000-0000-7000-8000-000000000000",
    "date-time": "2026-01-31T09:30:00Z",
    "date": "2026-01-31",
}
BY_TYPE = {"boolean": False, "string": "text", "null": None}


def example(schema: Schema, components: Components) -> Any:
    """Give one value that the schema takes. Objects hold what they must, and what has an example of its own."""
    known, _ = resolve(schema, components)
    if "example" in known or known.get("examples"):
        return known["example"] if "example" in known else known["examples"][0]
    if known.get("default") is not None:
        return known["default"]
    if "const" in known or known.get("enum"):
        return known["const"] if "const" in known else known["enum"][0]
    return _by_type(known, components)


def _by_type(known: Schema, components: Components) -> Any:
    match known.get("type"):
        case "object":
            return {name: example(inner, components) for name, inner in _worth_showing(known)}
        case "array":
            return [example(known.get("items", {}), components)]
        case "integer" | "number":
            return max(known.get("minimum", 1), 1)
        case name:
            return BY_FORMAT.get(known.get("format", ""), BY_TYPE.get(str(name)))


def _worth_showing(known: Schema) -> list[tuple[str, Schema]]:
    required = known.get("required", ())
    return [
        (name, inner)
        for name, inner in known.get("properties", {}).items()
        if name in required or {"example", "examples"} & set(inner)
    ]
