"""What we are willing to read: sizes and depth. Checked before anything is parsed into our own types.

The limits of a record's own values are `mdm.payloads`'. Passing a limit answers a problem that names the limit, never the value.
"""

import codecs
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from kernel.errors import Invalid, MdmError, TooLarge
from mdm.payloads import DEEPEST, LARGEST_PAYLOAD_BYTES

BODY_BYTES = LARGEST_PAYLOAD_BYTES
BATCH_LINES = 100_000
NESTING = DEEPEST
IDS = 1_000


def too_large(limit_bytes: int) -> MdmError:
    """The refusal of a body over its limit."""
    detail = f"The body may hold at most {limit_bytes:,} bytes."
    return TooLarge("The body is too large", detail=detail, extra={"limit_bytes": limit_bytes})


def declared_length(headers: list[tuple[bytes, bytes]]) -> int:
    """The Content-Length that was sent, 0 when none or unreadable (the stream is counted all the same)."""
    sent = next((value for name, value in headers if name == b"content-length"), b"0")
    return int(sent) if sent.isdigit() else 0


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body as it arrives. Raises: ClientDisconnect when the caller went away before the end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


async def read_body(receive: Receive, headers: list[tuple[bytes, bytes]], limit_bytes: int = BODY_BYTES) -> bytes:
    """Read a whole body of at most `limit_bytes`; a longer one is refused before it is held. Raises: TooLarge.

    A byte order mark is left out, as a reader of JSON may do (RFC 8259, section 8.1).
    """
    if declared_length(headers) > limit_bytes:
        raise too_large(limit_bytes)
    parts, size = [], 0
    async for part in chunks(receive):
        size += len(part)
        if size > limit_bytes:
            raise too_large(limit_bytes)
        parts.append(part)
    return (parts[0] if len(parts) == 1 else b"".join(parts)).removeprefix(codecs.BOM_UTF8)


def parse_json(raw: bytes) -> Any:
    """Parse strict JSON: UTF-8 only, no NaN or infinity, no lone surrogates, at most NESTING levels. Raises: Invalid."""
    try:
        parsed = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise unreadable(raw, error) from None
    check_nesting(parsed)
    return parsed


def unreadable(raw: bytes, error: orjson.JSONDecodeError) -> MdmError:
    """Say why a body is no JSON, and where, without repeating any of it."""
    if not raw.strip():
        return Invalid("The body is empty", code="empty_body", detail="A JSON value was expected.")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as broken:
        return Invalid("The body is not valid UTF-8", code="invalid_utf8", extra={"position": broken.start})
    detail = "It cannot be read as JSON (RFC 8259, which knows no NaN and no Infinity)."
    return Invalid("The body is not valid JSON", code="invalid_json", detail=detail, extra={"position": error.pos})


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def check_nesting(parsed: Any) -> None:
    """Refuse what is nested deeper than NESTING levels, level by level, so that depth never becomes recursion."""
    level = [parsed]
    for _ in range(NESTING + 1):
        level = [child for value in level for child in _children(value) if isinstance(child, dict | list)]
        if not level:
            return
    detail = f"Objects and arrays may be nested at most {NESTING} levels."
    raise Invalid("The body is nested too deeply", code="too_deep", detail=detail, extra={"limit_levels": NESTING})
