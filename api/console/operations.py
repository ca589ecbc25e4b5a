"""The console's operations: sources and their quality, jobs with their progress, webhooks and what became of each delivery."""

from collections.abc import Callable, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response, StreamingResponse

from api import hooking, working
from api.console.frame import PRIVATE, ROOT, JobKeeper, Operator, Page, Sent, Subscriber, field, page, to
from api.routes import resource
from api.schemas.decisions import NO_NUL
from api.schemas.webhooks import Redelivery
from kernel import audit, clock, db, jobs
from kernel.actor import Principal
from kernel.errors import Invalid, MdmError, NotFound
from mdm import imports, quality_overview, quality_reading, rejects, retrying
from mdm import policy as policies
from mdm.policy import Policy
from mdm.policy_schema import Source
from webhooks import deliveries, endpoints

router = resource("operations", Page)
OfKind = Annotated[str | None, Query(max_length=64, pattern=NO_NUL)]
OPERATIONS = f"{ROOT}/operations"
JOBS, SOURCES, WEBHOOKS = f"{OPERATIONS}/jobs", f"{OPERATIONS}/sources", f"{OPERATIONS}/webhooks"
MOST, DAYS, MOST_REJECTS = 50, 30, 200
# What may be done with a job, and what is then noted, as over REST.
ACTS: Mapping[str, tuple[Callable[[Session, UUID], object], str]] = {
    "cancel": (retrying.cancel, "cancelled"), "pause": (jobs.pause, "paused"), "resume": (jobs.resume, "resumed"),
    "retry": (retrying.retry, "retried"),
}  # fmt: skip


@router.get(SOURCES, include_in_schema=False)
def sources_(request: Request, signed: Operator) -> Response:
    """List the sources, with how many records each had and when one of them had last come, as last measured."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        ruling = policies.current(session)
        measured = {one.source: one for one in quality_overview.read(session, ruling)}
    shown = [(name, one, measured.get(name)) for name, one in _visible(ruling, signed.user.principal)]
    counted = max((one.measured_at for one in measured.values()), default=None)
    return page(request, "sources.html", sources=shown, counted=counted)


def _visible(ruling: Policy, caller: Principal) -> list[tuple[str, Source]]:
    brands = caller.scope.brands
    return [(name, one) for name, one in sorted(ruling.sources.items()) if brands is None or one.brand in brands]


@router.get(f"{SOURCES}/{{name}}", include_in_schema=False)
def source(request: Request, signed: Operator, name: str) -> Response:
    """Show what a source's records leave out or get wrong, the worst first."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        ruling = policies.current(session)
        if name not in dict(_visible(ruling, signed.user.principal)):
            raise NotFound("There is no such source", code="unknown_source")
        found = quality_reading.read(session, ruling, name, DAYS)
    return page(request, "source.html", found=found, source=ruling.source(name), name=name)


@router.get(JOBS, include_in_schema=False)
def jobs_(request: Request, signed: Operator, kind: OfKind = None) -> Response:
    """List the latest jobs."""
    caller = signed.user.principal
    with db.read_only(db.Role.APP, caller.scope) as session:
        found = working.recent(session, caller, kind or None, MOST)
    return page(request, "jobs.html", jobs=found, kind=kind)


@router.get(f"{JOBS}/{{job_id}}", include_in_schema=False)
def job(request: Request, signed: Operator, job_id: UUID) -> Response:
    """Show how a job stands; a script follows it while it runs."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        found = working.require(session, signed.user.principal, job_id)
    with (
        db.read_only() as session
    ):  # Rejects are nobody's rows: whoever may see the job may see which lines it left out, and why.
        left = rejects.of_job(session, job_id, MOST_REJECTS) if found.kind == imports.KIND else []
    told = [(line, field_, rejects.reason(code, field_)) for line, code, field_ in left]
    return page(request, "job.html", job=found, may_act=signed.user.principal.may("jobs:write"), rejects=told)


@router.get(f"{JOBS}/{{job_id}}/progress", include_in_schema=False)
async def progress(signed: Operator, job_id: UUID) -> Response:
    """Follow a job, as server-sent events."""
    caller = signed.user.principal
    await run_in_threadpool(_require, caller, job_id)
    return StreamingResponse(working.progress(caller, job_id), media_type="text/event-stream", headers=PRIVATE)


def _require(caller: Principal, job_id: UUID) -> None:
    with db.read_only(db.Role.APP, caller.scope) as session:
        working.require(session, caller, job_id)


@router.post(f"{JOBS}/{{job_id}}/{{act}}", include_in_schema=False)
def act_on_job(request: Request, signed: JobKeeper, _sent: Sent, job_id: UUID, act: str) -> Response:
    """Cancel, pause or go on with a job, or try again what was given up."""
    if act not in ACTS:
        raise MdmError("There is no such page", code="no_such_page", status=404)
    with db.transaction() as session:
        working.require(session, signed.user.principal, job_id)
        do, done = ACTS[act]
        do(session, job_id)
        audit.record(session, signed.user.principal.actor, f"job.{done}", "job", str(job_id))
    return to(request, f"{JOBS}/{job_id}")


@router.get(WEBHOOKS, include_in_schema=False)
def webhooks(request: Request, signed: Subscriber) -> Response:
    """List the endpoints and how they fare."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        found = [(one, one.state_at(clock.now())) for one in endpoints.every(session)]
    return page(request, "webhooks.html", endpoints=found)


@router.get(f"{WEBHOOKS}/{{endpoint_id}}", include_in_schema=False)
def webhook(
    request: Request, signed: Subscriber, endpoint_id: UUID, before: Annotated[int | None, Query(ge=1, le=2**62)] = None
) -> Response:
    """Show an endpoint and every attempt at its deliveries."""
    with db.read_only(db.Role.APP, signed.user.principal.scope) as session:
        found = endpoints.get(session, endpoint_id)
        told = deliveries.told(session, endpoint_id, None, before, MOST)
    following = told[-1].seq if len(told) == MOST else None
    return page(request, "webhook.html", endpoint=found, state=found.state_at(clock.now()), deliveries=told, following=following)


@router.post(f"{WEBHOOKS}/{{endpoint_id}}/{{act}}", include_in_schema=False)
def act_on_webhook(request: Request, signed: Subscriber, sent: Sent, endpoint_id: UUID, act: str) -> Response:
    """Test an endpoint, let it rest or go on, or deliver a range once more."""
    caller = signed.user.principal
    with db.transaction(db.Role.APP, caller.scope) as session:
        if act == "test":
            hooking.test(session, caller, endpoint_id)
        elif act == "enable":
            endpoints.enable(session, caller, endpoint_id)
        elif act == "disable":
            endpoints.disable(session, caller, endpoint_id)
        elif act == "redeliver":
            hooking.redeliver(session, caller, endpoint_id, _range(sent))
        else:
            raise MdmError("There is no such page", code="no_such_page", status=404)
    return to(request, f"{WEBHOOKS}/{endpoint_id}")


def _range(sent: FormData) -> Redelivery:
    said = {name: field(sent, name) for name in ("first_seq", "last_seq")}
    try:
        return Redelivery.model_validate({**said, "only_dead": bool(field(sent, "only_dead"))})
    except ValidationError as error:
        raise Invalid("Name the first and the last event number", code="bad_range") from error
