"""The resolution ledger: which records are owed a resolution, who holds them, how often they failed.

Rows of `pending_record` are the truth; a doorbell (NOTIFY, Celery message) only says that there are some. Time is the
database's, so that one clock judges every lease. Never resolves anything itself.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel import log
from mdm import sql

CHANNEL = "mdm_work"
INTERACTIVE_PRIORITY = 0
BULK_PRIORITY = 5
BATCH_SIZE = 200
RESTORED = "restored"  # Why: what was altered past its writers has been put back.
# A bell that rings for one record costs its worker three dozen statements; with a hundred they cost a record a tenth of that.
COMPANY = 100
ANSWERED_SOON_SECONDS = 1.0
# While others are resolved, a batch of eight costs a record twice as much as one of thirty, which more hardly make cheaper.
HELD_SECONDS, ENOUGH = 0.2, 32
LEASE_SECONDS = 20.0
RING_AGAIN_SECONDS = 5.0
MAX_ATTEMPTS = 3
# A batch whose worker died is rung in smaller batches each time, so that the record that kills workers ends up alone.
BATCH_SIZES_AFTER_LOST_LEASES = (BATCH_SIZE, 50, 12, 3)
MAX_LOST_LEASES = len(BATCH_SIZES_AFTER_LOST_LEASES) + MAX_ATTEMPTS
# More rung rows than this wait in the broker: ringing more would only repeat what nobody has answered yet.
MAX_RUNG = 4_000


@dataclass(frozen=True, slots=True)
class Claim:
    """One record under lease. `request_no` tells whether it was asked for again in the meantime."""

    record_id: uuid.UUID
    request_no: int
    trace_parent: str | None = None


@dataclass(frozen=True, slots=True)
class Bell:
    """One doorbell to ring: ids of at most one batch, whether somebody waits for them, and the first one's trace."""

    record_ids: tuple[uuid.UUID, ...]
    interactive: bool
    trace_parent: str | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is owed: open rows (leased ones among them), quarantined rows, the age of the oldest open one, and the rows that wait
    for no worker but for a hold to be lifted."""

    open: int
    leased: int
    quarantined: int
    oldest_seconds: float
    held: int = 0


def request(
    session: Session,
    record_ids: Sequence[uuid.UUID],
    reason: str,
    priority: int = BULK_PRIORITY,
    fresh: bool = True,
    adoption: uuid.UUID | None = None,
) -> int:
    """Ask for resolution of records. A fresh request (new input) lifts a quarantine; a redo does not.

    A row asked for by an adoption is the adoption's until it goes, whoever asks for it again. What somebody waits for is worked
    on in the trace of whoever asked last.
    """
    if not record_ids:
        return 0
    about = {"ids": list(record_ids), "reason": reason, "priority": priority, "fresh": fresh, "adoption": adoption}
    touched = sql.run(
        session,
        """INSERT INTO pending_record AS p (record_id, reason, priority, adoption, trace_parent)
           SELECT DISTINCT id, %(reason)s, %(priority)s::smallint, %(adoption)s::uuid, %(trace_parent)s
           FROM unnest(%(ids)s::uuid[]) AS id ORDER BY id
           ON CONFLICT (record_id) DO UPDATE SET adoption = coalesce(EXCLUDED.adoption, p.adoption),
             trace_parent = coalesce(EXCLUDED.trace_parent, p.trace_parent),
             reason = EXCLUDED.reason, priority = LEAST(p.priority, EXCLUDED.priority), request_no = DEFAULT,
             available_at = now(), rung_at = NULL,
             attempts = CASE WHEN %(fresh)s THEN 0 ELSE p.attempts END,
             lost_leases = CASE WHEN %(fresh)s THEN 0 ELSE p.lost_leases END,
             error = CASE WHEN %(fresh)s THEN NULL ELSE p.error END,
             quarantined_at = CASE WHEN %(fresh)s THEN NULL ELSE p.quarantined_at END""",
        {**about, "trace_parent": log.trace_parent() if priority < BULK_PRIORITY else None},
    )
    if priority < BULK_PRIORITY:  # Bulk is found by polling: a notification serializes commits.
        notify(session)
    return touched


def take(
    session: Session, record_ids: Collection[uuid.UUID], owner: str, reason: str, seconds: float = LEASE_SECONDS
) -> list[Claim]:
    """Ask for resolution of records and hold those that were not owed one yet: what is done with them is owed until it stands.

    A row that is there already is asked for once more, so that whoever holds it does not strike it off. In the order of ids.
    """
    if not record_ids:
        return []
    found = sql.rows(
        session,
        """INSERT INTO pending_record AS p (record_id, reason, priority, lease_owner, lease_until)
           SELECT id, %(reason)s, %(priority)s, %(owner)s, now() + make_interval(secs => %(seconds)s)
           FROM unnest(%(ids)s::uuid[]) AS id ORDER BY id
           ON CONFLICT (record_id) DO UPDATE SET request_no = DEFAULT
           RETURNING p.record_id, p.request_no, p.lease_owner = %(owner)s""",
        {"ids": list(record_ids), "owner": owner, "reason": reason, "seconds": seconds, "priority": BULK_PRIORITY},
    )
    return [Claim(record_id, request_no) for record_id, request_no, is_mine in found if is_mine]


def given_up(session: Session, record_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Name those of the records that are quarantined."""
    found = sql.rows(
        session,
        "SELECT record_id FROM pending_record WHERE record_id = ANY(%s) AND quarantined_at IS NOT NULL",
        [list(record_ids)],
    )
    return {row[0] for row in found}


def notify(session: Session) -> None:
    """Wake the relay when this transaction commits."""
    sql.run(session, "SELECT pg_notify(%s, '')", [CHANNEL])


def due_bells(session: Session) -> tuple[list[Bell], int]:
    """Mark open rows as rung and give the doorbells to ring: interactive ones first, at most MAX_RUNG rows outstanding.

    While an interactive bell waits for a worker, others that come are held back (how many comes second): whoever answers it
    brings them along. Unless they are as many as it takes along, or it is not answered soon. While one is being answered, they
    are held back for a moment, unless they are enough for a batch of their own.
    """
    # After a load the table is a thousand pages of rows that are gone, until a vacuum comes: twenty times a second.
    sql.run(session, "SET LOCAL enable_seqscan = off")
    found = sql.rows(
        session,
        """WITH rung AS (SELECT count(*) FILTER (WHERE lease_owner IS NULL) AS n,
                           coalesce(bool_or(lease_owner IS NULL AND priority < %(bulk)s AND attempts = 0 AND lost_leases = 0
                             AND rung_at > now() - make_interval(secs => %(soon)s)), false) AS is_waiting,
                           coalesce(bool_or(lease_until > now() AND priority < %(bulk)s), false) AS is_being_answered
                         FROM pending_record WHERE quarantined_at IS NULL AND rung_at IS NOT NULL),
           open AS (SELECT record_id, priority, available_at,
                      priority < %(bulk)s AND attempts = 0 AND lost_leases = 0 AS goes_along
                    FROM pending_record
                    WHERE quarantined_at IS NULL AND lease_owner IS NULL AND rung_at IS NULL AND available_at <= now()
                    ORDER BY priority, available_at LIMIT greatest(0, %(limit)s - (SELECT n FROM rung)) FOR UPDATE SKIP LOCKED),
           due AS (SELECT record_id FROM open, rung WHERE NOT (goes_along AND (rung.is_waiting OR (rung.is_being_answered
                       AND (SELECT min(available_at) FROM open WHERE goes_along) > now() - make_interval(secs => %(held)s))))
                     OR (SELECT count(*) FROM open WHERE goes_along)
                       >= CASE WHEN rung.is_waiting THEN %(company)s ELSE %(enough)s END),
           ringing AS (UPDATE pending_record p SET rung_at = now() FROM due WHERE p.record_id = due.record_id
                       RETURNING p.record_id, p.priority, p.lost_leases, p.request_no, p.trace_parent)
           SELECT *, 0 FROM ringing
           UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, (SELECT count(*) FROM open) - (SELECT count(*) FROM due)""",
        {
            "limit": MAX_RUNG,
            "bulk": BULK_PRIORITY,
            "soon": ANSWERED_SOON_SECONDS,
            "company": COMPANY,
            "held": HELD_SECONDS,
            "enough": ENOUGH,
        },
    )
    ringing = sorted((row for row in found if row[0] is not None), key=lambda row: (row[1], row[3]))
    return _bells(ringing), sum(row[5] for row in found)


def _bells(found: list[sql.Row]) -> list[Bell]:
    batches: dict[tuple[bool, int], list[list[uuid.UUID]]] = {}
    parents = {row[0]: row[4] for row in found if row[4] is not None}
    for record_id, priority, lost_leases, *_ in found:
        size = BATCH_SIZES_AFTER_LOST_LEASES[lost_leases] if lost_leases < len(BATCH_SIZES_AFTER_LOST_LEASES) else 1
        queue = batches.setdefault((priority < BULK_PRIORITY, size), [[]])
        if len(queue[-1]) >= size:
            queue.append([])
        queue[-1].append(record_id)
    ordered = sorted(batches.items(), key=lambda item: (not item[0][0], -item[0][1]))
    rung = [(tuple(ids), interactive) for (interactive, _), queue in ordered for ids in queue if ids]
    return [Bell(ids, interactive, next(filter(None, map(parents.get, ids)), None)) for ids, interactive in rung]


_CLAIM = """
WITH due AS (SELECT record_id FROM pending_record
             WHERE quarantined_at IS NULL AND available_at <= now()
               AND (lease_owner IS NULL OR lease_owner = %(owner)s OR lease_until < now()) {which}
             FOR UPDATE SKIP LOCKED)
UPDATE pending_record p
SET lease_owner = %(owner)s, lease_until = now() + make_interval(secs => %(seconds)s),
    lost_leases = p.lost_leases + coalesce(p.lease_owner <> %(owner)s, false)::int
FROM due WHERE p.record_id = due.record_id
RETURNING p.record_id, p.request_no, p.trace_parent"""


def claim(session: Session, record_ids: Sequence[uuid.UUID], owner: str, seconds: float = LEASE_SECONDS) -> list[Claim]:
    """Take a lease on those of the records that are open and free; rows that somebody else holds are left alone."""
    params = {"ids": list(record_ids), "owner": owner, "seconds": seconds}
    return [Claim(*row) for row in sql.rows(session, _CLAIM.format(which="AND record_id = ANY(%(ids)s)"), params)]


def with_company(session: Session, record_ids: Sequence[uuid.UUID], most: int = COMPANY) -> list[uuid.UUID]:
    """Give the records of a bell that are still free and others that are due, to be resolved in one batch: no less urgent, `most`
    altogether. Nobody, when all of the bell are settled or held by now: another bell has brought them along.

    A record that failed or lost its worker is on its way to being alone: it gets no company, nor is it any. Claims nothing.
    """
    wanted = most - len(record_ids)
    if wanted <= 0:
        return list(record_ids)
    found = sql.rows(
        session,
        """WITH rung AS (SELECT record_id, priority, attempts > 0 OR lost_leases > 0 AS failed FROM pending_record
                         WHERE record_id = ANY(%(ids)s) AND quarantined_at IS NULL
                           AND (lease_owner IS NULL OR lease_until < now())),
           bell AS (SELECT max(priority) AS priority, bool_or(failed) AS failed FROM rung),
           company AS (
             SELECT p.record_id FROM pending_record p, bell
             WHERE p.quarantined_at IS NULL AND p.available_at <= now() AND p.lease_owner IS NULL
               AND NOT p.record_id = ANY(%(ids)s) AND p.attempts = 0 AND p.lost_leases = 0 AND p.priority <= bell.priority
               AND NOT bell.failed
             ORDER BY p.priority, p.available_at LIMIT %(wanted)s)
           SELECT record_id FROM rung UNION ALL SELECT record_id FROM company""",
        {"ids": list(record_ids), "wanted": wanted},
    )
    return [row[0] for row in found]


def claim_next(session: Session, owner: str, limit: int = BATCH_SIZE, seconds: float = LEASE_SECONDS) -> list[Claim]:
    """Take a lease on the next open rows, most urgent first; for draining without a broker."""
    params = {"limit": limit, "owner": owner, "seconds": seconds}
    statement = _CLAIM.format(which="ORDER BY priority, available_at LIMIT %(limit)s")
    return [Claim(*row) for row in sql.rows(session, statement, params)]


def extend(session: Session, record_ids: Collection[uuid.UUID], owner: str, seconds: float = LEASE_SECONDS) -> int:
    """Prolong this owner's leases on the records; the number still held."""
    return sql.run(
        session,
        """WITH held AS (SELECT record_id FROM pending_record WHERE record_id = ANY(%s) AND lease_owner = %s
                         ORDER BY record_id FOR UPDATE)
           UPDATE pending_record p SET lease_until = now() + make_interval(secs => %s)
           FROM held WHERE p.record_id = held.record_id""",
        [list(record_ids), owner, seconds],
    )


def finish(session: Session, claims: Sequence[Claim], owner: str) -> dict[uuid.UUID, str]:
    """Strike off what is done, and say why each was asked for. A row asked for again meanwhile stays, free to be rung; a lost
    lease strikes off nothing."""
    params = {"ids": [one.record_id for one in claims], "numbers": [one.request_no for one in claims], "owner": owner}
    done = sql.rows(
        session,
        """WITH claimed AS (
             SELECT p.record_id FROM pending_record p
             JOIN unnest(%(ids)s::uuid[], %(numbers)s::bigint[]) AS c (record_id, request_no) USING (record_id, request_no)
             WHERE p.lease_owner = %(owner)s ORDER BY p.record_id FOR UPDATE OF p)
           DELETE FROM pending_record p USING claimed WHERE p.record_id = claimed.record_id RETURNING p.record_id, p.reason""",
        params,
    )
    if len(done) < len(claims):
        release(session, [one.record_id for one in claims], owner)
    return dict(done)


def release(session: Session, record_ids: Sequence[uuid.UUID], owner: str, delay_seconds: float = 0.0) -> int:
    """Give back what this owner still holds of the records, to be rung again after a delay; not counted as a failure."""
    released = sql.run(
        session,
        """UPDATE pending_record SET lease_owner = NULL, lease_until = NULL, rung_at = NULL,
             available_at = now() + make_interval(secs => %(delay)s)
           WHERE record_id = ANY(%(ids)s) AND lease_owner = %(owner)s""",
        {"ids": list(record_ids), "owner": owner, "delay": delay_seconds},
    )
    if released and not delay_seconds:
        notify(session)
    return released


def fail(session: Session, record_id: uuid.UUID, owner: str, error: str) -> None:
    """Count a failure of one record that failed alone: tried again after 2, 4 seconds, quarantined at the third.

    `error` is a stable code or an exception's class, never its text: that may hold a personal value.
    """
    sql.run(
        session,
        """UPDATE pending_record SET attempts = attempts + 1, error = %(error)s,
             lease_owner = NULL, lease_until = NULL, rung_at = NULL,
             available_at = now() + make_interval(secs => 2 ^ (attempts + 1)),
             quarantined_at = CASE WHEN attempts + 1 >= %(most)s THEN now() END
           WHERE record_id = %(id)s AND lease_owner = %(owner)s""",
        {"id": record_id, "owner": owner, "error": error, "most": MAX_ATTEMPTS},
    )


def sweep(session: Session, ring_again_seconds: float = RING_AGAIN_SECONDS) -> int:
    """Make rows ready to ring again: their lease has expired (its worker died) or their bell was not answered.

    A row that lost its worker again and again, at last alone, is quarantined.
    """
    expired = sql.run(
        session,
        """UPDATE pending_record SET lease_owner = NULL, lease_until = NULL, rung_at = NULL, lost_leases = lost_leases + 1,
             quarantined_at = CASE WHEN lost_leases + 1 >= %(most)s THEN now() END,
             error = CASE WHEN lost_leases + 1 >= %(most)s THEN 'worker_lost' ELSE error END
           WHERE quarantined_at IS NULL AND lease_owner IS NOT NULL AND lease_until < now()""",
        {"most": MAX_LOST_LEASES},
    )
    unanswered = sql.run(
        session,
        """UPDATE pending_record SET rung_at = NULL
           WHERE quarantined_at IS NULL AND lease_owner IS NULL AND rung_at < now() - make_interval(secs => %s)""",
        [ring_again_seconds],
    )
    if expired + unanswered:
        notify(session)
    return expired + unanswered


def backlog(session: Session) -> Backlog:
    """Count what is owed."""
    counted = sql.rows(
        session,
        """SELECT count(*) FILTER (WHERE is_open), count(*) FILTER (WHERE lease_owner IS NOT NULL),
             count(*) FILTER (WHERE quarantined_at IS NOT NULL),
             coalesce(extract(epoch FROM now() - min(requested_at) FILTER (WHERE is_open)), 0)::float,
             count(*) FILTER (WHERE quarantined_at IS NULL AND NOT is_open)
           FROM (SELECT *, quarantined_at IS NULL AND available_at < 'infinity' AS is_open FROM pending_record) AS p""",
    )
    return Backlog(*counted[0])
