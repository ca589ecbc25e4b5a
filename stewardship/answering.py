"""Tasks settled: a steward's answer to a question becomes decisions, looked at before they are made, and taken back together.

What is decided is the log's (`stewardship.settle`, `stewardship.decision_sets`); here it is only made of the task, and kept on it
in the same transaction.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from sqlmodel import Session

from kernel import clock
from kernel.actor import Principal
from kernel.errors import Conflict, Invalid, MdmError
from mdm import sql
from mdm.decisions import StewardDecision
from mdm.questions import QuestionKind
from mdm.resolve import Resolver
from mdm.steward_decisions import Said
from stewardship import decision_sets, desk, queue, settle
from stewardship.queue import Task
from stewardship.settle import MATCH, NO_MATCH, Looked, Wish
from stewardship.sides import Side

GROUPS = "groups"
_KEYS = "SELECT source, source_key FROM crosswalk WHERE record_id = ANY(%s) ORDER BY 1, 2"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a steward answers: that all that is asked about is one customer, that no two of it are, or who is whom: each group one
    customer, no two groups the same. `across`: merge blockers that are known and overridden."""

    verdict: str | None
    reason: str
    groups: tuple[Side, ...] = ()
    across: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settled:
    """By what a task was settled: one decision, or a set of them."""

    decision_id: uuid.UUID | None
    set_id: uuid.UUID | None


def look(resolver: Resolver, caller: Principal, task_id: uuid.UUID, answer: Answer) -> Looked:
    """See what an answer would do. Raises: NotFound; Conflict when the task is closed, or stewards said otherwise."""
    with resolver.steps() as session:
        wanted = wishes(session, _task(session, caller, task_id), answer)
    return _look(resolver, caller, wanted)


def look_each(resolver: Resolver, caller: Principal, task: Task, answers: Sequence[Answer]) -> list[Looked | MdmError]:
    """See what each of some answers to a task would do, as read just now; in its place what refuses one.

    Where each is one decision, they are looked at together.
    """
    with resolver.steps() as session:
        wanted = [settle.tried(partial(_wishes_within, session, caller, task, one)) for one in answers]
    single = [one[0] for one in wanted if not isinstance(one, MdmError) and len(one) == 1]
    if len(single) == len(answers) > 1:
        found = settle.tried(partial(settle.look_each, resolver, caller, single))
        return [found] * len(answers) if isinstance(found, MdmError) else found
    return [one if isinstance(one, MdmError) else settle.tried(partial(_look, resolver, caller, one)) for one in wanted]


def _wishes_within(session: Session, caller: Principal, task: Task, answer: Answer) -> list[Wish]:
    queue.refuse_partial(caller.scope, task)
    desk.refuse_closed(task)
    return wishes(session, task, answer)


def _look(resolver: Resolver, caller: Principal, wishes: Sequence[Wish]) -> Looked:
    if len(wishes) == 1:
        return settle.look(resolver, caller, wishes[0])
    found = decision_sets.look(resolver, caller, wishes)
    if found.refused or found.looked is None:
        extra = {"refused": [decision_sets.told(one) for one in found.refused]}
        raise Conflict("Not all of the answer can be decided", code="answer_refused", extra=extra)
    return found.looked


def give(
    resolver: Resolver, caller: Principal, task_id: uuid.UUID, etag: str | None, answer: Answer, token: str | None
) -> Settled:
    """Settle a task by an answer that was looked at. It closes once a worker has written what comes of it.

    Raises: as `look`, `desk.seen` and `settle.make`; Conflict when somebody else holds it.
    """
    with resolver.steps() as session:
        wanted = wishes(session, _task(session, caller, task_id), answer)
    verdict = answer.verdict or GROUPS
    if len(wanted) > 1:
        _look(resolver, caller, wanted)  # Else what cannot be decided would be left out in silence.
        return _give_many(resolver, caller, wanted, _Kept(caller, task_id, etag, verdict), token)
    kept = _Kept(caller, task_id, etag, verdict)
    return Settled(settle.make(resolver, caller, wanted[0], token, kept.by_decision, kept.as_proposed), None)


def _give_many(resolver: Resolver, caller: Principal, wishes: Sequence[Wish], kept: "_Kept", token: str | None) -> Settled:
    set_id = clock.uuid7()
    said = Said(f"{settle.STEWARD}:{caller.actor}", settle.STEWARD, set_id=set_id)
    decision_sets.make(resolver, caller, wishes, said, token, lambda session: kept.by_set(session, set_id), kept.as_proposed)
    return Settled(None, set_id)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Keeps on the task what settled it, in the transaction that decides; refuses when the task is not what was seen."""

    caller: Principal
    task_id: uuid.UUID
    etag: str | None
    verdict: str

    def by_decision(self, session: Session, decision: StewardDecision) -> None:
        desk.settled(session, self.caller, self._seen(session), self.verdict, decision.decision_id, None)

    def by_set(self, session: Session, set_id: uuid.UUID) -> None:
        desk.settled(session, self.caller, self._seen(session), self.verdict, None, set_id)

    def as_proposed(self, session: Session) -> None:
        desk.proposed(session, self.caller, self._seen(session), self.verdict)

    def _seen(self, session: Session) -> Task:
        task = desk.seen(session, self.task_id, self.etag)
        desk.refuse_closed(task)
        desk.refuse_held(task, self.caller, clock.now())
        return task


def look_back(resolver: Resolver, caller: Principal, task_id: uuid.UUID) -> Looked:
    """See what taking back what settled a task would do. Raises: NotFound; Conflict when nobody settled it."""
    task = _task_within(resolver, caller, task_id)
    if task.set_id is not None and not task.is_one_decision:
        return decision_sets.look_back(resolver, caller, task.set_id)
    if task.decision_id is not None:
        return settle.look_back(resolver, caller, task.decision_id)
    raise _not_settled(task_id)


def take_back(
    resolver: Resolver, caller: Principal, task_id: uuid.UUID, etag: str | None, reason: str, token: str | None
) -> None:
    """Take back what settled a task; the question is asked anew, as another task, unless it answered itself meanwhile.

    Raises: as `look_back`, `desk.seen` and `settle.take_back`.
    """
    task = _task_within(resolver, caller, task_id)

    def keep(session: Session) -> None:
        desk.undone(session, caller, desk.seen(session, task_id, etag))

    if task.set_id is not None and not task.is_one_decision:
        decision_sets.take_back(resolver, caller, task.set_id, reason, token, keep)
    elif task.decision_id is not None:
        settle.take_back(resolver, caller, task.decision_id, reason, token, keep)
    else:
        raise _not_settled(task_id)


def _task_within(resolver: Resolver, caller: Principal, task_id: uuid.UUID) -> Task:
    with resolver.steps() as session:
        return queue.within(session, caller.scope, task_id)


def _not_settled(task_id: uuid.UUID) -> Conflict:
    return Conflict("No steward's answer settled this task", code="not_settled", extra={"task_id": str(task_id)})


def _task(session: Session, caller: Principal, task_id: uuid.UUID) -> Task:
    task = queue.within(session, caller.scope, task_id)
    desk.refuse_closed(task)
    return task


def wishes(session: Session, task: Task, answer: Answer) -> list[Wish]:
    """Make decisions of an answer to a task. Raises: Invalid when it says too little, takes too many, or is none of its kind."""
    if task.kind == QuestionKind.EXPIRED:
        detail = "Set the value anew to keep it, or withdraw what has expired; the task closes by itself."
        raise Invalid("A value is kept or let go where values are set", code="answered_by_the_value", detail=detail)
    groups = answer.groups or _groups(session, task, answer)
    if answer.groups and len(groups) < 2 and len(groups[0].records) < 2:
        raise Invalid("Name two groups, or a group of several records", code="groups_needed")
    parted = [Wish(NO_MATCH, one, other, answer.reason) for one, other in combinations(groups, 2) if answer.verdict != MATCH]
    found = parted + [wish for one in (groups if answer.groups else []) for wish in _together(one, answer)]
    if answer.verdict == MATCH:
        found = [Wish(MATCH, groups[0], other, answer.reason, answer.across) for other in groups[1:]]
    if len(found) > decision_sets.MOST_DECISIONS:
        detail = f"It would take {len(found):,} decisions; at most {decision_sets.MOST_DECISIONS:,} are made together."
        raise Invalid("The answer names too many groups", code="too_many_decisions", detail=detail)
    return found


def _together(group: Side, answer: Answer) -> list[Wish]:
    """Let the records of a group be one customer, each matched with the first."""
    first, *others = group.records or ((),)
    if not others:
        return []
    right = Side(records=tuple(one for one in others if one))
    return [Wish(MATCH, Side(records=(group.records[0],)), right, answer.reason, answer.across)] if first else []


def _groups(session: Session, task: Task, answer: Answer) -> tuple[Side, ...]:
    """Whom a yes or a no speaks of: the golden records that are asked about, or the records of the only one, of which two are
    told apart by a no, as where a merge is checked.

    Raises: Invalid when a no would have to say who is whom.
    """
    if len(task.golden_ids) > 1:
        return tuple(Side(golden_id=one) for one in task.golden_ids)
    if answer.verdict != MATCH and len(task.record_ids) != 2:
        detail = "It asks about the records of one golden record: name in `groups` which of them are one customer."
        raise Invalid("Say who is whom", code="groups_needed", detail=detail)
    keys = [(source, key) for source, key in sql.rows(session, _KEYS, [list(task.record_ids)])]
    return Side(records=tuple(keys[:1])), Side(records=tuple(keys[1:]))
