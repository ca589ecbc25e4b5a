"""What may be kept of a payload: never_store paths and card numbers are masked, and what is too large or broken is refused.

Pure. Problems carry a stable code and the field, never the value.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from matching.standardize.identifiers import MASK
from mdm.cards import mask_cards, may_hold_card
from mdm.documents import Spot
from mdm.mapping_schema import Mapping
from mdm.mapping_values import Problem, text_of
from mdm.vouched import cards, vouched

Change = Callable[[dict[str, Any], str], dict[str, Any]]
LARGEST_PAYLOAD_BYTES = 2 * 1024 * 1024
LONGEST_VALUE = 1_000
LONGEST_KEY = 500
MOST_ELEMENTS = 1_000
DEEPEST = 64
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
DEEP_ERROR = "depth limit exceeded"  # How orjson says it: nested more than 1,024 deep.


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a payload is kept: its value for mapping, and the bytes for storing."""

    payload: dict[str, Any]
    raw: bytes


def parse(raw: bytes) -> dict[str, Any] | Problem:
    """Parse JSON bytes into an object; a Problem when that is not what they are."""
    if len(raw) > LARGEST_PAYLOAD_BYTES:
        return Problem("payload_too_large", "")
    try:
        value = _exact_json(raw) if _LONG_INTEGER.search(raw) else orjson.loads(raw)
    except (ValueError, RecursionError) as error:
        return Problem(_json_code(error, raw), "")
    return value if isinstance(value, dict) else Problem("not_an_object", "")


def _exact_json(raw: bytes) -> Any:
    """Read integers past 64 bits exactly (orjson makes floats of them); still refuse what orjson refuses."""
    orjson.loads(raw)
    return json.loads(raw)


def _json_code(error: Exception, raw: bytes) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "invalid_utf8"
    if isinstance(error, RecursionError) or DEEP_ERROR in str(error):
        return "too_deep"
    return "not_a_number" if re.search(rb"[:\[,]\s*-?(?:NaN|Infinity)\b", raw) else "invalid_json"


def check(payload: dict[str, Any]) -> Problem | None:
    """The first thing that makes a payload unusable, or None: depth, length, NUL, NaN, keys. Never recurses."""
    level: list[tuple[str, Any]] = [("", payload)]
    for _ in range(DEEPEST):
        below: list[tuple[str, Any]] = []
        for field, value in level:
            code = _crowded(value)
            if code is not None:
                return Problem(code, field)
            inner = value.items() if isinstance(value, dict) else ((field, element) for element in value)
            for name, element in inner:
                kind = type(element)
                if kind is str:
                    is_plain = len(element) <= LONGEST_KEY and element.isascii() and "\x00" not in element
                    code = None if is_plain else _text_code(element)
                elif kind is float:
                    code = None if math.isfinite(element) else "not_a_number"
                elif kind is dict or kind is list:
                    below.append((field or name, element))
                if code is not None:
                    return Problem(code, field or name)
        if not below:
            return None
        level = below
    return Problem("too_deep", level[0][0])


def _is_ordinary(raw: bytes) -> bool:
    """Say whether the JSON of a payload shows by itself that `check` would find nothing: by far the most do, and at a fraction of
    its cost. What JSON cannot say without an escape, or what is no number of it, has been refused by `parse`."""
    if b"\\" in raw or raw.count(b",") >= MOST_ELEMENTS or raw.count(b"{") + raw.count(b"[") > DEEPEST:
        return False
    return max(map(len, raw.split(b'"'))) <= LONGEST_KEY


def _crowded(value: dict[str, Any] | list[Any]) -> str | None:
    if len(value) > MOST_ELEMENTS:
        return "too_many_elements"
    return None if isinstance(value, list) or _are_names(tuple(value)) else "bad_field_name"


@lru_cache(maxsize=4_096)
def _are_names(keys: tuple[Any, ...]) -> bool:
    """Rows of one source have the same keys."""
    return all(map(_is_name, keys))


def _text_code(text: str) -> str | None:
    if len(text) > LONGEST_VALUE:
        return "value_too_long"
    if "\x00" in text:
        return "nul_character"
    return None if text.isascii() or not _SURROGATE.search(text) else "invalid_utf8"


def shallow(payload: dict[str, Any]) -> bool:
    """Say whether a payload is flat enough to be walked and written again, whatever else is wrong with it."""
    level: list[Any] = [payload]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in (value.values() if isinstance(value, dict) else value)]
        level = [value for value in level if isinstance(value, dict | list)]
        if not level:
            return True
    return False


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and len(key) <= LONGEST_KEY and "\x00" not in key


def keep(payload: dict[str, Any], raw: bytes, never_store: Iterable[str] = (), mapping: Mapping | None = None) -> Kept | Problem:
    """Mask what must not be stored, then check what is left. By the mapping some numbers are identifiers, no cards (mdm.vouched).

    The bytes are those received when there are any and nothing was masked.
    """
    kept = payload
    for path in never_store:
        kept = mask_path(kept, path.split("."))
    problem = None if raw and kept is payload and _is_ordinary(raw) else check(kept)
    if problem is not None:
        return problem
    raw = raw or dumps(payload)
    maybe_card = may_hold_card(raw)
    if maybe_card:
        kept = without_cards(kept, mapping)
    if kept is payload and not ((never_store or maybe_card) and _repeats_a_member(raw)):
        return Kept(payload, raw)
    return Kept(kept, dumps(kept))


def _repeats_a_member(raw: bytes) -> bool:
    """Say whether an object names a member twice: the last one counts, but the bytes would keep the others unmasked."""
    repeated = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated |= len(pairs) != len({name for name, _ in pairs})

    json.loads(raw, object_pairs_hook=note)
    return repeated


def mask_path(value: Any, path: list[str]) -> Any:
    """A copy with the value at a dotted path masked (in every element of a list on the way); the same object when absent."""
    return changed_at(value, path, lambda held, name: {**held, name: MASK} if held.get(name) is not None else held)


def changed_at(value: Any, path: list[str], change: Change) -> Any:
    """A copy in which `change` was made of whatever holds the end of a dotted path, by its name there (in every element
    of a list on the way); the same object when nothing was. A key may hold dots itself."""
    if isinstance(value, list):
        inner = [changed_at(element, path, change) for element in value]
        return inner if any(new is not old for new, old in zip(inner, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    changed = change(value, ".".join(path))
    if len(path) == 1 or path[0] not in changed:
        return changed
    inner_value = changed_at(changed[path[0]], path[1:], change)
    return changed if inner_value is changed[path[0]] else {**changed, path[0]: inner_value}


def without_cards(payload: dict[str, Any], mapping: Mapping | None = None) -> dict[str, Any]:
    """A copy without card numbers; the same object when there is none. Recurses: `shallow` or `check` comes first."""
    read: frozenset[Spot] = cards(mapping, payload) if mapping else frozenset()
    masked: dict[str, Any] = _mask_cards(payload, frozenset(), read, ())
    if masked is payload:
        return payload
    spared = vouched(mapping, payload) if mapping else frozenset()
    return _mask_cards(payload, spared, read, ()) if spared else masked


def _mask_cards(value: Any, spared: Container[Spot], read: Container[Spot], at: Spot) -> Any:
    """A copy without card numbers but in the places that are spared; the same object when there is none. In the places of `read`
    the whole value is a card number."""
    if isinstance(value, dict):
        made = {
            mask_cards(key) if isinstance(key, str) else key: _mask_cards(element, spared, read, (*at, key))
            for key, element in value.items()
        }
        return value if made.keys() == value.keys() and all(made[key] is value[key] for key in value) else made
    if isinstance(value, list | tuple):
        inner = [_mask_cards(element, spared, read, (*at, index)) for index, element in enumerate(value)]
        return inner if any(new is not old for new, old in zip(inner, value, strict=True)) else value
    if at in spared or value is None or isinstance(value, bool):
        return value
    if at in read:
        return MASK + "".join(filter(str.isalnum, text_of(value) or ""))[-4:]
    if isinstance(value, str):
        return mask_cards(value)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else text_of(value) or str(value)
    masked = mask_cards(text)
    return masked if MASK in masked else value


def content_hash(secret: bytes, payload: dict[str, Any], echo: Iterable[str]) -> bytes:
    """16 bytes that are equal for payloads of equal content: order of fields and echoed values do not count."""
    said = payload
    for path in echo:
        said = mask_path(said, path.split("."))
    return hashlib.blake2b(dumps(said, sort=True), digest_size=16, key=secret).digest()


def dumps(payload: dict[str, Any], sort: bool = False, lossy: bool = False) -> bytes:
    """Write a payload as JSON; what JSON does not know (dates, decimals) becomes text. `lossy` writes broken text too."""
    try:
        return orjson.dumps(payload, default=str, option=orjson.OPT_SORT_KEYS if sort else None)
    except TypeError:  # Integers past 64 bits; lone surrogates and keys that are not text in what was refused.
        written = json.dumps(payload, default=str, sort_keys=sort, ensure_ascii=lossy, allow_nan=lossy, skipkeys=lossy)
        return written.encode()
