"""The job ledger: jobs and their chunks, with lease, attempts, checkpoint and error. Rows are the truth, messages only doorbells.

A worker claims a chunk (SKIP LOCKED), works, and finishes it in the transaction of its effect; a claim that was lost meanwhile
cannot finish. What fails three times is bisected until the row that fails alone is quarantined. Time is the database's, so that
one clock judges every lease. Never runs anything itself.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from kernel import log, outbox
from kernel.clock import uuid7
from kernel.errors import Conflict, NotFound

LEASE_SECONDS = 60.0
MAX_ATTEMPTS = 3
MAX_LOST_LEASES = 5
RING_AGAIN_SECONDS = 10.0
OPEN = frozenset({"queued", "running", "paused"})  # The states of a job that is not over.

Params = Mapping[str, Any]
# Halves a chunk's params; gives nothing back when they cannot be halved any more.
Bisect = Callable[[Params], Sequence[Params]]


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands."""

    job_id: uuid.UUID
    kind: str
    fingerprint: str | None
    params: dict[str, Any]
    state: str
    total_units: int | None
    done_units: int
    failed_units: int
    checkpoint: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    open_chunks: int
    quarantined_chunks: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One chunk under lease. `token` proves the claim: a later claim of the same chunk has another."""

    chunk_id: uuid.UUID
    job_id: uuid.UUID
    kind: str
    params: dict[str, Any]
    attempts: int
    token: str
    trace_parent: str | None = None


def _run(session: Session, statement: str, **values: Any) -> Any:
    return session.connection().execute(sa.text(statement), values)


def create_job(
    session: Session,
    kind: str,
    params: Params,
    created_by: str,
    *,
    fingerprint: str | None = None,
    total_units: int | None = None,
    chunks: Sequence[Params] = (),
    priority: int = 5,
) -> uuid.UUID:
    """Open a job, with its chunks when they are known already. `fingerprint` says what input it is about, to find it again."""
    job_id = uuid7()
    _run(
        session,
        "INSERT INTO job (job_id, kind, fingerprint, params, total_units, created_by, trace_parent)"
        " VALUES (:job_id, :kind, :fingerprint, CAST(:params AS jsonb), :total_units, :created_by, :trace_parent)",
        job_id=job_id, kind=kind, fingerprint=fingerprint, params=json.dumps(dict(params)),
        total_units=total_units, created_by=created_by, trace_parent=log.trace_parent(),
    )  # fmt: skip
    add_chunks(session, job_id, chunks, priority)
    return job_id


def add_chunks(session: Session, job_id: uuid.UUID, chunks: Sequence[Params], priority: int = 5) -> None:
    """Append chunks, claimed in this order; the job's row is locked so that two appenders do not take the same place."""
    if not chunks:
        return
    _run(session, "SELECT FROM job WHERE job_id = :job_id FOR UPDATE", job_id=job_id)
    rows = [{"chunk_id": str(uuid7()), "place": place, "params": dict(params)} for place, params in enumerate(chunks, 1)]
    _run(
        session,
        """INSERT INTO job_chunk (chunk_id, job_id, params, priority, ordinal)
           SELECT chunk_id, :job_id, params, :priority,
             place + (SELECT coalesce(max(ordinal), 0) FROM job_chunk WHERE job_id = :job_id)
           FROM json_to_recordset(CAST(:rows AS json)) AS c (chunk_id uuid, place integer, params jsonb)""",
        job_id=job_id, rows=json.dumps(rows), priority=priority,
    )  # fmt: skip


_JOBS = """
SELECT j.job_id, j.kind, j.fingerprint, j.params,
       CASE WHEN j.paused_at IS NULL OR j.finished_at IS NOT NULL THEN j.state ELSE 'paused' END AS state,
       j.total_units, j.done_units, j.failed_units, j.checkpoint, j.result, j.error, j.created_by, j.created_at, j.finished_at,
       count(c.chunk_id) FILTER (WHERE c.state IN ('queued', 'leased')), count(c.chunk_id) FILTER (WHERE c.state = 'quarantined')
FROM job j LEFT JOIN job_chunk c USING (job_id)
"""


def status(session: Session, job_id: uuid.UUID) -> Job:
    """Tell how a job stands. Raises: NotFound."""
    found = _latest(session, "job_id = :job_id", 1, job_id=job_id)
    if not found:
        raise NotFound("No such job", code="unknown_job")
    return found[0]


def find_by_fingerprint(session: Session, kind: str, fingerprint: str) -> Job | None:
    """Find the latest job about the same input that was not cancelled; the caller resumes it or says that it is done."""
    about = "kind = :kind AND fingerprint = :fingerprint AND j.state <> 'cancelled'"
    return next(iter(_latest(session, about, 1, kind=kind, fingerprint=fingerprint)), None)


def recent(session: Session, limit: int = 20, kind: str | None = None, only_open: bool = False) -> list[Job]:
    """List the latest jobs, of all kinds or one, perhaps only those that are not over; newest first."""
    wanted = "(CAST(:kind AS text) IS NULL OR kind = :kind) AND NOT (:only_open AND j.finished_at IS NOT NULL)"
    return _latest(session, wanted, limit, kind=kind, only_open=only_open)


def _latest(session: Session, which: str, limit: int, **values: Any) -> list[Job]:
    latest = f"{_JOBS} WHERE {which} GROUP BY j.job_id ORDER BY j.created_at DESC, j.job_id DESC LIMIT :limit"
    return [Job(*row) for row in _run(session, latest, limit=limit, **values)]


def checkpoint(session: Session, job_id: uuid.UUID, reached: Params, *, done_units: int = 0, failed_units: int = 0) -> None:
    """Remember how far a job came, in the transaction of what it did. Units are added. Raises: Conflict when it is over."""
    touched = _run(
        session,
        "UPDATE job SET state = 'running', checkpoint = CAST(:reached AS jsonb), done_units = done_units + :done,"
        " failed_units = failed_units + :failed WHERE job_id = :job_id AND state IN ('queued', 'running')",
        job_id=job_id, reached=json.dumps(dict(reached)), done=done_units, failed=failed_units,
    )  # fmt: skip
    if touched.rowcount == 0:
        raise Conflict("The job is over: it was finished, cancelled or has failed", code="job_over")


def finish_job(session: Session, job_id: uuid.UUID, *, result: Params | None = None, error: str | None = None) -> None:
    """Close a job, as failed when it names an error (a stable code, never an exception's text). Idempotent."""
    kept = None if result is None else json.dumps(dict(result))
    changes = "state = :state, result = CAST(:result AS jsonb), error = :error"
    _close(session, job_id, changes, state="failed" if error else "finished", error=error, result=kept)


def cancel(session: Session, job_id: uuid.UUID) -> None:
    """Stop handing out chunks of a job; one that is being worked on cannot finish any more. Raises: Conflict when it is over."""
    if not _close(session, job_id, "state = 'cancelled'"):
        raise Conflict("The job is over already", code="job_over")


def pause(session: Session, job_id: uuid.UUID) -> None:
    """Begin no more chunks of a job until it is resumed; those begun are done. Raises: Conflict when none is left."""
    left = "EXISTS (SELECT FROM job_chunk c WHERE c.job_id = job.job_id AND c.state IN ('queued', 'leased'))"
    if not _pause(session, job_id, "coalesce(paused_at, now())", left):
        raise Conflict("Nothing of this job is left to be handed out", code="nothing_to_pause")


def resume(session: Session, job_id: uuid.UUID) -> None:
    """Go on with a job that was paused. Raises: Conflict when it is not paused, or over."""
    if not _pause(session, job_id, "NULL", "paused_at IS NOT NULL"):
        raise Conflict("The job is not paused", code="not_paused")


def _pause(session: Session, job_id: uuid.UUID, at: str, only: str) -> bool:
    statement = f"UPDATE job SET paused_at = {at} WHERE job_id = :job_id AND finished_at IS NULL AND {only}"
    return bool(_run(session, statement, job_id=job_id).rowcount)


def retry(session: Session, job_id: uuid.UUID) -> int:
    """Hand out anew what was quarantined, unless its job was cancelled; how many chunks. Raises: NotFound; Conflict for none."""
    status(session, job_id)
    chunks = _run(
        session,
        """WITH held AS (
             SELECT c.chunk_id, c.failed_units FROM job_chunk c JOIN job USING (job_id)
             WHERE job_id = :job_id AND c.state = 'quarantined' AND job.state <> 'cancelled' FOR UPDATE OF c),
           anew AS (UPDATE job_chunk c SET state = 'queued', attempts = 0, lost_leases = 0, failed_units = 0, error = NULL,
             rung_at = NULL, finished_at = NULL FROM held WHERE c.chunk_id = held.chunk_id)
           UPDATE job SET state = 'running', finished_at = NULL, paused_at = NULL, error = NULL, result = NULL,
             failed_units = failed_units - held.units FROM (SELECT count(*) AS chunks, sum(failed_units) AS units FROM held) held
           WHERE job_id = :job_id AND state <> 'cancelled' AND held.chunks > 0 RETURNING held.chunks""",
        job_id=job_id,
    ).scalar_one_or_none()  # fmt: skip
    if chunks is None:
        raise Conflict("Nothing of this job was given up", code="nothing_to_retry")
    return int(chunks)


def ring_due(session: Session, limit: int = 100) -> list[tuple[uuid.UUID, int]]:
    """Mark free chunks as rung and name them with their priority, for the relay to ring, the most urgent first.

    An unanswered bell is due again after RING_AGAIN_SECONDS; no more than `limit` bells are out at a time.
    """
    rows = _run(
        session,
        """WITH free AS (SELECT c.chunk_id, coalesce(c.rung_at > now() - make_interval(secs => :again), false) AS is_out
             FROM job_chunk c JOIN job USING (job_id) WHERE c.state IN ('queued', 'leased') AND job.state IN ('queued', 'running')
               AND job.paused_at IS NULL AND (c.lease_until IS NULL OR c.lease_until < now())),
           due AS (SELECT chunk_id FROM job_chunk WHERE chunk_id IN (SELECT chunk_id FROM free WHERE NOT is_out)
             ORDER BY priority, job_id, ordinal LIMIT greatest(0, :limit - (SELECT count(*) FROM free WHERE is_out))
             FOR UPDATE SKIP LOCKED)
           UPDATE job_chunk c SET rung_at = now() FROM due WHERE c.chunk_id = due.chunk_id
           RETURNING c.chunk_id, c.priority, c.job_id, c.ordinal""",
        limit=limit, again=RING_AGAIN_SECONDS,
    )  # fmt: skip
    return [(row.chunk_id, row.priority) for row in sorted(rows, key=lambda row: row[1:])]


def claim_chunk(
    session: Session,
    owner: str,
    kinds: Sequence[str],
    *,
    lease_seconds: float = LEASE_SECONDS,
    chunk_id: uuid.UUID | None = None,
    job_id: uuid.UUID | None = None,
) -> Claim | None:
    """Take a lease on the next free chunk of these kinds (of that job, or on that one), or None.

    Free is what is queued, or whose lease has run out (that is counted as lost). The caller commits before it works.
    """
    token = f"{owner}:{uuid7()}"
    row = _run(
        session,
        """WITH due AS (
             SELECT c.chunk_id, c.job_id, job.kind, job.trace_parent FROM job_chunk c JOIN job USING (job_id)
             WHERE c.state IN ('queued', 'leased') AND job.state IN ('queued', 'running') AND job.kind = ANY(:kinds)
               AND job.paused_at IS NULL AND (c.lease_until IS NULL OR c.lease_until < now())
               AND c.lost_leases + (c.state = 'leased')::int < :most AND (CAST(:only AS uuid) IS NULL OR c.chunk_id = :only)
               AND (CAST(:job AS uuid) IS NULL OR c.job_id = :job)
             ORDER BY c.priority, c.job_id, c.ordinal LIMIT 1 FOR UPDATE OF c SKIP LOCKED),
           fresh AS (SELECT job_id FROM job WHERE state = 'queued' AND job_id IN (SELECT job_id FROM due) FOR UPDATE SKIP LOCKED),
           begun AS (UPDATE job SET state = 'running' FROM fresh WHERE job.job_id = fresh.job_id)
           UPDATE job_chunk c SET state = 'leased', lease_owner = :token, lease_until = now() + make_interval(secs => :seconds),
             lost_leases = c.lost_leases + (c.state = 'leased')::int FROM due WHERE c.chunk_id = due.chunk_id
           RETURNING c.chunk_id, c.job_id, due.kind, c.params, c.attempts, due.trace_parent""",
        kinds=list(kinds), most=MAX_LOST_LEASES, only=chunk_id, job=job_id, token=token, seconds=lease_seconds,
    ).one_or_none()  # fmt: skip
    return None if row is None else Claim(row.chunk_id, row.job_id, row.kind, row.params, row.attempts, token, row.trace_parent)


def heartbeat(session: Session, claim: Claim, lease_seconds: float = LEASE_SECONDS) -> None:
    """Prolong a lease. Raises: Conflict (lease_lost) when somebody else has the chunk, or the job was cancelled."""
    _held(session, claim, "lease_until = now() + make_interval(secs => :seconds)", seconds=lease_seconds)


def finish_chunk(session: Session, claim: Claim, *, done_units: int = 0, failed_units: int = 0) -> None:
    """Mark a chunk as done, in the transaction of its effect. Raises: Conflict (lease_lost), so that the effect is rolled back.

    The last chunk of a job whose `total_units` are known closes the job.
    """
    _held(session, claim, "state = 'done', lease_until = NULL, finished_at = now(), error = NULL")
    _count(session, claim.job_id, done_units, failed_units)


def fail_chunk(session: Session, claim: Claim, error: str, *, units: int = 0, bisect: Bisect | None = None) -> None:
    """Count a failure: tried again, and at the third bisected, or quarantined when it cannot be halved.

    `error` is a stable code or an exception's class, never its text: that may hold a personal value.
    Raises: Conflict (lease_lost).
    """
    tried = "state = 'queued', attempts = attempts + 1, lease_until = NULL, rung_at = NULL, error = :error"
    _held(session, claim, tried, error=error)
    if claim.attempts + 1 >= MAX_ATTEMPTS:
        _divide(session, claim.chunk_id, claim.job_id, claim.params, error, units, bisect)


def divide_abandoned(session: Session, kind: str, *, bisect: Bisect | None = None) -> list[uuid.UUID]:
    """Bisect or quarantine the chunks that lost their worker MAX_LOST_LEASES times; the job of each. For the sweeper."""
    rows = _run(
        session,
        """SELECT c.chunk_id, c.job_id, c.params FROM job_chunk c JOIN job USING (job_id)
           WHERE c.state = 'leased' AND c.lease_until < now() AND c.lost_leases >= :most - 1 AND job.kind = :kind
             AND job.state IN ('queued', 'running') FOR UPDATE OF c SKIP LOCKED""",
        most=MAX_LOST_LEASES, kind=kind,
    ).all()  # fmt: skip
    for row in rows:
        _divide(session, row.chunk_id, row.job_id, row.params, "worker_lost", 0, bisect)
    return [row.job_id for row in rows]


def _held(session: Session, claim: Claim, changes: str, **values: Any) -> None:
    touched = _run(
        session,
        # A job that is 'queued' here is being begun by another worker's claim that has not committed yet.
        f"UPDATE job_chunk c SET {changes} FROM job"
        " WHERE c.chunk_id = :chunk_id AND c.lease_owner = :token AND c.state = 'leased'"
        " AND job.job_id = c.job_id AND job.state IN ('queued', 'running')",
        chunk_id=claim.chunk_id, token=claim.token, **values,
    )  # fmt: skip
    if touched.rowcount == 0:
        raise Conflict("The lease on this chunk was lost", code="lease_lost")


def _divide(
    session: Session, chunk_id: uuid.UUID, job_id: uuid.UUID, params: Params, error: str, units: int, bisect: Bisect | None
) -> None:
    parts = bisect(params) if bisect else ()
    if len(parts) > 1:
        deleted = "DELETE FROM job_chunk WHERE chunk_id = :chunk_id RETURNING priority"
        add_chunks(session, job_id, parts, _run(session, deleted, chunk_id=chunk_id).scalar_one())
        return
    given_up = "state = 'quarantined', lease_until = NULL, error = :error, finished_at = now(), failed_units = :units"
    statement = f"UPDATE job_chunk SET {given_up} WHERE chunk_id = :chunk_id"
    _run(session, statement, chunk_id=chunk_id, error=error, units=units)
    _count(session, job_id, 0, units)


def _count(session: Session, job_id: uuid.UUID, done: int, failed: int) -> None:
    """Add units, and close a job that has all its chunks and none left open. Its row is locked first, so that of two workers that
    finish the last chunks at once the second sees the first."""
    added = "done_units = done_units + :done, failed_units = failed_units + :failed"
    changes = f"{added}, state = CASE state WHEN 'queued' THEN 'running' ELSE state END"
    _run(session, f"UPDATE job SET {changes} WHERE job_id = :job_id", job_id=job_id, done=done, failed=failed)
    none_left = "AND NOT EXISTS (SELECT FROM job_chunk WHERE job_id = :job_id AND state IN ('queued', 'leased'))"
    _close(session, job_id, "state = 'finished'", f"AND total_units IS NOT NULL {none_left}")


def _close(session: Session, job_id: uuid.UUID, changes: str, only: str = "", **values: Any) -> bool:
    """Close a job that is not over, and tell whoever listens: at most once, since only who closes it gets its row."""
    closed = _run(
        session,
        f"UPDATE job SET {changes}, finished_at = now()"
        f" WHERE job_id = :job_id AND state IN ('queued', 'running') {only} RETURNING kind, state, error",
        job_id=job_id, **values,
    ).all()  # fmt: skip
    for kind, state, error in closed:
        body = {"job_id": str(job_id), "kind": kind, "error": error}
        outbox.emit(session, outbox.Event(f"job.{state}", job_id, 1, body))
    return bool(closed)
