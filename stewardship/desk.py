"""Who works at a task: claimed under a lease, let go, handed on, put off, commented on. What it asks is the projection's.

Every act names the task as it was seen (its etag): what has changed since is refused, so that nobody acts on what they have not
seen. Acts lock the task's row on the desk, and each is kept as a note.
"""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlmodel import Session

from kernel import audit, clock
from kernel.actor import Principal
from kernel.errors import Conflict, Invalid, MdmError
from mdm import sql
from stewardship import assignees, notes, queue, second_looks
from stewardship.notes import Act
from stewardship.queue import Task, Wanted

LEASE = timedelta(minutes=15)
LONGEST_DEFERRAL = timedelta(days=90)
LONGEST_COMMENT = 2_000
LONGEST_NAME = 100
ANY = "*"


def seen(session: Session, task_id: uuid.UUID, etag: str | None) -> Task:
    """Lock a task's desk and hold it against what the caller saw.

    Raises: NotFound; MdmError 428 without an etag, 412 when the task has changed.
    """
    if etag is None:
        detail = "Send the ETag of the task as you read it in If-Match."
        raise MdmError("Say which state of the task you saw", code="if_match_needed", status=428, detail=detail)
    queue.one(session, task_id)
    sql.run(session, "SELECT FROM task_desk WHERE task_id = %s FOR UPDATE", [task_id])
    task = queue.one(session, task_id)
    if etag not in {ANY, task.etag}:
        extra = {"task_id": str(task_id), "state": task.state, "closed_because": task.closed_because, "etag": task.etag}
        detail = "It asks something else now, or somebody acted on it: read it again."
        raise MdmError("The task has changed since you read it", code="task_changed", status=412, detail=detail, extra=extra)
    return task


def refuse_closed(task: Task) -> None:
    """Raises: Conflict for a task that is closed, or answered and about to be, saying why."""
    if task.state == "open" and task.settled_by is not None:
        detail = "A worker is writing what comes of the answer; the task closes within moments."
        raise Conflict("The task is answered", code="task_answered", detail=detail, extra={"settled_by": task.settled_by})
    if task.state != "open":
        extra = {"closed_because": task.closed_because, "settled_by": task.settled_by, "decision_id": task.decision_id}
        known = {name: str(value) for name, value in extra.items() if value is not None}
        raise Conflict("The task is closed", code="task_closed", detail="Its question is asked no more.", extra=known)


def refuse_held(task: Task, caller: Principal, now: datetime) -> None:
    """Raises: Conflict while somebody else holds a task."""
    holder = task.holder_at(now)
    if holder is not None and holder != caller.actor:
        extra = {"holder": holder, "held_until": str(task.held_until)}
        raise Conflict("Somebody else is working at this task", code="task_held", extra=extra)


def claim(session: Session, caller: Principal, task_id: uuid.UUID, etag: str | None) -> Task:
    """Take a task for fifteen minutes, or take it for longer. Raises: as `seen`; Conflict when it is closed or held."""
    task = _free(session, caller, task_id, etag)
    return _claimed(session, caller, task)


def claim_next(session: Session, caller: Principal, wanted: Wanted) -> Task | None:
    """Take the most urgent task that nobody holds; None when there is none. Two who ask at once get two tasks."""
    task_id = queue.most_urgent(session, wanted)
    if task_id is None:
        return None
    return _claimed(session, caller, seen(session, task_id, ANY))


def _claimed(session: Session, caller: Principal, task: Task) -> Task:
    now = clock.now()
    goes_on = task.holder_at(now) == caller.actor
    since = task.held_since if goes_on else now
    _change(session, task, "holder = %s, held_since = %s, held_until = %s", [caller.actor, since, now + LEASE])
    if not goes_on:
        notes.append(session, [task.task_id], Act.CLAIMED, caller.actor)
    return queue.one(session, task.task_id)


def release(session: Session, caller: Principal, task_id: uuid.UUID, etag: str | None) -> Task:
    """Let a task go. Raises: as `claim`."""
    task = _free(session, caller, task_id, etag)
    _change(session, task, _LET_GO)
    notes.append(session, [task_id], Act.RELEASED, caller.actor)
    return queue.one(session, task_id)


_LET_GO = "holder = NULL, held_since = NULL, held_until = NULL"


def assign(session: Session, caller: Principal, task_id: uuid.UUID, etag: str | None, to: Principal | None) -> Task:
    """Hand a task on to somebody, or to anybody. Raises: as `claim`; Invalid for somebody who does not see the task."""
    task = _free(session, caller, task_id, etag)
    if to is not None:
        assignees.refuse_unseen(task, to)
    name = to.actor if to else None
    _change(session, task, f"{_LET_GO}, assignee = %s", [name])
    notes.append(session, [task_id], Act.ASSIGNED, caller.actor, name)
    return queue.one(session, task_id)


def defer(session: Session, caller: Principal, task_id: uuid.UUID, etag: str | None, until: datetime, reason: str) -> Task:
    """Put a task off until a time, and let it go. Raises: as `claim`; Invalid for a time that is over or too far away."""
    now = clock.now()
    if not now < until <= now + LONGEST_DEFERRAL:
        detail = f"Name a time to come, at most {LONGEST_DEFERRAL.days} days away."
        raise Invalid("A task cannot be put off until then", code="bad_deferral", detail=detail)
    task = _free(session, caller, task_id, etag)
    _change(session, task, f"{_LET_GO}, deferred_until = %s", [until])
    notes.append(session, [task_id], Act.DEFERRED, caller.actor, _words(reason))
    return queue.one(session, task_id)


def comment(session: Session, caller: Principal, task_id: uuid.UUID, etag: str | None, words: str) -> Task:
    """Say something of a task, open or closed. Raises: as `seen`; Invalid for no words, or too many."""
    said = _words(words)
    task = seen(session, task_id, etag)
    _change(session, task, "holder = holder")
    notes.append(session, [task_id], Act.COMMENTED, caller.actor, said)
    audit.record(session, caller.actor, "task.commented", "task", str(task_id), after=said)
    return queue.one(session, task_id)


def proposed(session: Session, caller: Principal, task: Task, verdict: str) -> None:
    """Keep that somebody answered, and that a second steward must answer the same; the task is free for them."""
    _change(session, task, f"{_LET_GO}, proposed_by = %s", [caller.actor])
    if task.proposed_by != caller.actor:
        notes.append(session, [task.task_id], Act.PROPOSED, caller.actor, verdict)


def settled(
    session: Session, caller: Principal, task: Task, verdict: str, decision_id: uuid.UUID | None, set_id: uuid.UUID | None
) -> None:
    """Keep who settled a task, by what, and how long they held it. In the transaction that stores the decision."""
    now = clock.now()
    worked = (now - task.held_since).total_seconds() if task.held_since and task.holder == caller.actor else None
    _change(
        session,
        task,
        f"{_LET_GO}, proposed_by = NULL, settled_by = %s, verdict = %s, decision_id = %s, set_id = %s, settled_at = %s,"
        " worked_seconds = %s",
        [caller.actor, verdict, decision_id, set_id, now, worked],
    )
    notes.append(session, [task.task_id], Act.SETTLED, caller.actor, verdict)
    if task.proposed_by is None:  # Else two have answered already.
        second_looks.draw(session, task.task_id, caller.actor, verdict, decision_id)


def undone(session: Session, caller: Principal, task: Task) -> None:
    """Keep that what settled a task was taken back. In the transaction that does so."""
    _change(session, task, "settled_by = NULL, verdict = NULL, decision_id = NULL, set_id = NULL, settled_at = NULL")
    notes.append(session, [task.task_id], Act.UNDONE, caller.actor)


def ask_again(session: Session, task_ids: Collection[uuid.UUID]) -> None:
    """Let tasks be answered once more that are asked though they were answered: in part, or to no end. For the projection."""
    if not task_ids:
        return
    found = sql.rows(
        session,
        """UPDATE task_desk SET version = version + 1, settled_by = NULL, verdict = NULL, settled_at = NULL
           WHERE task_id = ANY(%s) AND settled_by IS NOT NULL RETURNING task_id""",
        [list(task_ids)],
    )
    if found:
        notes.append(session, [row[0] for row in found], Act.ASKED_AGAIN, notes.SERVICE)


def _free(session: Session, caller: Principal, task_id: uuid.UUID, etag: str | None) -> Task:
    queue.within(session, caller.scope, task_id)
    task = seen(session, task_id, etag)
    refuse_closed(task)
    refuse_held(task, caller, clock.now())
    return task


def _words(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_COMMENT:
        raise Invalid(f"Say something, in at most {LONGEST_COMMENT:,} characters", code="words_needed")
    return text.strip()


def _change(session: Session, task: Task, what: str, params: list[object] | None = None) -> None:
    statement = f"UPDATE task_desk SET version = version + 1, {what} WHERE task_id = %s"
    sql.run(session, statement, [*(params or []), task.task_id])
