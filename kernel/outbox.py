"""Events that must leave: written in the transaction of the change they tell of, numbered once that has committed.

The outbox is a queue. One sequencer empties it into the log, whose numbers (`seq`) are dense and never change; webhooks and feed
read the log. A body carries ids, versions and cause, never personal values. Sending is somebody else's work.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

WRITTEN = "mdm_outbox"  # The NOTIFY channels: something waits to be numbered, something was numbered.
NUMBERED = "mdm_events"
MOST_AT_ONCE = 5_000

_INSERT = """
INSERT INTO outbox (type, subject_id, subject_version, body, brands, regions, sources, load_id)
SELECT type, subject_id, subject_version, body, brands, regions, sources, load_id
FROM json_to_recordset(CAST(:events AS json)) AS e (type text, subject_id uuid, subject_version bigint, body jsonb,
  brands text[], regions text[], sources text[], load_id uuid)"""
_WRITE = sa.text(_INSERT)
# A notification serializes commits: for what is part of a load nobody is woken, it is found by polling.
_WRITE_AND_WAKE = sa.text(f"WITH written AS ({_INSERT}) SELECT pg_notify('{WRITTEN}', '')")


@dataclass(frozen=True, slots=True)
class Event:
    """One domain event about one subject at one version of it.

    `brands` and `regions` say who may see it (None: whoever may see all), `sources` whose records it speaks of, `load_id` the
    load that it is part of.
    """

    type: str
    subject_id: UUID
    subject_version: int
    body: Mapping[str, Any]
    brands: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()
    load_id: UUID | None = None

    def row(self) -> dict[str, Any]:
        """The event as a row of JSON."""
        return {
            "type": self.type, "subject_id": str(self.subject_id), "subject_version": self.subject_version,
            "body": dict(self.body), "brands": self.brands, "regions": self.regions, "sources": self.sources,
            "load_id": None if self.load_id is None else str(self.load_id),
        }  # fmt: skip


def emit(session: Session, event: Event) -> None:
    """Write one event."""
    emit_all(session, [event])


def emit_all(session: Session, events: Sequence[Event]) -> None:
    """Write events, in order, with one statement; the sequencer is woken when the transaction commits."""
    if events:
        statement = _WRITE if all(one.load_id for one in events) else _WRITE_AND_WAKE
        session.connection().execute(statement, {"events": json.dumps([one.row() for one in events], default=str)})


# Whoever numbers waits for the counter first, so that what is then read is everything that had committed by that time.
_TURN = sa.text("SELECT last_seq FROM event_counter FOR UPDATE")
_NUMBER = sa.text("""
WITH due AS (SELECT outbox_id FROM outbox ORDER BY outbox_id LIMIT :most),
taken AS (DELETE FROM outbox USING due WHERE outbox.outbox_id = due.outbox_id RETURNING outbox.*),
numbered AS (
  INSERT INTO event (seq, occurred_at, type, subject_id, subject_version, body, brands, regions, sources, load_id)
  SELECT :last + row_number() OVER (ORDER BY outbox_id), occurred_at, type, subject_id, subject_version, body, brands, regions,
    sources, load_id
  FROM taken RETURNING seq),
counted AS (
  UPDATE event_counter SET last_seq = last_seq + (SELECT count(*) FROM taken) WHERE EXISTS (SELECT FROM taken))
SELECT count(*), CASE WHEN count(*) > 0 THEN pg_notify(:channel, '') END FROM numbered""")


def number(session: Session, most: int = MOST_AT_ONCE) -> int:
    """Number what has committed, in the order in which it was written; how many events that were.

    Two versions of a subject are written by transactions of which the second waited for the first, so the numbers of one subject
    stand in the order of its versions. Takes turns with others who number; an event is numbered once whoever dies.
    """
    last = session.connection().execute(_TURN).scalar_one()
    return int(session.connection().execute(_NUMBER, {"last": last, "most": most, "channel": NUMBERED}).one()[0])
