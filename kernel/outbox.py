"""Events that must leave, written in the transaction of the change they tell of. Sending them is somebody else's work.

A body carries ids, versions and cause, never personal values.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

_INSERT = sa.text("""
INSERT INTO outbox (type, subject_id, subject_version, body)
SELECT type, subject_id, subject_version, body
FROM json_to_recordset(CAST(:events AS json)) AS e (type text, subject_id uuid, subject_version bigint, body jsonb)
""")


@dataclass(frozen=True, slots=True)
class Event:
    """One domain event about one subject at one version of it."""

    type: str
    subject_id: UUID
    subject_version: int
    body: Mapping[str, Any]


def emit(session: Session, type_: str, subject_id: UUID, subject_version: int, body: Mapping[str, Any]) -> None:
    """Write one event."""
    emit_all(session, [Event(type_, subject_id, subject_version, body)])


def emit_all(session: Session, events: Sequence[Event]) -> None:
    """Write events, in order, with one statement."""
    if not events:
        return
    rows = [
        {"type": e.type, "subject_id": str(e.subject_id), "subject_version": e.subject_version, "body": dict(e.body)}
        for e in events
    ]
    session.connection().execute(_INSERT, {"events": json.dumps(rows, default=str)})
