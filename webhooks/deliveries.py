"""What is owed to each endpoint: made from the event log, handed out for an attempt, and what became of each attempt.

A delivery that was handed out falls due again by itself when nobody says how it went: whoever sends may die at any moment, and
the subscriber sees the same `webhook-id` twice. Time is the database's.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from kernel import outbox
from kernel.errors import Invalid, NotFound
from webhooks.endpoints import Endpoint

# An attempt takes 15 seconds at most; after this it is taken for lost.
ATTEMPT_SECONDS = 60.0
MOST_LOOKED_THROUGH = 5_000
# An endpoint that does not keep up has so many rows; the rest of what it is owed waits in the log.
MOST_DUE = 10_000
MOST_REDELIVERED = 100_000
KEPT_DAYS = 30
LONGEST_ANSWER = 200
DISABLED = "endpoint.disabled"
OVERDUE = "endpoint.overdue"
NOT_KEPT = "events_not_kept"
TEST = "endpoint.test"


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that was handed out. `attempts` were made before."""

    endpoint_id: uuid.UUID
    seq: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt went: the status that was answered, or else what kept it from being answered."""

    due: Due
    status: int | None
    error: str | None
    milliseconds: int
    answer: str = ""
    pause_seconds: float | None = None

    def row(self, is_delivered: bool) -> dict[str, Any]:
        """The attempt as a row of JSON."""
        state = "delivered" if is_delivered else "dead" if self.pause_seconds is None else "due"
        said = {"status": self.status, "error": self.error, "ms": self.milliseconds, "answer": self.answer[:LONGEST_ANSWER]}
        return {
            "endpoint_id": str(self.due.endpoint_id), "seq": self.due.seq, "state": state, "pause": self.pause_seconds or 0.0,
            "tried": {name: value for name, value in said.items() if value not in (None, "")},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it is told: its attempts, each with time, status or error."""

    seq: int
    type: str | None
    subject_id: uuid.UUID
    state: str
    attempts: int
    due_at: datetime
    ended_at: datetime | None
    tried: Sequence[Mapping[str, Any]]


def _run(session: Session, statement: str, **values: Any) -> Any:
    return session.connection().execute(sa.text(statement), values)


def hears(ev: str) -> str:
    """Say in SQL which events the endpoint `ep` hears of, loads aside. As in_scope of the database says it, of an endpoint: what
    is of no brand is told to whoever hears of all."""
    return f"""
(CASE {ev}.type WHEN 'endpoint.test' THEN {ev}.subject_id = ep.endpoint_id
  WHEN 'endpoint.disabled' THEN {ev}.subject_id <> ep.endpoint_id
  WHEN 'endpoint.overdue' THEN {ev}.subject_id <> ep.endpoint_id
  ELSE (cardinality(ep.types) = 0 OR {ev}.type = ANY(ep.types)) AND (cardinality(ep.sources) = 0 OR {ev}.sources && ep.sources)
    AND (cardinality(ep.changed) = 0 OR {ev}.type <> 'golden.updated' OR {ev}.body -> 'changed' ?| ep.changed)
  END)
AND (ep.brands IS NULL OR {ev}.brands && ep.brands) AND (ep.regions IS NULL OR {ev}.regions && ep.regions)"""


_FAN_OUT = f"""
WITH behind AS (
  SELECT e.*, least(c.last_seq, e.reached_seq + :most) AS until FROM webhook_endpoint e CROSS JOIN event_counter c
  WHERE e.disabled_at IS NULL AND e.reached_seq < c.last_seq
    AND (SELECT count(*) FROM (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'due'
         LIMIT :room) AS held) < :room
  ORDER BY e.endpoint_id FOR UPDATE OF e SKIP LOCKED),
made AS (
  INSERT INTO webhook_delivery (endpoint_id, seq, subject_id)
  SELECT ep.endpoint_id, ev.seq, ev.subject_id FROM behind ep JOIN event ev ON ev.seq > ep.reached_seq AND ev.seq <= ep.until
  WHERE (ep.each_of_loads OR ev.load_id IS NULL) AND {hears("ev")}
  ORDER BY ep.endpoint_id, ev.seq ON CONFLICT DO NOTHING RETURNING 1),
owed AS (
  INSERT INTO webhook_catch_up (endpoint_id, load_id, reached_seq, until_seq)
  SELECT ep.endpoint_id, ev.subject_id, greatest((SELECT max(seq) FROM event before
      WHERE before.subject_id = ev.subject_id AND before.type = ev.type AND before.seq < ev.seq),
    (SELECT min(seq) - 1 FROM event WHERE load_id = ev.subject_id), 0), ev.seq
  FROM behind ep JOIN event ev ON ev.seq > ep.reached_seq AND ev.seq <= ep.until
  WHERE ev.type = 'load.finished' AND ep.latest_of_loads AND NOT ep.each_of_loads ON CONFLICT DO NOTHING),
moved AS (UPDATE webhook_endpoint e SET reached_seq = b.until FROM behind b WHERE e.endpoint_id = b.endpoint_id RETURNING 1)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM moved)"""


def fan_out(session: Session) -> bool:
    """Make deliveries of what was numbered since, for every endpoint that is enabled; whether there may be more to do.

    Events of a load are left out; its end is noted for `webhooks.catching_up`.
    """
    _, moved = _run(session, _FAN_OUT, most=MOST_LOOKED_THROUGH, room=MOST_DUE).one()
    return bool(moved)


_HAND_OUT = """
WITH due AS (
  SELECT d.endpoint_id, d.seq
  FROM unnest(CAST(:ids AS uuid[]), CAST(:free AS integer[])) AS f (endpoint_id, free)
  JOIN webhook_endpoint e ON e.endpoint_id = f.endpoint_id AND e.disabled_at IS NULL
  CROSS JOIN LATERAL (
    SELECT endpoint_id, seq FROM webhook_delivery d
    WHERE d.endpoint_id = f.endpoint_id AND d.state = 'due' AND d.due_at <= now()
      AND (NOT e.is_ordered OR NOT EXISTS (
        SELECT FROM webhook_delivery b
        WHERE b.endpoint_id = d.endpoint_id AND b.subject_id = d.subject_id AND b.state = 'due' AND b.seq < d.seq))
    ORDER BY d.due_at, d.seq LIMIT f.free FOR UPDATE SKIP LOCKED) AS d)
UPDATE webhook_delivery d SET due_at = now() + make_interval(secs => :seconds)
FROM due WHERE d.endpoint_id = due.endpoint_id AND d.seq = due.seq
RETURNING d.endpoint_id, d.seq, d.attempts"""


def hand_out(session: Session, free: Mapping[uuid.UUID, int]) -> list[Due]:
    """Hand out due deliveries: of each endpoint at most so many, those due longest first."""
    if not free:
        return []
    ids, most = [str(one) for one in free], list(free.values())
    rows = _run(session, _HAND_OUT, ids=ids, free=most, seconds=ATTEMPT_SECONDS)
    return sorted((Due(*row) for row in rows), key=lambda one: one.seq)


def note(session: Session, tried: Sequence[tuple[Tried, bool]]) -> None:
    """Note how attempts went (and whether they delivered). One whose delivery was taken back meanwhile changes nothing."""
    if not tried:
        return
    _run(
        session,
        """UPDATE webhook_delivery d SET state = n.state, attempts = d.attempts + 1,
             due_at = now() + make_interval(secs => n.pause), ended_at = CASE WHEN n.state <> 'due' THEN now() END,
             tried = d.tried || (jsonb_build_object('at', now()) || n.tried)
           FROM json_to_recordset(CAST(:rows AS json))
             AS n (endpoint_id uuid, seq bigint, state text, pause float8, tried jsonb)
           WHERE d.endpoint_id = n.endpoint_id AND d.seq = n.seq AND d.state = 'due'""",
        rows=json.dumps([one.row(is_delivered) for one, is_delivered in tried]),
    )


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint fares: failures in a row, since when, until when it is left in peace, whether it is given up."""

    failures: int
    failing_since: datetime | None
    open_until: datetime | None
    disabled_because: str | None = None


def note_health(session: Session, endpoint_id: uuid.UUID, health: Health) -> None:
    """Note how an endpoint fares. One that is given up is told of by an event, once."""
    told = _run(
        session,
        """UPDATE webhook_endpoint SET failures = :failures, failing_since = :since, open_until = :until,
             disabled_at = CASE WHEN CAST(:because AS text) IS NOT NULL THEN now() END, disabled_because = :because
           WHERE endpoint_id = :id AND disabled_at IS NULL RETURNING brands, regions""",
        id=endpoint_id, failures=health.failures, since=health.failing_since, until=health.open_until,
        because=health.disabled_because,
    ).one_or_none()  # fmt: skip
    if told is not None and health.disabled_because is not None:
        outbox.emit(session, _disabled(endpoint_id, health.disabled_because, told.brands, told.regions))


def _disabled(endpoint_id: uuid.UUID, because: str, *scope: Any) -> outbox.Event:
    return outbox.Event(DISABLED, endpoint_id, 1, {"endpoint_id": str(endpoint_id), "reason": because}, *scope)


_OVERTAKEN = """
UPDATE webhook_endpoint e SET disabled_at = now(), disabled_because = :because FROM event_counter c
WHERE e.disabled_at IS NULL AND (e.reached_seq + 1 < c.first_seq OR EXISTS (
  SELECT FROM webhook_catch_up u WHERE u.endpoint_id = e.endpoint_id AND u.reached_seq + 1 < c.first_seq))
RETURNING e.endpoint_id, e.brands, e.regions"""


def disable_overtaken(session: Session) -> int:
    """Disable endpoints that were still to be told of events which are not kept any more; how many. An event tells of each.

    Called where events are let go of, before anything is made due behind the gap.
    """
    found = _run(session, _OVERTAKEN, because=NOT_KEPT).all()
    outbox.emit_all(session, [_disabled(row[0], NOT_KEPT, *row[1:]) for row in found])
    return len(found)


_DELIVERIES = """
SELECT d.seq, e.type, d.subject_id, d.state, d.attempts, d.due_at, d.ended_at, d.tried
FROM webhook_delivery d LEFT JOIN event e ON e.seq = d.seq
WHERE d.endpoint_id = :id AND d.seq < :before AND (CAST(:state AS text) IS NULL OR d.state = :state)
ORDER BY d.seq DESC LIMIT :limit"""


def told(session: Session, endpoint_id: uuid.UUID, state: str | None, before: int | None, limit: int) -> list[Delivery]:
    """List deliveries of an endpoint, the latest events first."""
    rows = _run(session, _DELIVERIES, id=endpoint_id, state=state, before=before or 2**62, limit=limit)
    return [Delivery(*row) for row in rows]


def forget_answers(session: Session, subject_ids: Sequence[uuid.UUID]) -> int:
    """Take what endpoints answered out of the deliveries of events about some subjects: a receiver may have told their values."""
    return int(
        _run(
            session,
            """UPDATE webhook_delivery
               SET tried = (SELECT coalesce(jsonb_agg(one - 'answer'), '[]') FROM jsonb_array_elements(tried) one)
               WHERE subject_id = ANY(CAST(:ids AS uuid[])) AND jsonb_path_exists(tried, '$[*].answer')""",
            ids=[str(one) for one in subject_ids],
        ).rowcount
    )


_AGAIN = f"""
INSERT INTO webhook_delivery (endpoint_id, seq, subject_id)
SELECT ep.endpoint_id, ev.seq, ev.subject_id FROM webhook_endpoint ep JOIN event ev ON ev.seq BETWEEN :first AND :last
WHERE ep.endpoint_id = :id AND ev.seq <= ep.reached_seq AND {hears("ev")}
  AND (ep.each_of_loads OR ev.load_id IS NULL OR EXISTS (
    SELECT FROM webhook_delivery d WHERE d.endpoint_id = ep.endpoint_id AND d.seq = ev.seq))
  AND (NOT :only_dead OR EXISTS (
    SELECT FROM webhook_delivery d WHERE d.endpoint_id = ep.endpoint_id AND d.seq = ev.seq AND d.state = 'dead'))
ON CONFLICT (endpoint_id, seq) DO UPDATE SET state = 'due', due_at = now(), attempts = 0, ended_at = NULL
RETURNING 1"""


def again(session: Session, endpoint_id: uuid.UUID, first_seq: int, last_seq: int, only_dead: bool) -> int:
    """Deliver a range of events once more, or those of it that were given up; how many. Raises: Invalid, NotFound for none.

    Under the same ids and in the order of their numbers, at the endpoint's own rate.
    """
    if last_seq - first_seq >= MOST_REDELIVERED:
        raise Invalid(f"At most {MOST_REDELIVERED:,} event numbers can be delivered again at once", code="range_too_large")
    count = len(_run(session, _AGAIN, id=endpoint_id, first=first_seq, last=last_seq, only_dead=only_dead).all())
    if not count:
        raise NotFound("There is no such event for this endpoint, or it is not kept any more", code="nothing_to_redeliver")
    return count


def test(session: Session, of: Endpoint) -> None:
    """Send a test event to an endpoint, on the way that all events take and within what it may hear of. Raises: Invalid."""
    if of.disabled_at:
        raise Invalid("The endpoint is disabled: enable it first", code="endpoint_disabled")
    body = {"endpoint_id": str(of.endpoint_id)}
    outbox.emit(session, outbox.Event(TEST, of.endpoint_id, 1, body, of.brands, of.regions))


def forget_old(session: Session) -> int:
    """Forget deliveries that ended long ago; how many."""
    done = _run(
        session,
        "DELETE FROM webhook_delivery WHERE state <> 'due' AND ended_at < now() - make_interval(days => :days)",
        days=KEPT_DAYS,
    )
    return int(done.rowcount)
