"""Many tasks answered at once with one verdict: looked at together, given as one set of decisions, and taken back as one.

A task that cannot be answered so (closed, held by somebody else, a contradiction, a policy blocker) is left out whole and named
with its reason; nothing of it is decided.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlmodel import Session

from kernel import clock
from kernel.actor import Principal
from kernel.errors import Conflict, Invalid, MdmError
from mdm import sql
from mdm.resolve import Resolver
from mdm.steward_decisions import Said
from stewardship import answering, decision_sets, desk, queue, settle
from stewardship.answering import Answer
from stewardship.queue import Task, Wanted
from stewardship.settle import Looked, Wish

MOST_TASKS = 200


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A task that cannot be answered so, and why."""

    task_id: uuid.UUID
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class LookedAtTasks:
    """Tasks as they would be answered together, and those left out. Without `token` nothing is left to answer."""

    tasks: tuple[Task, ...]
    left_out: tuple[LeftOut, ...]
    looked: Looked | None = None
    token: str | None = None
    wishes: Mapping[uuid.UUID, Sequence[Wish]] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """The set by which tasks were answered, the tasks, and those left out."""

    set_id: uuid.UUID
    task_ids: tuple[uuid.UUID, ...]
    left_out: tuple[LeftOut, ...]


def choose(session: Session, caller: Principal, wanted: Wanted, limit: int) -> list[uuid.UUID]:
    """Name the most urgent tasks of a list that the caller may take."""
    free = replace(wanted, free_for=caller.actor)
    return [task.task_id for task in queue.page(session, free, limit=min(limit, MOST_TASKS))]


def look(resolver: Resolver, caller: Principal, task_ids: Sequence[uuid.UUID], answer: Answer) -> LookedAtTasks:
    """See what one answer to many tasks would do. Raises: Invalid for too many."""
    if len(task_ids) > MOST_TASKS:
        raise Invalid(f"At most {MOST_TASKS} tasks are answered at once", code="too_many_tasks")
    with resolver.steps() as session:
        asked, left_out = _asked(session, caller, task_ids, answer)
    while asked:
        found = decision_sets.look(resolver, caller, [wish for _, wishes in asked.values() for wish in wishes])
        if not found.refused and found.looked is not None:
            tasks = tuple(task for task, _ in asked.values())
            wishes = {task_id: wishes for task_id, (_, wishes) in asked.items()}
            return LookedAtTasks(tasks, tuple(left_out), found.looked, _token(found.looked, tasks), wishes)
        out = _refused(asked, found.refused)
        left_out += out
        asked = {task_id: one for task_id, one in asked.items() if task_id not in {one.task_id for one in out}}
    return LookedAtTasks((), tuple(left_out))


Asked = dict[uuid.UUID, tuple[Task, list[Wish]]]


def _asked(session: Session, caller: Principal, task_ids: Sequence[uuid.UUID], answer: Answer) -> tuple[Asked, list[LeftOut]]:
    asked: Asked = {}
    left_out: list[LeftOut] = []
    for task_id in dict.fromkeys(task_ids):
        try:
            task = queue.within(session, caller.scope, task_id)
            desk.refuse_closed(task)
            desk.refuse_held(task, caller, clock.now())
            wishes = answering.wishes(session, task, answer)
        except MdmError as error:
            left_out.append(LeftOut(task_id, error.code, error.title))
        else:
            asked[task_id] = task, [replace(wish, decision_id=clock.uuid7()) for wish in wishes]
    return asked, left_out


def _refused(asked: Asked, refused: Sequence[decision_sets.Refused]) -> list[LeftOut]:
    """Name the tasks of which some decision cannot be made."""
    owners = [task_id for task_id, (_, wishes) in asked.items() for _ in wishes]
    codes: dict[uuid.UUID, str] = {}
    for one in refused:
        codes.setdefault(owners[one.index], one.code)
    return [LeftOut(task_id, code, _WORDS.get(code, "It cannot be decided so.")) for task_id, code in codes.items()]


_WORDS = {
    decision_sets.CONTRADICTS: "It contradicts what stewards said, or another answer of these.",
    decision_sets.BLOCKED: "The policy bars this merge: answer it on its own page.",
}


def _token(looked: Looked, tasks: Sequence[Task]) -> str:
    """Stand for what would come of it and for each task as it was seen."""
    told = (looked.token, sorted((str(task.task_id), task.etag) for task in tasks))
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()


def give(resolver: Resolver, caller: Principal, task_ids: Sequence[uuid.UUID], answer: Answer, token: str | None) -> Given:
    """Answer tasks as they were looked at: all that were not left out, or none.

    Raises: as `look`; Conflict when nothing can be answered; MdmError 428 without a token, 412 when anything has changed.
    """
    settle.checked_reason(answer.reason)
    found = look(resolver, caller, task_ids, answer)
    if found.looked is None or found.wishes is None:
        extra = {"refused": [{"task_id": str(one.task_id), "code": one.code} for one in found.left_out]}
        raise Conflict("None of these tasks can be answered so", code="nothing_to_decide", extra=extra)
    settle.refuse_unseen(token, found.token)
    set_id = clock.uuid7()
    said = Said(f"{settle.STEWARD}:{caller.actor}", settle.STEWARD, set_id=set_id)
    wishes = [wish for of_task in found.wishes.values() for wish in of_task]
    keep = partial(_keep, caller=caller, found=found, answer=answer, set_id=set_id)
    propose = partial(_propose, caller=caller, found=found, answer=answer)
    decision_sets.make(resolver, caller, wishes, said, found.looked.token, keep, propose)
    return Given(set_id, tuple(task.task_id for task in found.tasks), found.left_out)


def _propose(session: Session, caller: Principal, found: LookedAtTasks, answer: Answer) -> None:
    """Keep on each task that a second steward must answer the same."""
    for seen in _seen(session, caller, found):
        desk.proposed(session, caller, seen, answer.verdict or answering.GROUPS)


def _seen(session: Session, caller: Principal, found: LookedAtTasks) -> Iterator[Task]:
    """Lock the tasks as they were seen. In one order, so that two who answer the same never wait for each other in a circle."""
    for task in sorted(found.tasks, key=lambda task: task.task_id):
        seen = desk.seen(session, task.task_id, task.etag)
        desk.refuse_held(seen, caller, clock.now())
        yield seen


def _keep(session: Session, caller: Principal, found: LookedAtTasks, answer: Answer, set_id: uuid.UUID) -> None:
    """Keep on each task what settled it."""
    for task in _seen(session, caller, found):
        wishes = (found.wishes or {})[task.task_id]
        decision_id = wishes[0].decision_id if len(wishes) == 1 else None
        desk.settled(session, caller, task, answer.verdict or answering.GROUPS, decision_id, set_id)


def take_back(resolver: Resolver, caller: Principal, set_id: uuid.UUID, reason: str, token: str | None) -> int:
    """Take a set of decisions back that was looked at, and let the tasks know that it answered: how many decisions ended.

    Raises: as `decision_sets.take_back`.
    """

    def keep(session: Session) -> None:
        for (task_id,) in sql.rows(session, _OF_SET, [set_id]):
            desk.undone(session, caller, desk.seen(session, task_id, desk.ANY))

    return decision_sets.take_back(resolver, caller, set_id, reason, token, keep)


_OF_SET = "SELECT task_id FROM task_desk WHERE set_id = %s AND settled_by IS NOT NULL ORDER BY task_id"
