"""Undoes an import as a job: its records in chunks, each with its progress in one transaction; killed anywhere, it goes on.

What the import said counts no longer, record by record, in the transaction that makes the record stand without it. Chunks are the
job ledger's: several processes may work at one undo, and what fails again and again is left with its code.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from kernel import audit, jobs
from kernel.actor import Principal
from kernel.errors import Conflict, Invalid, NotFound
from kernel.jobs import Claim, Job
from mdm import chunks, imports, policy, record_log, sql
from mdm.steps import Steps, insist
from mdm.withdrawing import Fate, withdraw

KIND = imports.UNDO_KIND
# What a heal deleted bears its job as what an import brought does, and is taken back in the same way.
UNDOABLE = (imports.KIND, imports.HEAL_KIND)
CHUNK_RECORDS = 500
LONGEST_REASON = 1_000
WAIT_SECONDS = 0.5
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Import:
    """An import and what became of it. `undo` is the job that undoes it, or has undone it."""

    job: Job
    undo: Job | None

    @property
    def state(self) -> str:
        """As of its job; undone, partly_undone when some records could not be taken back, or being_undone."""
        if self.undo is None:
            return self.job.state
        if self.undo.state in jobs.OPEN:
            return "being_undone"
        return "partly_undone" if self.undo.failed_units else "undone"

    @property
    def undone_at(self) -> datetime | None:
        """When the last of it was taken back."""
        return self.undo.finished_at if self.undo else None


def recent(session: Session, limit: int) -> list[Import]:
    """List the latest imports, newest first."""
    return [Import(one, undo_of(session, one.job_id)) for one in jobs.recent(session, limit, imports.KIND)]


def find(session: Session, job_id: uuid.UUID) -> Import:
    """Read one import. Raises: NotFound."""
    job = jobs.status(session, job_id)
    if job.kind not in UNDOABLE:
        raise NotFound("This job is no import", code="unknown_import")
    return Import(job, undo_of(session, job_id))


def undo_of(session: Session, job_id: uuid.UUID) -> Job | None:
    """Read the job that undoes an import, or has undone it."""
    return jobs.find_by_fingerprint(session, KIND, str(job_id))


def checked_reason(text: str) -> str:
    """Accept a reason. Raises: Invalid when it is blank or too long."""
    if not text.strip() or len(text) > LONGEST_REASON:
        raise Invalid(f"Give a reason of at most {LONGEST_REASON:,} characters", code="reason_needed")
    return text.strip()


def begin(session: Session, job_id: uuid.UUID, principal: Principal, reason: str) -> Job:
    """Open the undo of an import, or find the one that was cut off. An import that is not finished ends where it is.

    Raises: NotFound; Conflict when nothing that it said counts any more.
    """
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{KIND}:{job_id}"])
    known = find(session, job_id)
    if known.state == "being_undone" and known.undo is not None:
        return known.undo
    if known.job.state in jobs.OPEN:
        jobs.cancel(session, job_id)
    said = record_log.said_by(session, job_id)
    if not said:
        raise Conflict("Nothing that this import said counts any more", code="nothing_to_undo", extra={"job_id": str(job_id)})
    audit.record(session, principal.actor, "import.undo", "job", str(job_id), after=reason)
    params = {"import": str(job_id), "reason": reason}
    parts = [{"records": [str(one) for one in said[at : at + CHUNK_RECORDS]]} for at in range(0, len(said), CHUNK_RECORDS)]
    made = jobs.create_job(session, KIND, params, principal.actor, fingerprint=str(job_id), total_units=len(said), chunks=parts)
    return jobs.status(session, made)


def run(steps: Steps, undo: Job, owner: str, progress: Progress) -> Job:
    """Work at an undo until it is done, beside workers who do; how it stands then. What a dead process held is waited for."""
    while True:
        with steps() as session:
            claim = jobs.claim_chunk(session, owner, [KIND], lease_seconds=chunks.LEASE_SECONDS, job_id=undo.job_id)
        if claim is not None:
            chunks.take(steps, CHUNKS, claim)
        with steps() as session:
            stands = jobs.status(session, undo.job_id)
        progress(stands.done_units, stands.total_units or 0)
        if not stands.open_chunks or stands.finished_at is not None:
            return stands
        if claim is None:
            time.sleep(WAIT_SECONDS)


def _work(steps: Steps, claim: Claim) -> None:
    records = [uuid.UUID(one) for one in claim.params["records"]]

    def act(session: Session) -> None:
        import_id = uuid.UUID(jobs.status(session, claim.job_id).params["import"])
        fates = withdraw(session, policy.current(session), import_id, claim.job_id, records)
        _count(session, claim.job_id, fates)
        jobs.finish_chunk(session, claim, done_units=len(records))

    insist(steps, act)


def _halves(params: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    records = params["records"]
    middle = len(records) // 2
    return [{"records": part} for part in (records[:middle], records[middle:]) if part]


def _count(session: Session, job_id: uuid.UUID, fates: Counter[Fate]) -> None:
    """Add to what became of records so far, under the lock of the job's row."""
    ((before,),) = sql.rows(session, "SELECT checkpoint FROM job WHERE job_id = %s FOR UPDATE", [job_id])
    jobs.checkpoint(session, job_id, Counter(before) + Counter({str(fate): count for fate, count in fates.items()}))


CHUNKS = chunks.Kind(KIND, _work, lambda params: len(params["records"]), _halves)
