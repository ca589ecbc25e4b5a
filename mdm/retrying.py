"""Tries again what was given up of a job, or cancels one, unless that would undo, double or halve what is done."""

import uuid

from sqlmodel import Session

from kernel import jobs
from kernel.errors import Conflict
from mdm import adoptions, import_undo, reconciliations


def retry(session: Session, job_id: uuid.UUID) -> int:
    """Hand out anew what was given up of a job; how many chunks.

    Raises: as `jobs.retry`; Conflict for an import that was undone (it would come back, in part), and for a reconciliation
    while another is under way (there is one at a time).
    """
    undone = import_undo.undo_of(session, job_id)
    if undone is not None:
        extra = {"undo_job_id": str(undone.job_id)}
        raise Conflict("This import was undone", code="import_undone", detail="Import the file anew.", extra=extra)
    if jobs.status(session, job_id).kind == reconciliations.KIND:
        reconciliations.refuse_second(session, job_id)
    return jobs.retry(session, job_id)


def cancel(session: Session, job_id: uuid.UUID) -> None:
    """Cancel a job. Raises: as `jobs.cancel`; Conflict for an adoption."""
    adoptions.refuse_cancel(session, job_id)
    jobs.cancel(session, job_id)
