"""The queue as stewards read it: what is open, in which order, who works at it; one task with its story; and how the queue fares.

Only reads. A caller sees the tasks that touch their brands and regions, as row-level security lets through; free to take are
those that lie wholly within, for nobody settles what they see in part.
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from kernel import clock
from kernel.db import Scope
from kernel.errors import Invalid, NotFound
from mdm import sql
from stewardship import notes, sides
from stewardship.notes import Note

MOST_LISTED = 200
ANSWERED_LATELY = timedelta(days=7)
ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as stewards see it. Nobody holds it once `held_until` is over; `etag` changes with all that may be acted on.

    `is_one_decision`: a single decision answered it, be it one of a set that answered others too.
    """

    task_id: uuid.UUID
    kind: str
    golden_ids: tuple[uuid.UUID, ...]
    record_ids: tuple[uuid.UUID, ...]
    weight: float | None
    reason_code: str
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    state: str
    opened_at: datetime
    closed_at: datetime | None
    closed_because: str | None
    decision_id: uuid.UUID | None
    priority: float
    priority_parts: dict[str, float]
    due_at: datetime | None
    version: int
    holder: str | None
    held_since: datetime | None
    held_until: datetime | None
    assignee: str | None
    deferred_until: datetime | None
    settled_by: str | None
    verdict: str | None
    set_id: uuid.UUID | None
    settled_at: datetime | None
    proposed_by: str | None
    is_one_decision: bool

    @property
    def etag(self) -> str:
        """Stands for the task as it is: the question, its state, and every act of a steward."""
        told = (self.task_id, self.golden_ids, self.record_ids, self.weight, self.reason_code, self.state, self.version)
        return hashlib.blake2b(repr(told).encode(), digest_size=12).hexdigest()

    def holder_at(self, now: datetime) -> str | None:
        """Who holds it: a lease that ran out holds nothing."""
        return self.holder if self.held_until is not None and self.held_until > now else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks to list. `holder`: an actor, or nobody's (`free`); those put off are left out unless `deferred`, and
    with `unheld` those that somebody works at.

    `golden_id`: of open tasks alone. `weight_from` and `weight_below`: bits; what was never weighed is neither.
    """

    state: str = "open"
    kind: str | None = None
    brand: str | None = None
    golden_id: uuid.UUID | None = None
    holder: str | None = None
    free_for: str | None = None
    deferred: bool = False
    overdue: bool = False
    reason_code: str | None = None
    weight_from: float | None = None
    weight_below: float | None = None
    unheld: bool = False


# In this order a page goes on after the last row of the one before; the sort key never moves while a task is open.
_COLUMNS = """t.task_id, t.kind, t.golden_ids, t.record_ids, t.weight, t.reason_code, t.brands, t.regions, t.state, t.opened_at,
  t.closed_at, t.closed_because, coalesce(d.decision_id, t.decision_id), t.priority, t.priority_parts, t.due_at,
  d.version, d.holder, d.held_since, d.held_until, d.assignee, d.deferred_until, d.settled_by, d.verdict, d.set_id,
  d.settled_at, d.proposed_by, d.decision_id IS NOT NULL"""
SELECT = f"SELECT {_COLUMNS} FROM task t JOIN task_desk d USING (task_id)"
# Of what is not asked for nothing is said, and the state is written out: one statement for all (`IS NULL OR`) is planned once
# for all, past every index: to find the few of 10,000 open tasks that one holds took 48 ms, and takes 0.6.
_CONDITIONS = {
    "kind": "t.kind = %(kind)s",
    "brand": "t.brands @> ARRAY[%(brand)s]",
    # By a function: under row security no index of arrays may be used, and each page of a customer read every open task.
    "golden_id": "t.task_id = ANY(open_tasks_of(%(golden_id)s::uuid))",
    "holder": "d.holder = %(holder)s AND d.held_until > %(now)s",
    "free_for": """(d.held_until IS NULL OR d.held_until <= %(now)s OR d.holder = %(free_for)s)
      AND (d.assignee IS NULL OR d.assignee = %(free_for)s) AND d.settled_by IS NULL AND wholly_in_scope(t.brands, t.regions)""",
    "unheld": "(d.held_until IS NULL OR d.held_until <= %(now)s)",
    "overdue": "t.due_at < %(now)s",
    "reason_code": "t.reason_code = %(reason_code)s",
    "weight_from": "t.weight >= %(weight_from)s",
    "weight_below": "t.weight < %(weight_below)s",
}
_STATES = {"open": "t.state = 'open'", "closed": "t.state = 'closed'"}
_DEFERRED = {True: "d.deferred_until > %(now)s", False: "(d.deferred_until IS NULL OR d.deferred_until <= %(now)s)"}
# Written as one comparison of rows each, which walks the index of the same columns backwards.
_AFTER = {
    "open": "(t.priority, t.task_id) < (%(after)s, %(after_id)s::uuid)",
    "closed": "(t.closed_at, t.task_id) < (%(after)s, %(after_id)s::uuid)",
}
ORDER = {"open": "ORDER BY t.priority DESC, t.task_id DESC", "closed": "ORDER BY t.closed_at DESC, t.task_id DESC"}
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Place = tuple[float | datetime, uuid.UUID]


def page(session: Session, wanted: Wanted, after: Place | None = None, limit: int = 50) -> list[Task]:
    """List tasks, the most urgent first; of those that are closed, the latest. `after`: as `place` reads it."""
    said = [_where(wanted), *([_AFTER[wanted.state]] if after else [])]
    given = {**_params(wanted), "limit": limit}
    if after:
        given["after"], given["after_id"] = after
    with _in_order(session, wanted):
        found = sql.rows(session, f"{SELECT} WHERE {' AND '.join(said)} {ORDER[wanted.state]} LIMIT %(limit)s", given)
    return [task(row) for row in found]


@contextmanager
def _in_order(session: Session, wanted: Wanted) -> Iterator[None]:
    """Let PostgreSQL walk the index of the order and stop at the page's end, unless few tasks are asked for.

    Of the row policies it guesses that they leave one row, and so reads and sorts all (10,000 open tasks: 105 ms, else 3).
    """
    if wanted.deferred or wanted.holder is not None or wanted.golden_id is not None:
        yield
        return
    sql.run(session, "SET LOCAL enable_sort = off")
    yield
    sql.run(session, "SET LOCAL enable_sort = on")


def cursor(last: Task) -> str:
    """Where the page after this task goes on."""
    at = last.priority if last.closed_at is None else (last.closed_at - EPOCH) // MICROSECOND
    return f"{at!r}_{last.task_id}"


def place(after: str | None, state: str = "open") -> Place | None:
    """Read a cursor of a list. Raises: Invalid."""
    if after is None:
        return None
    at, _, task_id = after.partition("_")
    try:
        return float(at) if state == "open" else EPOCH + int(at) * MICROSECOND, uuid.UUID(task_id)
    except (ValueError, OverflowError) as error:
        raise Invalid("This leads to no page: send the `next` of the page before", code="bad_cursor") from error


def _where(wanted: Wanted) -> str:
    said = [_STATES[wanted.state], *(text for name, text in _CONDITIONS.items() if _is_asked(getattr(wanted, name)))]
    return " AND ".join([*said, _DEFERRED[wanted.deferred]] if wanted.state == "open" else said)


def _is_asked(value: object) -> bool:
    """Whether a condition was named; 0 bits are a condition too, which a comparison with False would take for none."""
    return value is not None and value is not False


def _params(wanted: Wanted) -> dict[str, Any]:
    return {"now": clock.now(), **{name: getattr(wanted, name) for name in _CONDITIONS}}


def most_urgent(session: Session, wanted: Wanted) -> uuid.UUID | None:
    """Name the most urgent task of a list that nobody holds or acts on at this moment, and lock its desk."""
    statement = f"""SELECT t.task_id FROM task t JOIN task_desk d USING (task_id) WHERE {_where(wanted)}
      AND (d.held_until IS NULL OR d.held_until <= %(now)s) {ORDER[wanted.state]} LIMIT 1 FOR UPDATE OF d SKIP LOCKED"""
    with _in_order(session, wanted):
        found = sql.rows(session, statement, _params(wanted))
    return found[0][0] if found else None


def answered_by(session: Session, actor: str, limit: int) -> list[Task]:
    """List what somebody answered in the last week and what holds still, the latest first."""
    # From the desks to the tasks: the other way round each open task is looked at for one that somebody answered.
    statement = f"""WITH answered AS MATERIALIZED (
        SELECT task_id FROM task_desk WHERE settled_by = %(actor)s AND settled_at > %(since)s AND verdict IS NOT NULL
        ORDER BY settled_at DESC LIMIT %(limit)s)
      {SELECT} WHERE t.task_id IN (SELECT task_id FROM answered) ORDER BY d.settled_at DESC"""
    found = sql.rows(session, statement, {"actor": actor, "since": clock.now() - ANSWERED_LATELY, "limit": limit})
    return [task(row) for row in found]


@dataclass(frozen=True, slots=True)
class Answers:
    """How many tasks were answered, by how many people, and how many of them by one of these."""

    tasks: int
    people: int
    own: int


def answers_since(session: Session, actor: str, since: datetime) -> Answers:
    """Count the answers since a time that hold still, in the session's row scope."""
    ((tasks, people, own),) = sql.rows(
        session,
        """SELECT count(*), count(DISTINCT d.settled_by), count(*) FILTER (WHERE d.settled_by = %s)
           FROM task_desk d WHERE d.settled_at >= %s AND d.verdict IS NOT NULL""",
        [actor, since],
    )
    return Answers(tasks, people, own)


def task(row: sql.Row) -> Task:
    """Make a task of a row of `SELECT`."""
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in row]
    return Task(*values)


def one(session: Session, task_id: uuid.UUID) -> Task:
    """Read a task, open or closed. Raises: NotFound, also for one beyond the caller's scope."""
    found = sql.rows(session, f"{SELECT} WHERE t.task_id = %s", [task_id])
    if not found:
        raise _unknown(task_id)
    return task(found[0])


def within(session: Session, scope: Scope, task_id: uuid.UUID) -> Task:
    """Read a task past the row scope of the application, for somebody whose scope holds all of it: who settles moves all of it.

    Raises: NotFound.
    """
    found = one(session, task_id)
    refuse_partial(scope, found)
    return found


def refuse_partial(scope: Scope, task: Task) -> None:
    """Raises: NotFound for a task of which the scope does not hold all."""
    if not sides.is_within(scope, task.brands, task.regions):
        raise _unknown(task.task_id)


def _unknown(task_id: uuid.UUID) -> NotFound:
    detail = "No task of this id is known within the key's scope."
    return NotFound("There is no such task", code="unknown_task", detail=detail, extra={"task_id": str(task_id)})


def story(session: Session, task_id: uuid.UUID) -> list[Note]:
    """Read what was done about a task and said of it, the oldest first."""
    return notes.of(session, task_id)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the queue of one kind fares. `settled_a_day` and `opened_a_day` are means of the last seven days."""

    kind: str
    open: int
    deferred: int
    held: int
    overdue: int
    oldest_at: datetime | None
    opened_a_day: float
    settled_a_day: float

    @property
    def days_to_clear(self) -> float | None:
        """How long the open ones last at the pace of the last week; None when nobody settles more than comes in."""
        gain = self.settled_a_day - self.opened_a_day
        return round(self.open / gain, 1) if gain > 0 else None


# Who works at a task is read of the few at which somebody does: whether a desk may be seen is asked of each row by itself.
_FIGURES = """
WITH busy AS MATERIALIZED (
  SELECT task_id, deferred_until, held_until FROM task_desk WHERE deferred_until > %(now)s OR held_until > %(now)s)
SELECT t.kind, count(*) FILTER (WHERE open), count(*) FILTER (WHERE open AND d.deferred_until > %(now)s),
  count(*) FILTER (WHERE open AND d.held_until > %(now)s), count(*) FILTER (WHERE open AND t.due_at < %(now)s),
  min(t.opened_at) FILTER (WHERE open),
  count(*) FILTER (WHERE t.opened_at > %(now)s - interval '7 days') / 7.0,
  count(*) FILTER (WHERE NOT open AND t.closed_at > %(now)s - interval '7 days') / 7.0
FROM (SELECT *, state = 'open' AS open FROM task) t LEFT JOIN busy d USING (task_id)
WHERE (t.state = 'open' OR (t.state = 'closed' AND t.closed_at > %(now)s - interval '7 days'))
  AND (%(brands)s::text[] IS NULL OR t.brands && %(brands)s) AND (%(regions)s::text[] IS NULL OR t.regions && %(regions)s)
GROUP BY 1 ORDER BY 1
"""


def figures(session: Session, scope: Scope | None = None) -> list[Figures]:
    """Tell how the queue fares, by kind, of the tasks that touch a scope; without one, of all that the session sees.

    A page names the scope and reads past the row scope of the application: 17,000 open tasks took twice as long by it.
    """
    told = scope or Scope()
    brands, regions = (None if one is None else list(one) for one in (told.brands, told.regions))
    found = sql.rows(session, _FIGURES, {"now": clock.now(), "brands": brands, "regions": regions})
    return [
        Figures(kind, open_, deferred, held, overdue, oldest, round(float(opened), 2), round(float(closed), 2))
        for kind, open_, deferred, held, overdue, oldest, opened, closed in found
    ]
