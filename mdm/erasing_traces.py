"""What a person is told by, read from their records while these can still be read: for whoever must find them in other places."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from kernel.errors import Unavailable
from mdm import sql
from mdm.erasing_words import Telling
from mdm.sealing import DataKey
from mdm.suppression import Body

LEAST_DIGITS = 7


def standard(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Body]:
    """Read the standard records of some records, as JSON."""
    found = sql.rows(session, "SELECT record_id, body::text FROM standard_record WHERE record_id = ANY(%s)", [list(record_ids)])
    return {record_id: orjson.loads(body) for record_id, body in found}


def payloads(session: Session, record_ids: Sequence[uuid.UUID]) -> Iterator[tuple[uuid.UUID, int, Any]]:
    """Open every version of some records that can be opened: record, version and what was sent."""
    found = sql.rows(
        session,
        """SELECT v.record_id, v.version_no, k.wrapped_key, v.sealed_payload
           FROM record_version v JOIN record_data_key k USING (record_id)
           WHERE v.record_id = ANY(%s) AND v.sealed_payload IS NOT NULL ORDER BY v.record_id, v.version_no""",
        [list(record_ids)],
    )
    for record_id, version_no, wrapped, sealed in found:
        try:
            yield record_id, version_no, orjson.loads(DataKey.unwrap(record_id, bytes(wrapped)).open(bytes(sealed)))
        except (InvalidTag, Unavailable, ValueError):
            continue


def telling(session: Session, record_ids: Sequence[uuid.UUID]) -> Telling:
    """Name what tells that a row is a person's: contacts and numbers as they were ever sent, and their whole name."""
    found: set[tuple[str, ...]] = set()
    for body in standard(session, record_ids).values():
        found |= set(_of_standard(body))
    for _, _, sent in payloads(session, record_ids):
        found |= {(text,) for text in _leaves(sent) if "@" in text or sum(map(str.isdigit, text)) >= LEAST_DIGITS}
    return frozenset(found)


def _of_standard(body: Body) -> Iterator[tuple[str, ...]]:
    yield from ((one["value"],) for one in (*body.get("emails", ()), *body.get("phones", ()), *body.get("identifiers", ())))
    yield from ((one["number"],) for one in body.get("loyalty_accounts", ()))
    name = body.get("name") or {}
    if name.get("given") and name.get("surname"):
        yield (name["given"], name["surname"])


def _leaves(value: Any) -> Iterator[str]:
    """The texts of a payload. As deep as payloads may be nested (64)."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
