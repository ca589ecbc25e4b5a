"""The tasks that workers run. Thin: take ids, call one service with the means to open its own steps, return nothing."""

from functools import cache
from uuid import UUID

from kernel import db, jobs
from kernel.settings import fault_point
from mdm import chunks, owed, pending, resolve, shadows, traces
from stewardship import privacy_gate, tasks
from workers.app import app
from workers.kinds import KINDS

OWNER = "worker"


@cache
def resolver() -> resolve.Resolver:
    """This process's resolver; what it keeps between batches is only a saving."""
    return resolve.Resolver(db.transaction, tasks.project)


@cache
def watcher() -> shadows.Watcher:
    """What lets the shadow, when there is one, look at what was resolved."""
    return shadows.Watcher(db.transaction, resolver().shelf)


@app.task(name="resolve")
def resolve_records(record_ids: list[str]) -> None:
    """Resolve those of the records that are still owed, and others that are due; what somebody else holds is left alone."""
    if not privacy_gate.passes():
        return  # The bell is rung again; a database that knows people who were erased is not worked on.
    with db.transaction() as session:
        ids = pending.with_company(session, [UUID(record_id) for record_id in record_ids])
    if ids:
        owed.work(resolver(), ids)
        watcher().watch(ids)


@app.task(name="run_chunk")
def run_chunk(chunk_id: str) -> None:
    """Do that chunk of a job, when it is free still: a bell that was rung twice finds it taken or done."""
    if not privacy_gate.passes():
        return
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, OWNER, list(KINDS), lease_seconds=chunks.LEASE_SECONDS, chunk_id=UUID(chunk_id))
    fault_point("worker.chunk_claimed")
    if claim is not None:
        _take(claim)


def _take(claim: jobs.Claim) -> None:
    about = {"mdm.job_id": str(claim.job_id), "mdm.chunk_id": str(claim.chunk_id)}
    with traces.shared(f"chunk {claim.kind}", [claim.trace_parent], about, quiet=True):
        chunks.take(db.transaction, KINDS[claim.kind], claim)
