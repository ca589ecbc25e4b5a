"""Read one value of a row: follow a dotted path, turn what is found into text, split, join, map.

Pure, total: whatever a row holds gives a text, a list of texts, nothing, or a problem; never an exception.
"""

import datetime
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from mdm.documents import Spot
from mdm.mapping_schema import Expression, Scalar


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a row that its sender should know: a stable code and the field it concerns."""

    code: str
    field: str


Problems = list[Problem]
Reader = Callable[[Any, Problems], Any]
LARGEST_EXACT_FLOAT = 2.0**53


def roots(expression: Expression) -> Iterator[str]:
    """Every path that an expression reads."""
    if expression.path is not None:
        yield expression.path
    for inner in (*(expression.join or ()), *(expression.first or ())):
        yield from roots(inner)


def lookup(row: Any, path: str) -> Any:
    """Follow a dotted path; None when it leads nowhere.

    A key that itself holds the dots wins (CSV headers do); a number steps into a list, a name maps over it.
    """
    if isinstance(row, dict):
        if path in row:
            return row[path]
        head, _, rest = path.partition(".")
        return lookup(row.get(head), rest) if rest else None
    if not isinstance(row, list) or not path:
        return None
    head, _, rest = path.partition(".")
    if head.lstrip("-").isdecimal() and head.isascii():
        element = row[int(head)] if -len(row) <= int(head) < len(row) else None
        return lookup(element, rest) if rest else element
    return [found for element in row if (found := lookup(element, path)) is not None]


def spots(row: Any, path: str, at: Spot = ()) -> Iterator[tuple[Spot, Any]]:
    """Yield where a dotted path leads and what stands there, as `lookup` follows it; a list there is entered, item by item."""
    if isinstance(row, dict) and path in row:
        yield from _items((*at, path), row[path])
    elif isinstance(row, dict):
        head, _, rest = path.partition(".")
        if rest and head in row:
            yield from spots(row[head], rest, (*at, head))
    elif isinstance(row, list) and path:
        head, _, rest = path.partition(".")
        if head.lstrip("-").isdecimal() and head.isascii():
            index = int(head) % len(row) if -len(row) <= int(head) < len(row) else None
            if index is not None:
                yield from spots(row[index], rest, (*at, index)) if rest else _items((*at, index), row[index])
        else:
            for index, element in enumerate(row):
                yield from spots(element, path, (*at, index))


def _items(at: Spot, value: Any) -> Iterator[tuple[Spot, Any]]:
    if not isinstance(value, list):
        yield at, value
        return
    for index, element in enumerate(value):
        yield from _items((*at, index), element)


def text_of(value: Any) -> str | None:
    """Write a scalar as trimmed text: 4155550000.0 is 4155550000, false is `false`, blank is None. None for a structure."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _number_text(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value) if isinstance(value, int | UUID) else None


def _number_text(value: float | Decimal) -> str | None:
    if not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(int(value)) if value.is_integer() and abs(value) < LARGEST_EXACT_FLOAT else repr(value)


def reader(expression: Expression, field: str, empty: frozenset[str], is_date: bool) -> Reader:
    """Make the function that reads `expression` from a row: a text, a list of texts, or None; problems are appended."""
    if expression.map is not None:  # What the map names is not empty here, whatever the source writes for nothing elsewhere.
        empty -= {text.casefold() for key in expression.map if (text := text_of(key)) is not None}
    read = _source(expression, field, empty, is_date)
    if expression.split is not None:
        read = _split(read, expression.split, expression.part)
    if expression.map is not None:
        read = _map(read, expression.map, "default" in expression.model_fields_set, field)
    if expression.default is not None:
        read = _default(read, text_of(expression.default))
    return read


def _source(expression: Expression, field: str, empty: frozenset[str], is_date: bool) -> Reader:
    if expression.path is not None:
        return _path(expression.path, field, empty)
    if expression.join is not None:
        parts = [reader(part, field, empty, is_date) for part in expression.join]
        return _join(parts, expression.with_, is_date)
    if expression.first is not None:
        return _first([reader(part, field, empty, is_date) for part in expression.first])
    text = text_of(expression.const)
    return lambda _row, _problems: text


def _path(path: str, field: str, empty: frozenset[str]) -> Reader:
    plain = "." not in path

    def one(value: Any, problems: Problems) -> str | None:
        text = text_of(value)
        if text is None:
            if value is not None and not isinstance(value, str):
                problems.append(Problem("wrong_type", field))
            return None
        return None if empty and text.casefold() in empty else text

    def read(row: Any, problems: Problems) -> Any:
        value = row.get(path) if plain and type(row) is dict else lookup(row, path)
        if value is None:
            return None
        if type(value) is str and not empty:  # By far the most common.
            return value.strip() or None
        if isinstance(value, list | tuple):
            return [text for element in value if (text := one(element, problems)) is not None] or None
        return one(value, problems)

    return read


def _first(readers: list[Reader]) -> Reader:
    return lambda row, problems: next((value for read in readers if (value := read(row, problems)) is not None), None)


def _join(readers: list[Reader], glue: str, stops_at_gap: bool) -> Reader:
    """Join what is there. A date stops at its first gap: year and day without month must not read as year and month."""

    def read(row: Any, problems: Problems) -> str | None:
        parts: list[str] = []
        for part in readers:
            value = part(row, problems)
            if value is None and stops_at_gap:
                break
            parts += value if isinstance(value, list) else [value] if value is not None else []
        return glue.join(parts) or None

    return read


def _split(inner: Reader, separator: str, part: int | None) -> Reader:
    def read(row: Any, problems: Problems) -> Any:
        value = inner(row, problems)
        if value is None:
            return None
        texts = value if isinstance(value, list) else [value]
        pieces = [piece for text in texts for raw in text.split(separator) if (piece := raw.strip())]
        if part is None:
            return pieces or None
        return pieces[part] if -len(pieces) <= part < len(pieces) else None

    return read


def _map(inner: Reader, declared: dict[Scalar, Scalar], has_default: bool, field: str) -> Reader:
    """A value that the map does not know is kept as it is and reported, unless the map has a default."""
    mapper = {text.casefold(): text_of(value) for key, value in declared.items() if (text := text_of(key)) is not None}

    def one(text: str, problems: Problems) -> str | None:
        key = text.casefold()
        if key in mapper:
            return mapper[key]
        if has_default:
            return None
        problems.append(Problem("value_not_in_map", field))
        return text

    def read(row: Any, problems: Problems) -> Any:
        value = inner(row, problems)
        if isinstance(value, list):
            return [text for element in value if (text := one(element, problems)) is not None] or None
        return None if value is None else one(value, problems)

    return read


def _default(inner: Reader, default: str | None) -> Reader:
    def read(row: Any, problems: Problems) -> Any:
        value = inner(row, problems)
        return default if value is None else value

    return read
