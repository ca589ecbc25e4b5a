"""Jobs: imports, reconciliations and whatever else takes its time; how they stand, and how to stop or go on with them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api import answers, working
from api.deps import JobsReader, JobsWriter, Reading, step
from api.routes import Route, resource
from api.schemas.decisions import NO_NUL
from api.schemas.jobs import Job, Jobs, Retried
from kernel import audit, db, jobs
from mdm import retrying

router = resource("jobs", Route)
EVENT = {"type": "object", "properties": {"event": {"const": "progress"}, "data": {"type": "string", "description": "A job."}}}
Kind = Annotated[str | None, Query(max_length=64, pattern=NO_NUL, description="Only jobs of this kind, such as `import`.")]


@router.get("/v1/jobs", response_model=Jobs)
def listed(caller: JobsReader, session: Reading, kind: Kind = None, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> Response:
    """List the latest jobs, the newest first."""
    return answers.json_answer({"items": working.listed(session, caller, kind, limit)})


@router.get("/v1/jobs/{job_id}", response_model=Job)
def get(caller: JobsReader, session: Reading, job_id: UUID) -> Response:
    """Read how a job stands."""
    return answers.json_answer(working.shown(working.require(session, caller, job_id)))


@router.get(
    "/v1/jobs/{job_id}/progress",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": EVENT}}, "description": "`progress` events."}},
)
async def progress(caller: JobsReader, job_id: UUID) -> Response:
    """Follow a job until it is over, as server-sent events: one whenever it has changed, looked at every second."""
    await run_in_threadpool(step, caller, lambda session: working.require(session, caller, job_id))
    return StreamingResponse(working.progress(caller, job_id), media_type="text/event-stream", headers=answers.PRIVATE)


@router.post("/v1/jobs/{job_id}:cancel", response_model=Job)
def cancel(caller: JobsWriter, job_id: UUID) -> Response:
    """Cancel a job: what it has done stays, nothing more is begun. Not an adoption of a policy or model (409)."""
    return working.changed(caller, job_id, retrying.cancel, "job.cancelled")


@router.post("/v1/jobs/{job_id}:pause", response_model=Job)
def pause(caller: JobsWriter, job_id: UUID) -> Response:
    """Pause a job: pieces that were begun are done, no other is until it is resumed. 409 when nothing of it is left."""
    return working.changed(caller, job_id, jobs.pause, "job.paused")


@router.post("/v1/jobs/{job_id}:resume", response_model=Job)
def resume(caller: JobsWriter, job_id: UUID) -> Response:
    """Go on with a job that was paused, where it was."""
    return working.changed(caller, job_id, jobs.resume, "job.resumed")


@router.post("/v1/jobs/{job_id}:retry", response_model=Retried)
def retry(caller: JobsWriter, job_id: UUID) -> Response:
    """Try again what was given up: pieces that failed alone are handed out anew.

    Not of a job that was cancelled, of an import that was undone, nor of a reconciliation while another is under way (409).
    """
    with db.transaction() as session:
        working.require(session, caller, job_id)
        chunks = retrying.retry(session, job_id)
        audit.record(session, caller.actor, "job.retried", "job", str(job_id))
        return answers.json_answer({"chunks": chunks})
