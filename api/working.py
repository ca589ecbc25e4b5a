"""Carries jobs from `kernel.jobs` to the wire, as they stand or as they go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session
from starlette.responses import Response

from api import answers
from kernel import audit, db, jobs
from kernel.actor import Principal
from kernel.errors import NotFound
from kernel.jobs import Job
from mdm import export_registry
from mdm import policy as policies

SECONDS_BETWEEN = 1.0
LONGEST_SECONDS = 3_600.0
OVER = frozenset({"finished", "failed", "cancelled"})


def shown(job: Job) -> dict[str, Any]:
    """Show a job as JSON-ready data; not the words of whoever began it, which may name a customer."""
    params = {name: value for name, value in job.params.items() if name != "reason"}
    return {name: value for name, value in asdict(job).items() if name != "fingerprint"} | {"params": params}


def visible(session: Session, caller: Principal) -> Callable[[Job], bool]:
    """Make what says whether a caller may see a job: of all brands and regions, or the job is about a source of theirs, or an
    export that holds nothing beyond their scope."""
    brands = caller.scope.brands
    if brands is None and caller.scope.regions is None:
        return lambda _: True
    ruling = policies.in_force(session)
    theirs = {name for name, source in ruling.sources.items() if brands is None or source.brand in brands} if ruling else set()
    exports = export_registry.within(session, caller.scope)
    return lambda job: job.params.get("source") in theirs or job.job_id in exports


def require(session: Session, caller: Principal, job_id: UUID) -> Job:
    """Read a job that the caller may see. Raises: NotFound."""
    found = jobs.status(session, job_id)
    if not visible(session, caller)(found):
        raise NotFound("No such job", code="unknown_job")
    return found


def recent(session: Session, caller: Principal, kind: str | None, limit: int) -> list[Job]:
    """List the latest jobs that the caller may see. The others' jobs lie before those of a caller of some brands."""
    may_see, look = visible(session, caller), limit
    while True:
        found = jobs.recent(session, look, kind)
        seen = [one for one in found if may_see(one)]
        if len(seen) >= limit or len(found) < look:
            return seen[:limit]
        look *= 4


def listed(session: Session, caller: Principal, kind: str | None, limit: int) -> list[dict[str, Any]]:
    """List the latest jobs that the caller may see, as JSON-ready data."""
    return [shown(one) for one in recent(session, caller, kind, limit)]


def changed(caller: Principal, job_id: UUID, act: Callable[[Session, UUID], None], action: str) -> Response:
    """Change a job that the caller may see, and answer how it stands then. Blocks. Raises: NotFound; what the act raises."""
    with db.transaction() as session:
        require(session, caller, job_id)
        act(session, job_id)
        audit.record(session, caller.actor, action, "job", str(job_id))
        return answers.json_answer(shown(jobs.status(session, job_id)))


async def progress(caller: Principal, job_id: UUID) -> AsyncIterator[bytes]:
    """Tell how a job stands each time that it has changed, as server-sent events, until it is over."""
    said: dict[str, Any] = {}
    for _ in range(int(LONGEST_SECONDS / SECONDS_BETWEEN)):
        now = await run_in_threadpool(_stands, caller, job_id)
        if now != said:
            said = now
            yield b"event: progress\ndata: " + orjson.dumps(now) + b"\n\n"
        else:
            yield b": still there\n\n"
        if now["state"] in OVER:
            return
        await asyncio.sleep(SECONDS_BETWEEN)


def _stands(caller: Principal, job_id: UUID) -> dict[str, Any]:
    with db.read_only(db.Role.APP, caller.scope) as session:
        return shown(require(session, caller, job_id))
