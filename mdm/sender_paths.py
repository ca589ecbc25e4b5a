"""Where in what a source sent an attribute of ours was read from, so that a refusal names the sender's own field. Pure.

Paths are the policy's, and pointers hold field names that a mapping declares: never a value, never a name that no mapping knows.
"""

from collections.abc import Iterator
from typing import Any

from mdm.mapping_schema import Expression, Fields, Mapping
from mdm.mapping_values import Problem, roots

READ_WRONGLY = "wrong_type"


def pointers(mapping: Mapping, problem: Problem, payload: Any) -> list[str]:
    """JSON pointers to the fields of a `wrong_type`: those that hold a structure, else all that the attribute is read from.

    Empty for other problems: their field is the sender's own already.
    """
    if problem.code != READ_WRONGLY:
        return []
    paths = list(dict.fromkeys(_paths(mapping.fields, problem.field)))
    wrong = [spot for path in paths if (spot := _structure_at(payload, path)) is not None]
    return [_pointer(spot) for spot in wrong] or [_pointer(path.split(".")) for path in paths]


def _paths(fields: Fields | None, attribute: str) -> Iterator[str]:
    """The paths that an attribute (`name`, `emails.value`, `extras.tier`) is read from; its own name without mapping."""
    name, _, part = attribute.partition(".")
    declared = getattr(fields, name, None)
    if declared is None:
        yield attribute
    elif isinstance(declared, Expression):
        yield from roots(declared)
    elif isinstance(declared, dict):
        yield from roots(declared[part]) if part in declared else ()
    else:
        for item in declared:
            yield from _item_paths(item, part)


def _item_paths(item: Any, part: str) -> Iterator[str]:
    expression = getattr(item, part, None) if part else None
    if isinstance(expression, Expression):
        yield from (f"{item.each}.{path}" if item.each else path for path in roots(expression))
    elif item.each:
        yield item.each


def _structure_at(value: Any, path: str) -> list[str] | None:
    """The steps to the first object or array that a dotted path leads to, read as `mdm.mapping_values.lookup` reads it."""
    if not path:
        return [] if isinstance(value, dict | list) else None
    head, _, rest = path.partition(".")
    if isinstance(value, dict):
        step, rest = (path, "") if path in value else (head, rest)
        return _after(step, _structure_at(value.get(step), rest))
    if not isinstance(value, list):
        return None
    if head.isdecimal() and head.isascii():
        return _after(head, _structure_at(value[int(head)], rest)) if int(head) < len(value) else None
    found = (_after(str(index), _structure_at(element, path)) for index, element in enumerate(value))
    return next((steps for steps in found if steps is not None), None)


def _after(step: str, steps: list[str] | None) -> list[str] | None:
    return None if steps is None else [step, *steps]


def _pointer(steps: list[str]) -> str:
    """Write a JSON pointer. Source: RFC 6901."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
