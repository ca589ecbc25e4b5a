"""The stewards' queue: what is asked, who works at it, and the answers."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Request
from starlette.responses import Response

from api import idempotency, settling, tasking
from api.deps import DecisionsReader, DecisionsWriter, Proposer, Reading, Settler
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.decisions import DecisionPreview, TakeBack
from api.schemas.tasks import (
    Assignment,
    Comment,
    Deferral,
    ManyTasksPreview,
    ManyTasksSettled,
    Next,
    Precision,
    Settle,
    SettleMany,
    Summary,
    Task,
    TaskFilter,
    Tasks,
    TaskWithStory,
)
from api.v1.decisions import DryRun
from stewardship import desk
from stewardship.precision import DAYS
from stewardship.queue import Wanted

router = resource("tasks", Route)
IfMatch = Annotated[str | None, Header(max_length=200, description="The `etag` of the task as you read it, or `*`.")]
NONE_LEFT: dict[int | str, dict[str, object]] = {204: {"description": "There is nothing to take."}}


@router.get("/v1/tasks", response_model=Tasks)
def listed(caller: DecisionsReader, session: Reading, asked: Annotated[TaskFilter, Query()]) -> Response:
    """List tasks, the most urgent first. Those that were put off are left out unless asked for."""
    return tasking.listed(session, tasking.wanted(caller, asked), asked.after, asked.limit)


@router.get("/v1/tasks:summary", response_model=Summary)
def summary(_caller: DecisionsReader, session: Reading) -> Response:
    """Tell how the queue fares: what is open and overdue, what comes in and goes out, and how long it will take."""
    return tasking.summary(session)


@router.get("/v1/tasks:precision", response_model=Precision)
def precise(caller: DecisionsReader, days: Annotated[int, Query(ge=1, le=3_650)] = DAYS) -> Response:
    """Tell how many automatic merges are right, by what stewards answered of a sample of each band, with 95 % intervals."""
    return tasking.precise(caller, days)


@router.post("/v1/tasks:claim-next", response_model=Task, responses=NONE_LEFT)
def claim_next(caller: Settler, body: Next) -> Response:
    """Take the most urgent task that nobody works at. Two who ask at once get two tasks; 204 when there is none."""
    return tasking.claim_next(caller, Wanted(kind=body.kind, brand=body.brand, free_for=caller.actor))


@router.get("/v1/tasks/{task_id}", response_model=TaskWithStory)
def get(_caller: DecisionsReader, session: Reading, task_id: UUID) -> Response:
    """Read a task, open or closed, with what was done about it."""
    return tasking.told(session, task_id)


@router.post("/v1/tasks/{task_id}:claim", response_model=Task)
def claim(caller: Settler, task_id: UUID, if_match: IfMatch = None) -> Response:
    """Take a task for fifteen minutes; again, to keep it longer. Refused while somebody else holds it."""
    return tasking.act(caller, lambda session: desk.claim(session, caller, task_id, tasking.seen(if_match)))


@router.post("/v1/tasks/{task_id}:release", response_model=Task)
def release(caller: Settler, task_id: UUID, if_match: IfMatch = None) -> Response:
    """Let a task go, for whoever comes next."""
    return tasking.act(caller, lambda session: desk.release(session, caller, task_id, tasking.seen(if_match)))


@router.post("/v1/tasks/{task_id}:assign", response_model=Task)
def assign(caller: Settler, task_id: UUID, body: Assignment, if_match: IfMatch = None) -> Response:
    """Hand a task on, or give it to anybody.

    To a user (`user:ben`) or a key (`key:<id>`) who may decide and sees all of it.
    """
    to = tasking.assignee(body.to)
    return tasking.act(caller, lambda session: desk.assign(session, caller, task_id, tasking.seen(if_match), to))


@router.post("/v1/tasks/{task_id}:defer", response_model=Task)
def defer(caller: Settler, task_id: UUID, body: Deferral, if_match: IfMatch = None) -> Response:
    """Put a task off until a time at most 90 days away, and let it go."""
    return tasking.act(
        caller, lambda session: desk.defer(session, caller, task_id, tasking.seen(if_match), body.until, body.reason)
    )


@router.post("/v1/tasks/{task_id}:comment", response_model=Task)
def comment(caller: Proposer, task_id: UUID, body: Comment, if_match: IfMatch = None) -> Response:
    """Say something of a task, open or closed; it stays in its story."""
    return tasking.act(caller, lambda session: desk.comment(session, caller, task_id, tasking.seen(if_match), body.words))


@router.post("/v1/tasks/{task_id}:settle", response_model=Task | DecisionPreview)
def settle(
    caller: Proposer,
    task_id: UUID,
    body: Settle,
    request: Request,
    dry_run: DryRun = False,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Answer the question. First with `dry_run=true`, which tells what would change and gives the `preview_token`.

    The task closes once a worker has written what comes of it, mostly within a second.
    """
    return idempotency.act_once(
        caller, idempotency_key, request, body, lambda: tasking.settle(caller, task_id, body, if_match, dry_run)
    )


@router.post("/v1/tasks:settle", response_model=ManyTasksSettled | ManyTasksPreview)
def settle_many(
    caller: DecisionsWriter,
    body: SettleMany,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Give one answer to up to 200 tasks. First with `dry_run=true`: counts what would change, and names what is left out."""
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: settling.settle(caller, body, dry_run))


@router.post("/v1/tasks/{task_id}:undo", response_model=Task | DecisionPreview)
def undo(
    caller: Settler,
    task_id: UUID,
    body: TakeBack,
    request: Request,
    dry_run: DryRun = False,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take the answer back: the golden records stand as before, and the question is asked anew. Look first."""
    return idempotency.act_once(
        caller,
        idempotency_key,
        request,
        body,
        lambda: tasking.undo(caller, task_id, body.reason, body.preview_token, if_match, dry_run),
    )
