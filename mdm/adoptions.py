"""The way from one version set to the next, as a job: it counts the records that are still to be resolved under the new one.

Its pieces are rows of the resolution ledger, each with its lease and attempts, written in the transaction that makes the set
current: who is killed leaves nothing or everything to be done. Until its row goes a record reads as pending. Resolves nothing.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from kernel import jobs
from kernel.errors import Conflict
from kernel.jobs import Job
from mdm import pending, sql

KIND = "adoption"
REASON = "version_set"


def begin(session: Session, record_ids: Sequence[uuid.UUID], about: dict[str, Any], created_by: str) -> uuid.UUID | None:
    """Ask for the records under the set that becomes current; the job that counts them, none when there are none.

    An adoption that is under way ends: what it left is part of this one.
    """
    for one in under_way(session):
        jobs.cancel(session, one.job_id)
    if not record_ids:
        return None
    job_id = jobs.create_job(session, KIND, about, created_by, total_units=len(record_ids))
    pending.request(session, record_ids, REASON, fresh=False, adoption=job_id)
    return job_id


def under_way(session: Session) -> list[Job]:
    """The adoption that is not over: there is one at most."""
    return jobs.recent(session, 1, KIND, only_open=True)


def watch(session: Session) -> None:
    """Note how far the adoption under way has come, and close it when nothing is left but what was given up. For the sweeper; of
    several that look at once one does."""
    ((is_mine,),) = sql.rows(session, "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [KIND])
    for one in under_way(session) if is_mine else []:
        left, given_up = owed(session, one.job_id)
        done = (one.total_units or 0) - left - given_up
        if (done, given_up) != (one.done_units, one.failed_units):
            more = {"done_units": done - one.done_units, "failed_units": given_up - one.failed_units}
            jobs.checkpoint(session, one.job_id, {"records": done, "left": left, "given_up": given_up}, **more)
        if not left:
            jobs.finish_job(session, one.job_id, result={"records": done, "given_up": given_up})


def owed(session: Session, job_id: uuid.UUID) -> tuple[int, int]:
    """How many records of an adoption are still to be resolved, and how many were given up (they are in quarantine)."""
    ((left, given_up),) = sql.rows(
        session,
        """SELECT count(*) FILTER (WHERE quarantined_at IS NULL), count(quarantined_at) FROM pending_record
           WHERE adoption = %s""",
        [job_id],
    )
    return left, given_up


def refuse_cancel(session: Session, job_id: uuid.UUID) -> None:
    """Let nobody cancel an adoption: half the records would stay under either set. Raises: Conflict for one."""
    if jobs.status(session, job_id).kind == KIND:
        detail = "Let the version set before rule again instead (mdm policy rollback, mdm model use): that ends this one."
        raise Conflict("An adoption is not cancelled", code="adoption_goes_on", detail=detail)
