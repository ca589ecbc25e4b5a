"""Carries stewards' tasks from the wire to `stewardship` and back."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session
from starlette.responses import Response

from api import answers, deciding, deps
from api.schemas.tasks import Settle, TaskFilter
from kernel import clock, db
from kernel.actor import Principal
from stewardship import answering, assignees, desk, phrasing, precision, queue
from stewardship.answering import Answer
from stewardship.precision import Interval
from stewardship.queue import Task, Wanted

OK = 200


def wanted(caller: Principal, asked: TaskFilter) -> Wanted:
    """Which tasks a caller asks for."""
    mine, free = (caller.actor if wish else None for wish in (asked.mine, asked.free))
    return Wanted(
        asked.state,
        asked.kind,
        asked.brand,
        asked.golden_id,
        mine,
        free,
        asked.deferred,
        asked.overdue,
        asked.reason_code,
        asked.weight_from,
        asked.weight_below,
    )


def assignee(name: str | None) -> Principal | None:
    """Find whom a name means; nobody without one. Accounts are read past the caller's row scope. Raises: Invalid."""
    if not name:
        return None
    with db.read_only() as session:
        return assignees.find(session, name)


def listed(session: Session, wanted: Wanted, after: str | None, limit: int) -> Response:
    """Answer a page of tasks. Raises: Invalid for a `next` that is none of ours."""
    found = queue.page(session, wanted, queue.place(after, wanted.state), limit)
    following = queue.cursor(found[-1]) if len(found) == limit else None
    return answers.json_answer({"items": [shown(one) for one in found], "next": following})


def summary(session: Session) -> Response:
    """Answer how the queue fares."""
    return answers.json_answer({"kinds": [{**asdict(one), "days_to_clear": one.days_to_clear} for one in queue.figures(session)]})


def precise(caller: Principal, days: int) -> Response:
    """Answer how many automatic merges are right, by the checks of so many days."""
    with db.read_only() as session:
        found = precision.read(session, caller.scope, days)
    bands = [{**asdict(band), "precision": _interval(band.precision)} for band in found.bands]
    counts = {"days": days, "answers": found.answers, "waiting": found.waiting, "covered": round(found.covered, 4)}
    return answers.json_answer({**counts, "precision": _interval(found.precision), "bands": bands})


def _interval(found: Interval | None) -> dict[str, float] | None:
    return {name: round(value, 4) for name, value in asdict(found).items()} if found else None


def told(session: Session, task_id: UUID) -> Response:
    """Answer one task with its story. Raises: NotFound."""
    found = queue.one(session, task_id)
    story = [asdict(note) for note in queue.story(session, task_id)]
    return answers.JsonBytes(orjson.dumps({**shown(found), "story": story}), OK, f'"{found.etag}"')


def acted(task: Task) -> Response:
    """Answer a task after an act upon it."""
    return answers.JsonBytes(orjson.dumps(shown(task)), OK, f'"{task.etag}"')


def shown(task: Task) -> dict[str, Any]:
    """Show a task as JSON-ready data."""
    now = clock.now()
    holder = task.holder_at(now)
    hidden = {"version", "held_since", "held_until", "holder", "is_one_decision"}
    return {
        **{name: value for name, value in asdict(task).items() if name not in hidden},
        "etag": task.etag,
        "question": phrasing.question(task.kind, task.reason_code, len(task.golden_ids), len(task.record_ids)),
        "is_overdue": task.state == "open" and task.due_at is not None and task.due_at < now,
        "holder": holder,
        "held_until": task.held_until if holder else None,
    }


def seen(if_match: str | None) -> str | None:
    """The etag that If-Match names. Source: RFC 9110, section 13.1.1; of a list none is taken, for one state was seen."""
    return if_match.strip().removeprefix("W/").strip('"') if if_match else None


def act(caller: Principal, act_: Callable[[Session], Task]) -> Response:
    """Do something at the desk, within the caller's row scope, and answer the task."""
    task: Task = deps.step(caller, act_)
    return acted(task)


def claim_next(caller: Principal, wanted: Wanted) -> Response:
    """Take the most urgent task; 204 when there is none."""
    task: Task | None = deps.step(caller, lambda session: desk.claim_next(session, caller, wanted))
    return acted(task) if task else Response(status_code=204)


def settle(caller: Principal, task_id: UUID, body: Settle, if_match: str | None, dry_run: bool) -> tuple[int, bytes]:
    """Settle a task, or only look. Raises: MdmError."""
    sides = tuple(deciding.side_of(one) for one in body.groups or ())
    answer = Answer(body.verdict, body.reason, sides, frozenset(body.override_blockers))
    if dry_run:
        return OK, deciding.preview(caller, answering.look(deciding.resolver(), caller, task_id, answer))
    answering.give(deciding.resolver(), caller, task_id, seen(if_match), answer, body.preview_token)
    return OK, _stands(caller, task_id)


def undo(
    caller: Principal, task_id: UUID, reason: str, token: str | None, if_match: str | None, dry_run: bool
) -> tuple[int, bytes]:
    """Take back what settled a task, or only look. Raises: MdmError."""
    if dry_run:
        return OK, deciding.preview(caller, answering.look_back(deciding.resolver(), caller, task_id))
    answering.take_back(deciding.resolver(), caller, task_id, seen(if_match), reason, token)
    return OK, _stands(caller, task_id)


def _stands(caller: Principal, task_id: UUID) -> bytes:
    with db.read_only(db.Role.APP, caller.scope) as session:
        return orjson.dumps(shown(queue.one(session, task_id)))
