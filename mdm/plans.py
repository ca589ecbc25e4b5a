"""What another policy or model would make of the stored records, before it rules: golden records, values, ids. Only reads.

Everything is evaluated beside what is stored, as verification does, under a version set that nobody has adopted. Records that the
new policy would read otherwise stand in the plan as they are read now; how many those are is told, what comes of them is not.
"""

import dataclasses
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from kernel import clock
from matching.model import Model
from mdm import closure, parts, sql, versions
from mdm.drafts import Draft, Drafter
from mdm.evaluation import Evaluation, evaluate
from mdm.evidence import Weigher
from mdm.expected import Expected
from mdm.mapping_schema import Mapping as SourceMapping
from mdm.parts import EVERYBODY, Part
from mdm.policy import Policy
from mdm.records import Shelf
from mdm.steps import Steps, snapshot
from mdm.versions import VersionSet

CHUNK = 500
MOST_TOLD = 100
NOT_ADOPTED = 0
VALUES = "values"
Progress = Callable[[int, int], None]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """A golden record that would become another: why, its records by then, and the attributes whose values would differ."""

    golden_id: uuid.UUID | None
    cause: str
    members: tuple[Key, ...]
    values: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What would change. `causes` counts golden ids by cause (values: nothing but values), `attributes` values by attribute;
    `sources` and `brands` count the golden records that change by whose records they hold. `questions`: before and after.

    `told` are the changes of most records. `unread`: records that would be read anew, and stand here as they are read now, by
    what the policies say otherwise (`unread_by`).
    """

    records: int = 0
    goldens: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    attributes: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    brands: Counter[str] = field(default_factory=Counter)
    questions: tuple[int, int] = (0, 0)
    told: list[Planned] = field(default_factory=list)
    unread: int = 0
    unread_by: tuple[str, ...] = ()

    @property
    def changes(self) -> int:
        """How many golden ids would answer otherwise."""
        return sum(self.causes.values())


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def plan(
    steps: Steps,
    policy: Policy | None = None,
    model: Model | None = None,
    progress: Progress = _silent,
    part: Part = EVERYBODY,
) -> Plan:
    """Plan for another policy, another model, or both; what is not given stays as it is. One snapshot for the whole run.

    Of a part, what would become of its records and of whoever hangs together with them.
    """
    with snapshot(steps) as session:
        current = versions.current(session)
        wanted = replace(current, version_set_id=NOT_ADOPTED, policy=policy or current.policy, model=model or current.model)
        run = _Run(session, Tools(wanted))
        everyone = parts.records(session, part)
        for chunk in run.chunks(everyone):
            run.look(chunk)
            progress(len(run.seen), max(len(everyone), len(run.seen)))
        run.finish(current)
    return run.plan


class Tools:
    """What is worth keeping from one look to the next: decoded records, weighed pairs, drafted values. Of one version set."""

    def __init__(self, of: VersionSet) -> None:
        self.versions = of
        self.shelf, self.weigher, self.drafter = Shelf(), Weigher(of), Drafter(of)


def look(session: Session, tools: Tools, record_ids: Sequence[uuid.UUID]) -> tuple[Counter[str], set[uuid.UUID]]:
    """Say what resolving some records would make of golden ids, by cause, and which records hang together with them."""
    run = _Run(session, tools)
    run.look(record_ids)
    return run.plan.causes, run.seen


class _Run:
    """A plan on its way through the records."""

    def __init__(self, session: Session, tools: Tools) -> None:
        self.session, self.wanted, self.plan = session, tools.versions, Plan()
        self.shelf, self.weigher, self.drafter = tools.shelf, tools.weigher, tools.drafter
        self.expected = Expected(session, self.wanted, self.shelf)
        self.seen: set[uuid.UUID] = set()

    def chunks(self, everyone: Sequence[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
        """Cut off what has not been seen yet."""
        waiting = list(reversed(everyone))
        while waiting:
            chunk: list[uuid.UUID] = []
            while waiting and len(chunk) < CHUNK:
                record_id = waiting.pop()
                chunk += [record_id] if record_id not in self.seen else []
            if chunk:
                yield chunk

    def look(self, chunk: Sequence[uuid.UUID]) -> None:
        """Evaluate the units of some records, and count what would change."""
        around = closure.read(self.session, chunk, self.wanted, self.expected.edges)
        self.seen.update(around.records)
        living = [record for component in around.components for record in component.records]
        current = self.shelf.load(self.session, living)
        lost = set(living) - current.keys()
        usable = [closure.without(unit, lost) for unit in closure.split(around)]
        units = list(evaluate(self.weigher, usable, current, lambda _: clock.uuid7(), clock.now()))
        stored = _stored(self.session, [golden_id for unit in units for golden_id in unit.closure.goldens])
        for unit in units:
            self._count(unit, stored)

    def _count(self, unit: Evaluation, stored: Mapping[uuid.UUID, "_Stored"]) -> None:
        causes = {change.golden_id: str(change.cause) for change in unit.plan.changes}
        as_at = {golden_id: stored[golden_id].computed_at for golden_id in unit.closure.goldens if golden_id in stored}
        for draft in self.drafter.drafts(unit, as_at, clock.now()):
            head = unit.closure.goldens.get(draft.golden_id)
            if draft.golden_id not in causes and head is not None and not draft.differs_from(head):
                continue
            self._note(draft, causes.get(draft.golden_id, VALUES), stored.get(draft.golden_id))
        before, after = self.plan.questions
        self.plan.questions = before, after + len(unit.questions)

    def _note(self, draft: Draft, cause: str, was: "_Stored | None") -> None:
        members = tuple((one["source"], one["source_key"]) for one in draft.body.get("members", ()))
        new = {name: held["value"] for name, held in draft.body.get("values", {}).items()}
        old = was.values if was else {}
        values = tuple(sorted(name for name in {*old, *new} if old.get(name) != new.get(name))) if new else ()
        plan = self.plan
        plan.causes[cause] += 1
        plan.attributes.update(values if was else ())
        plan.sources.update({source for source, _ in members})
        plan.brands.update(draft.brands)
        plan.told.append(Planned(draft.golden_id if was else None, cause, members, values))
        if len(plan.told) > 2 * MOST_TOLD:
            self._shorten()

    def _shorten(self) -> None:
        self.plan.told.sort(key=lambda one: (-len(one.members), -len(one.values), one.members))
        del self.plan.told[MOST_TOLD:]

    def finish(self, current: VersionSet) -> None:
        """Count what there is now, and who would be read anew."""
        self._shorten()
        self.plan.records = len(self.seen)
        ((self.plan.goldens, open_questions),) = sql.rows(self.session, _NOW, [list(self.seen)])
        self.plan.questions = open_questions, self.plan.questions[1]
        otherwise = _read_otherwise(current.policy, self.wanted.policy)
        ((self.plan.unread,),) = sql.rows(
            self.session, "SELECT count(*) FROM standard_record WHERE source = ANY(%s)", [list(otherwise)]
        )
        self.plan.unread_by = tuple(sorted({what for said in otherwise.values() for what in said}))


_NOW = """
WITH seen AS MATERIALIZED (SELECT unnest(%s::uuid[]) AS record_id)
SELECT (SELECT count(DISTINCT golden_id) FROM seen JOIN crosswalk USING (record_id) JOIN golden g USING (golden_id)
        WHERE g.status = 'live'),
  (SELECT count(DISTINCT task_id) FROM seen JOIN (SELECT task_id, unnest(record_ids) AS record_id FROM task
    WHERE state = 'open') AS asked USING (record_id))"""


def _read_otherwise(before: Policy, after: Policy) -> dict[str, list[str]]:
    """Name the sources whose records the two policies read otherwise, and what each says otherwise."""
    both = {name: _said_otherwise(before, after, name) for name in before.sources.keys() & after.sources.keys()}
    return {name: said for name, said in both.items() if said}


def _said_otherwise(before: Policy, after: Policy, name: str) -> list[str]:
    old, new = before.sources[name], after.sources[name]
    # As JSON, since the one that rules was stored as that: its keys are texts, where a file's may be true or 1.
    mappings = [one.model_dump(mode="json", include=set(SourceMapping.model_fields)) for one in (old, new)]
    contexts = [dataclasses.asdict(one.standardize_context(name)) for one in (before, after)]
    read = contexts[0].keys() | mappings[0].keys()
    return [what for what in sorted(read) if any(one.get(what) != other.get(what) for one, other in (mappings, contexts))]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a golden record says now."""

    values: Mapping[str, Any]
    computed_at: datetime


def _stored(session: Session, golden_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Stored]:
    found = sql.rows(session, "SELECT golden_id, body, computed_at FROM golden WHERE golden_id = ANY(%s)", [list(golden_ids)])
    return {
        golden_id: _Stored({name: held["value"] for name, held in body.get("values", {}).items()}, computed_at)
        for golden_id, body, computed_at in found
    }
