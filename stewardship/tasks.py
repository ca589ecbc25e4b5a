"""Stewards' tasks as a projection: for each question that an evaluation leaves open there is one open task, and no other.

Written in the transaction that writes the golden records, recomputed by verification. Settling a question is a decision of its
own; the task closes because the question is no longer asked.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlmodel import Session

from kernel import clock, outbox
from mdm import sql
from mdm.differences import Difference, Kind
from mdm.evaluation import Evaluation
from mdm.questions import Question
from stewardship import closing, desk, notes, priority, stakes
from stewardship.closing import Because, Closing

# The versions of a task, as its events count them.
OPENED_VERSION, OVERDUE_VERSION, SETTLED_VERSION = 1, 2, 3
NOTHING_MORE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open task as stored, by what it asks."""

    task_id: uuid.UUID
    kind: str
    key: str
    golden_ids: tuple[uuid.UUID, ...]
    record_ids: tuple[uuid.UUID, ...]
    weight: float | None
    reason_code: str
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    share: float | None = None

    def asks(self, question: Question) -> bool:
        """Whether the task says exactly what the question says."""
        mine = (self.golden_ids, self.record_ids, self.weight, self.reason_code, self.brands, self.regions, self.share)
        asked = (
            question.golden_ids,
            question.record_ids,
            question.weight,
            question.reason_code,
            question.brands,
            question.regions,
            question.share,
        )
        return mine == asked


def project(session: Session, evaluations: Sequence[Evaluation]) -> None:
    """Make the open tasks about the evaluated goldens those that are asked, and tell of those that open or close."""
    questions = [question for one in evaluations for question in one.questions]
    concerned = {golden_id for one in evaluations for golden_id in one.golden_ids}
    if not concerned:
        return
    asked = {(str(question.kind), question.key) for question in questions}
    stored = open_about(session, concerned)
    known = {(task.kind, task.key): task for task in stored}
    unasked = [task for task in stored if (task.kind, task.key) not in asked]
    closings = _closings(unasked, evaluations)
    # What was settled is over: in its place another question would look answered, and nobody could answer it.
    left = [task for task in unasked if closings[task.task_id].because is not Because.SETTLED]
    followed = closing.successors(left, [one for one in questions if (str(one.kind), one.key) not in known])
    _rebase(session, followed)
    went_on = {task.task_id for task, _ in followed}
    _close(session, {task_id: one for task_id, one in closings.items() if task_id not in went_on})
    desk.ask_again(session, went_on | {task.task_id for task in stored} - closings.keys())
    changed = [
        one for one in questions if (known_task := known.get((str(one.kind), one.key))) is None or not known_task.asks(one)
    ]
    _ask(session, changed)


def _closings(unasked: Sequence[OpenTask], evaluations: Sequence[Evaluation]) -> dict[uuid.UUID, Closing]:
    """Why each task closes, by the evaluations that hold its records."""
    held = {record: one for one in evaluations for record in one.records} if unasked else {}
    about = {task.task_id: {id(one): one for record in task.record_ids if (one := held.get(record))} for task in unasked}
    return {task.task_id: closing.why(task.record_ids, about[task.task_id].values(), task.kind) for task in unasked}


def _rebase(session: Session, followed: Sequence[tuple[OpenTask, Question]]) -> None:
    """Let tasks ask what became of their questions; what else they say is brought up to date as that of every open task."""
    if not followed:
        return
    ids = [task.task_id for task, _ in followed]
    sql.run(
        session,
        """UPDATE task t SET question_key = n.key FROM unnest(%s::uuid[], %s::text[]) AS n (task_id, key)
           WHERE t.task_id = n.task_id""",
        [ids, [question.key for _, question in followed]],
    )
    # Whoever proposed an answer did so to another question.
    sql.run(session, "UPDATE task_desk SET proposed_by = NULL WHERE task_id = ANY(%s)", [ids])
    notes.append(session, ids, notes.Act.REBASED, notes.SERVICE)


def open_about(session: Session, golden_ids: Collection[uuid.UUID]) -> list[OpenTask]:
    """Read the open tasks that name any of the golden ids.

    Each id descends the index by itself (OFFSET 0, as in mdm.decisions): asked for a thousand at once, PostgreSQL compares them
    one by one with those of every open task (7,000 of them: 100 ms).
    """
    found = sql.rows(
        session,
        f"""WITH about AS (
              SELECT DISTINCT one.task_id FROM unnest(%s::uuid[]) AS mine (golden_id) CROSS JOIN LATERAL (
                SELECT task_id FROM task WHERE state = 'open' AND golden_ids @> ARRAY[mine.golden_id] OFFSET 0) AS one)
            {_SELECT} AND task_id IN (SELECT task_id FROM about) ORDER BY task_id""",
        [list(golden_ids)],
    )
    return [_task(row) for row in found]


def all_open(session: Session) -> list[OpenTask]:
    """Read every open task."""
    return [_task(row) for row in sql.rows(session, f"{_SELECT} ORDER BY task_id")]


_SELECT = """SELECT task_id, kind, question_key, golden_ids, record_ids, weight, reason_code, brands, regions, share
             FROM task WHERE state = 'open'"""


def _task(row: sql.Row) -> OpenTask:
    task_id, kind, key, golden_ids, record_ids, weight, reason_code, brands, regions, share = row
    asked = (tuple(golden_ids), tuple(record_ids), weight, reason_code, tuple(brands), tuple(regions), share)
    return OpenTask(task_id, kind, key, *asked)


def _close(session: Session, closings: Mapping[uuid.UUID, Closing]) -> None:
    if not closings:
        return
    decided = [one.decision_id for one in closings.values()]
    closed = sql.rows(
        session,
        """UPDATE task t SET state = 'closed', closed_at = %s, closed_because = c.because, decision_id = c.decision_id
           FROM unnest(%s::uuid[], %s::text[], %s::uuid[]) AS c (task_id, because, decision_id)
           WHERE t.task_id = c.task_id AND state = 'open'
           RETURNING t.task_id, kind, golden_ids, brands, regions, reason_code, closed_because, t.decision_id""",
        [clock.now(), list(closings), [str(one.because) for one in closings.values()], decided],
    )
    outbox.emit_all(session, [_settled(row) for row in closed])


def _settled(row: sql.Row) -> outbox.Event:
    because, decision_id = row[6:8]
    decided = {"decision_id": str(decision_id)} if decision_id else {}
    return event("task.settled", SETTLED_VERSION, row, {"because": because, **decided})


def event(type_: str, version: int, row: sql.Row, more: Mapping[str, str] = NOTHING_MORE) -> outbox.Event:
    """Tell of a task, by a row of (task_id, kind, golden_ids, brands, regions, reason_code). Names no value of anybody."""
    task_id, kind, golden_ids, brands, regions, reason_code = row[:6]
    ids = [str(one) for one in golden_ids]
    body = {"task_id": str(task_id), "kind": kind, "reason_code": reason_code, "golden_ids": ids, **more}
    return outbox.Event(type_, task_id, version, body, tuple(brands), tuple(regions))


def _ask(session: Session, questions: Sequence[Question]) -> None:
    """Open tasks, or let open ones say what is asked now: a steward who looks at one keeps looking at the same."""
    if not questions:
        return
    now = clock.now()
    weighed = [priority.of(one, stake) for one, stake in zip(questions, stakes.read(session, questions), strict=True)]
    rows = [
        {
            "task_id": str(clock.uuid7()),
            "kind": str(one.kind),
            "question_key": one.key,
            "golden_ids": [str(golden_id) for golden_id in one.golden_ids],
            "record_ids": [str(record_id) for record_id in one.record_ids],
            "weight": one.weight,
            "brands": list(one.brands),
            "regions": list(one.regions),
            "reason_code": one.reason_code,
            "share": one.share,
            "priority": urgency.figure,
            "priority_parts": urgency.parts,
            "due_at": (now + priority.within(one.kind)).isoformat(),
        }
        for one, urgency in zip(questions, weighed, strict=True)
    ]
    asked = sql.rows(
        session,
        """INSERT INTO task (task_id, kind, question_key, golden_ids, record_ids, weight, brands, regions, reason_code, state,
             opened_at, priority, priority_parts, due_at, share)
           SELECT task_id, kind, question_key, golden_ids, record_ids, weight, brands, regions, reason_code, 'open', %(now)s,
             priority, priority_parts, due_at, share
           FROM json_to_recordset(%(rows)s::json) AS n (task_id uuid, kind text, question_key text, golden_ids uuid[],
             record_ids uuid[], weight float8, brands text[], regions text[], reason_code text, priority float8,
             priority_parts jsonb, due_at timestamptz, share float8)
           ON CONFLICT (kind, question_key) WHERE state = 'open' DO UPDATE SET golden_ids = EXCLUDED.golden_ids,
             record_ids = EXCLUDED.record_ids, weight = EXCLUDED.weight, brands = EXCLUDED.brands, regions = EXCLUDED.regions,
             reason_code = EXCLUDED.reason_code, share = EXCLUDED.share
           RETURNING task_id, kind, golden_ids, brands, regions, reason_code, xmax = 0""",
        {"rows": orjson.dumps(rows).decode(), "now": now},
    )
    opened = [row for row in asked if row[-1]]
    sql.run(session, "INSERT INTO task_desk (task_id) SELECT unnest(%s::uuid[])", [[row[0] for row in opened]])
    outbox.emit_all(session, [event("task.opened", OPENED_VERSION, row) for row in opened])


def differences(session: Session, evaluations: Iterable[Evaluation]) -> list[Difference]:
    """Compare the open tasks with what the evaluations ask, for verification. A task that should not be, or says something else,
    is named by its id; one that is missing by its question."""
    found: list[Difference] = []
    about: dict[uuid.UUID, list[OpenTask]] = {}
    evaluations = list(evaluations)
    for task in open_about(session, {golden_id for one in evaluations for golden_id in one.golden_ids}):
        for golden_id in task.golden_ids:
            about.setdefault(golden_id, []).append(task)
    for evaluation in evaluations:
        asked = {(str(question.kind), question.key): question for question in evaluation.questions}
        mine = (task for golden_id in evaluation.golden_ids for task in about.get(golden_id, ()))
        stored = {(task.kind, task.key): task for task in mine}
        for key, task in stored.items():
            if key not in asked:
                found.append(Difference(Kind.TASK, str(task.task_id), "not_asked"))
            elif not task.asks(asked[key]):
                found.append(Difference(Kind.TASK, str(task.task_id), "says_something_else"))
        found += [Difference(Kind.TASK, ":".join(key), "missing") for key in asked.keys() - stored.keys()]
    return found


def strays(session: Session, golden_ids: Collection[uuid.UUID]) -> list[Difference]:
    """Name open tasks that speak of none of these golden ids (all that there are): nobody asks them."""
    found = sql.rows(
        session, "SELECT task_id FROM task WHERE state = 'open' AND NOT golden_ids && %s::uuid[]", [list(golden_ids)]
    )
    return [Difference(Kind.TASK, str(task_id), "not_asked") for (task_id,) in found]


def close_gone(session: Session, golden_ids: Collection[uuid.UUID]) -> int:
    """Close the open tasks about any of these golden ids, whose records are gone for good; how many."""
    gone = open_about(session, golden_ids)
    _close(session, {task.task_id: Closing(Because.RECORD_GONE) for task in gone})
    return len(gone)


def close_strays(session: Session, golden_ids: Collection[uuid.UUID]) -> None:
    """Close the open tasks that speak of none of these golden ids (all that there are)."""
    _close(session, {uuid.UUID(one.id): Closing(Because.NOBODY_ASKS) for one in strays(session, golden_ids)})
