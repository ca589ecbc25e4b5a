"""The console's queue and its tasks: taken, looked at, answered, put off, and the answer taken back."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from api import deciding, deps, tasking
from api.console import by_hand, task_page
from api.console.by_hand import Field
from api.console.frame import ROOT, Page, Sent, Steward, confirmation, field, page, to
from api.console.task_page import TaskPage
from api.console.values import lines, short
from api.console.words import KINDS, REASONS
from api.routes import resource
from kernel import clock, db
from kernel.actor import Principal
from kernel.errors import Invalid, MdmError
from stewardship import answering, customers, desk, queue
from stewardship.accounts import Signed
from stewardship.answering import Answer
from stewardship.queue import Task, Wanted
from stewardship.settle import MATCH, Looked
from stewardship.sides import Side

router = resource("console", Page)
PAGE, ANSWERED = 50, 5
TASKS = f"{ROOT}/tasks"


def _names(session: Session, caller: Principal, tasks: Sequence[Task]) -> dict[UUID, str]:
    """What the customers of listed tasks are called: two of each are shown."""
    return customers.names(session, caller, {one for task in tasks for one in task.golden_ids[:2]})


@router.get(TASKS, include_in_schema=False)
def listed(
    request: Request,
    signed: Steward,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    show: Annotated[str, Query(max_length=20)] = "free",
    after: Annotated[str | None, Query(max_length=100)] = None,
    chosen: Annotated[str | None, Query(max_length=10)] = None,
    done_set: UUID | None = None,
) -> Response:
    """List tasks, the most urgent first."""
    wanted = _wanted(signed.user.principal, kind if kind in KINDS else None, show)
    with db.transaction(db.Role.APP, signed.user.principal.scope) as session:
        found = queue.page(session, wanted, queue.place(after, wanted.state), PAGE)
        names = _names(session, signed.user.principal, found)
    following = queue.cursor(found[-1]) if len(found) == PAGE else None
    return page(
        request, "tasks.html", tasks=found, names=names, kinds=KINDS, kind=kind, show=show, after=after, following=following,
        chosen=chosen, done_set=done_set, reasons=REASONS,
    )  # fmt: skip


def _wanted(caller: Principal, kind: str | None, show: str) -> Wanted:
    return Wanted(
        state="closed" if show == "closed" else "open",
        kind=kind,
        holder=caller.actor if show == "mine" else None,
        free_for=caller.actor if show == "free" else None,
        deferred=show == "deferred",
        overdue=show == "overdue",
    )


@router.post(f"{TASKS}/next", include_in_schema=False)
def take_next(request: Request, signed: Steward, sent: Sent) -> Response:
    """Take the most urgent task that nobody works at."""
    return _to_next(request, signed, field(sent, "kind"))


def _to_next(request: Request, signed: Signed, kind: str = "", done: UUID | None = None) -> Response:
    caller = signed.user.principal
    wanted = Wanted(kind=kind if kind in KINDS else None, free_for=caller.actor)
    task: Task | None = deps.step(caller, lambda session: desk.claim_next(session, caller, wanted))
    told = f"?done={done}" if done else ""
    return to(request, f"{TASKS}/{task.task_id}{told}" if task else f"{ROOT}{told}")


@router.get(f"{TASKS}/{{task_id}}", include_in_schema=False)
def one(request: Request, signed: Steward, task_id: UUID, done: UUID | None = None, value: UUID | None = None) -> Response:
    """Show what is asked, side by side, and what each answer would do."""
    return shown(request, signed, task_id, done=done, value=value)


def shown(
    request: Request,
    signed: Signed,
    task_id: UUID,
    error: MdmError | None = None,
    done: UUID | None = None,
    words: str = "",
    sent: FormData | None = None,
    value: UUID | None = None,
) -> Response:
    """Answer the page of a task. `sent`: a form that sets a value by hand and was refused; `value`: one that was set just now."""
    found = task_page.at(signed.user.principal, task_id)
    merged = found.merged.values if found.merged else {}
    after = {row.name: [short(line) for line in lines(row.name, merged.get(row.name))] for row in found.rows}
    status = error.status if error else 200
    return page(
        request, "task.html", status, found=found, task=found.task, after=after, kinds=KINDS, reasons=REASONS,
        error=error, done=done, words=words, after_shown=bool(merged), told=task_page.told, value=value,
        settable=_settable(found, sent), sent=sent,
    )  # fmt: skip


def _settable(found: TaskPage, sent: FormData | None) -> dict[str, list[Field]]:
    """The attributes that may be set by hand here, each with the fields that set it."""
    if not found.targets:
        return {}
    merged = found.merged.values if found.merged else {}
    held = {**merged, **{f"extras.{name}": one for name, one in (merged.get("extras") or {}).items()}}
    of = {row.name: by_hand.fields(row.name, held.get(row.name)) for row in found.rows if by_hand.is_settable(row.name)}
    refused = field(sent, "attribute") if sent else ""
    return {name: by_hand.typed(sent, fields) if sent and name == refused else fields for name, fields in of.items()}


@router.post(f"{TASKS}/{{task_id}}/settle", include_in_schema=False)
def settle(request: Request, signed: Steward, sent: Sent, task_id: UUID) -> Response:
    """Give an answer, and go on with the next task. What was typed is kept when the answer is refused."""
    try:
        looked = _given(signed.user.principal, sent, task_id)
    except MdmError as error:
        error.detail = task_page.told(error)
        return shown(request, signed, task_id, error, words=field(sent, "words"))
    if looked is not None:
        return confirmation(request, "Give this answer", looked, sent, f"{TASKS}/{task_id}")
    return _to_next(request, signed, done=task_id)


def _given(caller: Principal, sent: FormData, task_id: UUID) -> Looked | None:
    """Give an answer; one that the task's page does not show the outcome of is only looked at, unless it has been."""
    verdict = field(sent, "verdict")
    words = " ".join(one for one in (field(sent, f"reason_{verdict}"), field(sent, "words")) if one)
    answer, token = _answer(sent, verdict, words), field(sent, f"token_{verdict}")
    if verdict == answering.GROUPS or not token or (verdict == MATCH and answer.across):
        token = field(sent, "token")
        if not token:
            return answering.look(deciding.resolver(), caller, task_id, answer)
    answering.give(deciding.resolver(), caller, task_id, field(sent, "etag"), answer, token)
    return None


def _answer(sent: FormData, verdict: str, words: str) -> Answer:
    across = frozenset(str(name) for name in sent.getlist("across"))
    if verdict != answering.GROUPS:
        return Answer(verdict if verdict in REASONS else None, words, across=across)
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, letter in sent.multi_items():
        source, parted, key = name.removeprefix("group:").partition(":")
        if name.startswith("group:") and parted and letter:
            groups.setdefault(str(letter).upper(), []).append((source, key))
    if not groups:
        raise Invalid("Say of at least two records in which group they are", code="groups_needed")
    return Answer(None, words, tuple(Side(records=tuple(records)) for _, records in sorted(groups.items())), across)


@router.post(f"{TASKS}/{{task_id}}/{{act}}", include_in_schema=False)
def act(request: Request, signed: Steward, sent: Sent, task_id: UUID, act: str) -> Response:
    """Claim a task, let it go, put it off, hand it on, or say something of it."""
    caller, etag, words = signed.user.principal, field(sent, "etag"), field(sent, "words")
    acts = {
        "claim": lambda session: desk.claim(session, caller, task_id, etag),
        "release": lambda session: desk.release(session, caller, task_id, etag),
        "comment": lambda session: desk.comment(session, caller, task_id, etag, words),
        "defer": lambda session: desk.defer(session, caller, task_id, etag, _until(sent, signed), words),
        "assign": lambda session: desk.assign(session, caller, task_id, etag, tasking.assignee(field(sent, "to"))),
    }
    if act not in acts:
        raise MdmError("There is no such page", code="no_such_page", status=404)
    try:
        deps.step(caller, acts[act])
    except MdmError as error:
        return shown(request, signed, task_id, error, words=words)
    return to(request, TASKS if act in {"release", "defer", "assign"} else f"{TASKS}/{task_id}")


def _until(sent: FormData, signed: Signed) -> datetime:
    """When a put off task comes back: on the morning of a day, in the steward's zone. Raises: Invalid."""
    zone = ZoneInfo(signed.user.timezone)
    try:
        day = date.fromisoformat(field(sent, "until"))
    except ValueError:
        day = (clock.now().astimezone(zone) + timedelta(days=1)).date()
        if field(sent, "until"):
            raise Invalid("Name a day, such as 2026-12-24", code="bad_day") from None
    return datetime.combine(day, time(8), zone)
