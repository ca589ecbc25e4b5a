"""Reads JSON schemas of our OpenAPI document into rows that a person can read; pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEEPEST = 4  # Levels of nesting that a table shows; what lies deeper is named by its type.
Schema = dict[str, Any]
Components = dict[str, Schema]

BOUNDS = (
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("minLength", "{} characters or more"),
    ("maxLength", "at most {} characters"),
    ("minItems", "{} items or more"),
    ("maxItems", "at most {} items"),
)
TRIVIAL = {("minLength", 1), ("minItems", 1)}
LARGEST_SHOWN = 2**53  # A bound beyond is that of the number's type, and tells nobody anything.


@dataclass(frozen=True, slots=True)
class Field:
    """One field as a table shows it: `path` is dotted, with `[]` after an array."""

    path: str
    type_text: str
    is_required: bool
    rules: tuple[str, ...]
    description: str


def resolve(schema: Schema, components: Components) -> tuple[Schema, bool]:
    """Follow references and leave null out; gives the schema and whether null may stand there. What stands outside wins."""
    outside = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}}
    if "$ref" in schema:
        inner, may_be_null = resolve(components[schema["$ref"].rsplit("/", 1)[-1]], components)
        return {**inner, **outside}, may_be_null
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        inner, _ = resolve(choices[0], components)
        return {**inner, **outside}, len(schema["anyOf"]) > 1
    return schema, len(choices) < len(schema.get("anyOf", ()))


def type_text(schema: Schema, components: Components) -> str:
    """Name the type of a schema in a few words."""
    known, may_be_null = resolve(schema, components)
    if "anyOf" in known:
        text = " or ".join(type_text(one, components) for one in known["anyOf"] if one.get("type") != "null")
    elif known.get("type") == "array":
        text = f"array of {type_text(known.get('items', {}), components)}"
    else:
        text = known.get("format") or known.get("type") or "any"
    return f"{text} or null" if may_be_null else text


def rules(schema: Schema, components: Components) -> tuple[str, ...]:
    """Say what a value must keep to: its choices, bounds, form and default."""
    known, _ = resolve(schema, components)
    found = []
    choices = known.get("enum", [known["const"]] if "const" in known else [])
    if choices:
        found.append("one of " + ", ".join(f"`{choice}`" for choice in choices) if len(choices) > 1 else f"`{choices[0]}`")
    found += [text.format(_number(known[name])) for name, text in BOUNDS if _is_told(name, known)]
    if known.get("pattern"):
        found.append(f"form `{known['pattern']}`")
    if known.get("default") is not None and known["default"] != []:
        found.append(f"default `{_json_word(known['default'])}`")
    return tuple(found)


def _is_told(name: str, known: Schema) -> bool:
    return name in known and (name, known[name]) not in TRIVIAL and abs(known[name]) < LARGEST_SHOWN


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)


def _json_word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def rows(schema: Schema, components: Components, prefix: str = "", depth: int = 0) -> Iterator[Field]:
    """Yield the fields of an object (or of the objects in an array), each followed by its own fields."""
    known, _ = resolve(schema, components)
    if known.get("type") == "array" and not prefix:
        yield from rows(known.get("items", {}), components, "[].", depth)
        return
    for name, inner in known.get("properties", {}).items():
        inside, _ = resolve(inner, components)
        yield Field(
            prefix + name,
            type_text(inner, components),
            name in known.get("required", ()),
            rules(inner, components),
            inner.get("description") or inside.get("description", ""),
        )
        is_array = inside.get("type") == "array"
        if depth < DEEPEST:
            within = inside.get("items", {}) if is_array else inside
            yield from rows(within, components, f"{prefix}{name}{'[]' if is_array else ''}.", depth + 1)
