"""How far behind an endpoint is with what must not wait: merges, erasures, changes of consent. Too far, and one notice says so.

An endpoint that has ever confirmed is judged by what it has applied, any other by what was delivered to it. The database's time.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from kernel import outbox
from webhooks.deliveries import OVERDUE, hears

MERGED, ERASED, CONSENT, NARROWED = "golden.merged", "golden.erased", "consent.changed", "consent.narrowed"
URGENT = (MERGED, ERASED, CONSENT, NARROWED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The oldest event of a type that an endpoint has not applied, and for how long that has been in the log."""

    endpoint_id: uuid.UUID
    type: str
    seq: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Turned:
    """Endpoints that have become overdue, by what, and those that have caught up."""

    overdue: Sequence[Waiting]
    caught_up: Sequence[uuid.UUID]


# What was handed to the endpoint and has not arrived, and what it was not handed, or has not confirmed. The merges of a load move
# records: each of them is told, unless the endpoint reads loads from the feed.
_WAITING = f"""
SELECT ep.endpoint_id, w.type, w.seq, extract(epoch FROM now() - w.numbered_at)::float
FROM webhook_endpoint ep CROSS JOIN unnest(CAST(:types AS text[])) AS urgent
CROSS JOIN LATERAL (
  SELECT * FROM (
    (SELECT ev.type, ev.seq, ev.numbered_at FROM webhook_delivery d JOIN event ev USING (seq)
     WHERE d.endpoint_id = ep.endpoint_id AND d.state <> 'delivered' AND ev.type = urgent ORDER BY d.seq LIMIT 1)
    UNION ALL
    (SELECT ev.type, ev.seq, ev.numbered_at FROM event ev
     WHERE ev.type = urgent AND ev.type IN ('golden.merged', 'golden.erased', 'consent.changed', 'consent.narrowed')
       AND ev.seq > coalesce(ep.applied_seq, ep.reached_seq)
       AND (ev.load_id IS NULL OR ep.each_of_loads OR ep.latest_of_loads) AND {hears("ev")} ORDER BY ev.seq LIMIT 1)) AS found
  ORDER BY seq LIMIT 1) AS w
WHERE ep.disabled_because IS DISTINCT FROM 'by_hand' AND (CAST(:only AS uuid) IS NULL OR ep.endpoint_id = :only)
ORDER BY w.seq"""


def waiting(session: Session, only: uuid.UUID | None = None) -> list[Waiting]:
    """Say what waits at each endpoint, or at one: of each urgent type the oldest, in the order of their numbers.

    What somebody disabled by hand is not looked at.
    """
    return [Waiting(*row) for row in _run(session, _WAITING, types=list(URGENT), only=only)]


def watch(session: Session, longest_seconds: Mapping[str, float]) -> Turned:
    """Note which endpoints have become overdue and which have caught up; one event tells of each breach, whoever else looks."""
    late = {one.endpoint_id: one for one in reversed(waiting(session)) if one.seconds > longest_seconds[one.type]}
    turned = [one for one in late.values() if _begin(session, one)]
    since = "UPDATE webhook_endpoint SET overdue_since = NULL WHERE overdue_since IS NOT NULL AND NOT endpoint_id = ANY(:late)"
    caught_up = _run(session, f"{since} RETURNING endpoint_id", late=[str(one) for one in late])
    return Turned(turned, [row[0] for row in caught_up])


def _begin(session: Session, late: Waiting) -> bool:
    told = _run(
        session,
        """UPDATE webhook_endpoint SET overdue_since = now() WHERE endpoint_id = :id AND overdue_since IS NULL
           RETURNING brands, regions""",
        id=late.endpoint_id,
    ).one_or_none()
    if told is not None:
        body = {"endpoint_id": str(late.endpoint_id), "reason": late.type, "seq": late.seq}
        outbox.emit(session, outbox.Event(OVERDUE, late.endpoint_id, 1, body, told.brands, told.regions))
    return told is not None


def _run(session: Session, statement: str, **values: Any) -> Any:
    return session.connection().execute(sa.text(statement), values)
