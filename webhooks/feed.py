"""Reads the numbered log of events: pages behind a cursor, dense and without gaps, for as long as events are kept.

A cursor names the timeline that it belongs to: after a restore the numbers go on from an earlier one, and whoever holds a cursor
of the time before must be told, never answered as if nothing had happened. Row scope is the session's.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from kernel.errors import Conflict, Gone, Invalid

LATEST = "latest"
# A page of rare types may lie far apart: a page looks at so many numbers at most, and says where it stopped.
MOST_LOOKED_AT = 20_000
KEPT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Numbered:
    """One event of the log."""

    seq: int
    type: str
    occurred_at: datetime
    subject_id: uuid.UUID
    subject_version: int
    body: dict[str, Any]
    sources: tuple[str, ...]
    load_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Log:
    """Where the log stands: its timeline, the last number given, the first number that is still kept."""

    timeline_id: uuid.UUID
    last_seq: int
    first_seq: int

    def cursor(self, seq: int) -> str:
        """Name a place in the log."""
        return f"{self.timeline_id}:{seq}"


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the order of their numbers. `reached`: the number up to which the log was looked at."""

    log: Log
    events: tuple[Numbered, ...]
    reached: int

    @property
    def has_more(self) -> bool:
        """Whether numbers behind the page have been given already."""
        return self.reached < self.log.last_seq


def log(session: Session) -> Log:
    """Say where the log stands."""
    row = session.connection().execute(_LOG).one()
    return Log(*row)


_LOG = sa.text("""
SELECT (SELECT timeline_id FROM timeline ORDER BY started_at DESC LIMIT 1), last_seq, first_seq FROM event_counter""")


def place(of: Log, cursor: str | None) -> int:
    """Read a cursor: the number after which to go on. None: from the first event that is kept.

    Raises: Invalid for what is no cursor, Conflict for one of another timeline or ahead of the log, Gone for one whose next event
    is not kept any more.
    """
    if cursor is None:
        return of.first_seq - 1
    if cursor == LATEST:
        return of.last_seq
    timeline, seq = _parsed(cursor)
    if timeline != of.timeline_id or seq > of.last_seq:
        raise Conflict(
            "The cursor belongs to another timeline of this service",
            code="cursor_from_other_timeline",
            detail="The service was restored since. Take an export of the crosswalk, then go on behind the cursor that it names.",
            extra={"timeline_id": str(of.timeline_id), "latest": of.cursor(of.last_seq)},
        )
    if seq + 1 < of.first_seq:
        raise Gone(
            "The events behind this cursor are not kept any more",
            code="cursor_expired",
            detail=f"Events are kept for {KEPT_DAYS} days and more. Export the crosswalk, then go on behind its cursor.",
            extra={"oldest": of.cursor(of.first_seq - 1), "latest": of.cursor(of.last_seq)},
        )
    return seq


def _parsed(cursor: str) -> tuple[uuid.UUID, int]:
    timeline, _, seq = cursor.rpartition(":")
    try:
        if not (seq.isascii() and seq.isdecimal() and len(seq) < 19):
            raise ValueError
        return uuid.UUID(timeline), int(seq)
    except ValueError:
        raise Invalid(
            "This is no cursor", code="bad_cursor", detail="Give what `next` of a page or `id` of an event says, or `latest`."
        ) from None


def read(session: Session, of: Log, after: int, types: Sequence[str] = (), limit: int = 1_000) -> Page:
    """Read the events behind a number, of all types or of some."""
    most = min(of.last_seq, after + MOST_LOOKED_AT)
    found = session.connection().execute(
        _READ, {"after": after, "most": most, "types": list(types), "any": not types, "limit": limit}
    )
    events = tuple(Numbered(*row) for row in found)
    return Page(of, events, events[-1].seq if len(events) == limit else most)


def numbered(session: Session, seqs: Sequence[int]) -> list[Numbered]:
    """Read some events by their numbers."""
    found = session.connection().execute(_NUMBERED, {"seqs": list(seqs)})
    return [Numbered(*row) for row in found]


_COLUMNS = "seq, type, occurred_at, subject_id, subject_version, body, sources, load_id"
_NUMBERED = sa.text(f"SELECT {_COLUMNS} FROM event WHERE seq = ANY(:seqs) ORDER BY seq")
_READ = sa.text(f"""
SELECT {_COLUMNS} FROM event
WHERE seq > :after AND seq <= :most AND (:any OR type = ANY(:types)) ORDER BY seq LIMIT :limit""")


def forget_old(session: Session) -> int:
    """Drop the months of the log that ended more than KEPT_DAYS ago, and note where it begins now; how many months went."""
    return int(session.connection().execute(sa.text("SELECT forget_events(:days)"), {"days": KEPT_DAYS}).scalar_one())
