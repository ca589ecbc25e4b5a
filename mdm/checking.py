"""Compares what is stored of some records and what hangs together with them with what recomputation gives, chunk by chunk.

Everything is read in the one session that is given; whoever gives several the same snapshot may check chunks beside each other.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlmodel import Session

from kernel import clock
from mdm import closure, consent_partings, copies, decisions, sql
from mdm.changes import Status
from mdm.closure import Closure
from mdm.decisions import MODEL, PairDecision, StoredDecision
from mdm.differences import Difference, Kind
from mdm.drafts import EXPIRY_GRACE, Draft, Drafter, body_hash, judged_at
from mdm.evaluation import Evaluation, evaluate
from mdm.evidence import Weigher
from mdm.expected import Expected
from mdm.foreknown import foreknown
from mdm.records import CurrentRecord, Shelf
from mdm.versions import VersionSet

Id = uuid.UUID


TaskDifferences = Callable[[Session, Sequence[Evaluation]], list[Difference]]


class TaskCheck(Protocol):
    """How stewards' tasks are compared: `stewardship.tasks`, which this package may not know."""

    def differences(self, session: Session, evaluations: Sequence[Evaluation]) -> list[Difference]:
        """Compare the open tasks about some units."""

    def strays(self, session: Session, golden_ids: Collection[Id]) -> list[Difference]:
        """Name the open tasks about none of the golden ids."""


@dataclass(slots=True)
class Met:
    """What checking has met and found. `in_flight`: records whose units were not judged."""

    records: set[Id] = field(default_factory=set)
    golden_ids: set[Id] = field(default_factory=set)
    in_flight: set[Id] = field(default_factory=set)
    differences: set[Difference] = field(default_factory=set)
    decisions: int = 0

    def add(self, more: "Met") -> None:
        """Add what was met beside it."""
        self.records |= more.records
        self.golden_ids |= more.golden_ids
        self.in_flight |= more.in_flight
        self.differences |= more.differences
        self.decisions += more.decisions


@dataclass(slots=True)
class Check:
    """One verification on its way through the records, chunk by chunk."""

    session: Session
    versions: VersionSet
    shelf: Shelf
    expected: Expected
    task_differences: TaskDifferences
    weigher: Weigher
    met: Met = field(default_factory=Met)
    as_at: datetime = field(default_factory=lambda: clock.now() - EXPIRY_GRACE)

    def check(self, chunk: Sequence[Id]) -> None:
        """Check the units of some records."""
        around = closure.read(self.session, chunk, self.versions, self.expected.edges)
        ids = list(around.records)
        self.met.records.update(ids)
        self.met.golden_ids.update(around.goldens)
        pending = {
            row[0] for row in sql.rows(self.session, "SELECT record_id FROM pending_record WHERE record_id = ANY(%s)", [ids])
        }
        self._check_decisions(ids, pending)
        living = [record for component in around.components for record in component.records]
        current = self.shelf.load(self.session, living)
        self._know(current)
        # A record without a crosswalk row is named as missing; what hangs together with it cannot be judged.
        around, beside = _with_heads(around)
        whole = [
            unit
            for unit in closure.split(around)
            if all(held <= unit.records.keys() for held in unit.founders.values()) and beside.isdisjoint(unit.records)
        ]
        lost = set(living) - current.keys()
        usable = [closure.without(unit, lost) for unit in whole]
        units = list(evaluate(self.weigher, usable, current, lambda _: clock.uuid7(), self.as_at))
        settled = [unit for unit in units if pending.isdisjoint(unit.records) and not unit.lapses_by(self.as_at + EXPIRY_GRACE)]
        rested = {record for unit in settled for record in unit.records}
        self.met.in_flight.update(record for unit in units for record in unit.records if record not in rested)
        stored = _stored_goldens(self.session, [golden_id for unit in settled for golden_id in unit.golden_ids])
        right = {golden_id for unit in settled for golden_id in self._check_unit(unit, stored)}
        self.met.differences.update(copies.crosswalk(self.session, [record for unit in settled for record in unit.records]))
        self.met.differences.update(copies.golden(self.session, list(stored), self.versions.version_set_id, right))
        self._check_founders(settled)
        self.met.differences.update(self.task_differences(self.session, settled))

    def take(self) -> Met:
        """Give what was met since it was last taken."""
        taken, self.met = self.met, Met()
        return taken

    def check_strays(self, tasks: TaskCheck) -> None:
        """Find tasks that nobody asks, golden ids that nothing speaks of and consents parted unnoted, once everybody
        was checked.

        Decisions are counted anew: one between what two chunks met was met twice.
        """
        self.met.decisions = sql.rows(self.session, "SELECT count(*) FROM decision WHERE superseded_at IS NULL")[0][0]
        known = {row[0] for row in sql.rows(self.session, "SELECT golden_id FROM golden")}
        self.met.differences.update(tasks.strays(self.session, known))
        self.met.differences.update(copies.missing_crosswalk(self.session))
        self.met.differences.update(copies.standard(self.session))
        self.met.differences.update(consent_partings.differences(self.session))
        self.met.differences.update(
            Difference(Kind.GOLDEN_VALUE, str(one), "without_founders") for one in known - self.met.golden_ids
        )

    def _check_decisions(self, record_ids: Sequence[Id], pending: set[Id]) -> None:
        wanted = {pair: one for pair, one in self.expected.about(record_ids).items() if pending.isdisjoint(pair)}
        for one in decisions.read(self.session, record_ids):
            self.met.decisions += 1
            if one.checksum != decisions.checksum(self.versions.decision_secret, one):
                self.met.differences.add(Difference(Kind.DECISION, str(one.decision_id), "checksum"))
            if one.author == MODEL and one.record_a and one.record_b and pending.isdisjoint((one.record_a, one.record_b)):
                problem = _decision_problem(one, wanted.pop((one.record_a, one.record_b), None))
                if problem:
                    self.met.differences.add(Difference(Kind.DECISION, str(one.decision_id), problem))
        self.met.differences.update(Difference(Kind.DECISION, f"{a}:{b}", "missing") for a, b in wanted)

    def _know(self, current: Mapping[Id, CurrentRecord]) -> None:
        """Tell the weigher what was found out when the pairs were decided."""
        pairs = self.expected.about(current).values()
        inside = (one for one in pairs if one.record_a in current and one.record_b in current)
        self.weigher.know(foreknown(self.versions, inside, current.values()).about(current))

    def _check_unit(self, unit: Evaluation, stored: Mapping[Id, "_StoredGolden"]) -> Iterator[Id]:
        """Check what is stored of a unit; give the golden ids whose body is what it should be."""
        as_at = {golden_id: stored[golden_id].computed_at for golden_id in unit.golden_ids if golden_id in stored}
        for draft in Drafter(self.versions).drafts(unit, judged_at(unit, as_at, clock.now()), clock.now()):
            differences = list(_golden_differences(draft, stored.get(draft.golden_id)))
            self.met.differences.update(differences)
            if not differences:
                yield draft.golden_id
        for record, head in unit.records.items():
            state = unit.settled_state(head, self.versions.merges)
            if (head.golden_id, head.state) != (unit.plan.crosswalk.get(record), state):
                self.met.differences.add(Difference(Kind.CROSSWALK, str(record), "points_elsewhere"))
            if not head.is_deleted and head.rung != unit.rungs.get(record, 0):
                self.met.differences.add(Difference(Kind.CROSSWALK, str(record), "another_rung"))

    def _check_founders(self, units: Sequence[Evaluation]) -> None:
        # An erased id has no standing any more, and its founders all the same.
        golden_ids = [golden_id for unit in units for golden_id in unit.golden_ids | unit.closure.founders.keys()]
        stored = {(golden_id, record) for unit in units for golden_id, held in unit.closure.founders.items() for record in held}
        wanted = _founders_by_history(self.session, golden_ids)
        if elsewhere := _founded_elsewhere(self.session, {record for _, record in wanted - stored}, golden_ids):
            told = _founders_by_history(self.session, [*golden_ids, *elsewhere])
            wanted = {(golden_id, record) for golden_id, record in told if golden_id not in elsewhere}
        self.met.differences.update(Difference(Kind.FOUNDER, f"{g}:{record}", "never_founded") for g, record in stored - wanted)
        self.met.differences.update(Difference(Kind.FOUNDER, f"{g}:{record}", "missing") for g, record in wanted - stored)


def _with_heads(around: Closure) -> tuple[Closure, set[Id]]:
    """Leave out components that hold a record without a crosswalk row; and who is in them."""
    beside = {record for one in around.components if not one.records.keys() <= around.records.keys() for record in one.records}
    if not beside:
        return around, beside
    whole = tuple(one for one in around.components if beside.isdisjoint(one.records))
    return replace(around, components=whole), beside


def _decision_problem(stored: StoredDecision, wanted: PairDecision | None) -> str | None:
    if wanted is None:
        return "not_expected"
    said = (
        stored.version_a,
        stored.version_b,
        stored.verdict,
        stored.weight,
        stored.levels,
        stored.reason_code,
        stored.version_set_id,
    )
    asked = (
        wanted.version_a,
        wanted.version_b,
        wanted.verdict,
        wanted.weight,
        wanted.levels,
        wanted.reason_code,
        wanted.version_set_id,
    )
    return None if said == asked else "says_something_else"


@dataclass(frozen=True, slots=True)
class _StoredGolden:
    status: str
    redirect_to: Id | None
    split_into: tuple[Id, ...]
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    body: dict[str, Any]
    content_hash: bytes
    computed_at: datetime


def _stored_goldens(session: Session, golden_ids: Sequence[Id]) -> dict[Id, _StoredGolden]:
    found = sql.rows(
        session,
        """SELECT golden_id, status, redirect_to, split_into, brands, regions, body::text, content_hash, computed_at
           FROM golden WHERE golden_id = ANY(%s)""",
        [list(golden_ids)],
    )
    return {
        row[0]: _StoredGolden(
            row[1], row[2], tuple(row[3]), tuple(row[4]), tuple(row[5]), orjson.loads(row[6]), bytes(row[7]), row[8]
        )
        for row in found
    }


def _golden_differences(draft: Draft, stored: _StoredGolden | None) -> Iterator[Difference]:
    golden_id = str(draft.golden_id)
    if stored is None:
        yield Difference(Kind.GOLDEN_VALUE, golden_id, "missing")
        return
    pointers = (str(draft.status), draft.redirect_to, draft.split_into)
    if (stored.status, stored.redirect_to, stored.split_into) != pointers:
        yield Difference(Kind.REDIRECT, golden_id, "points_elsewhere")
    scope = (draft.brands, draft.regions)
    if (
        body_hash(stored.body) != body_hash(draft.body)
        or stored.content_hash != draft.content_hash
        or (stored.brands, stored.regions) != scope
    ):
        yield Difference(Kind.GOLDEN_VALUE, golden_id, "says_something_else")


def _founded_elsewhere(session: Session, record_ids: Collection[Id], golden_ids: Collection[Id]) -> set[Id]:
    """Find other ids that the records founded. A deleted record stands with them alone, whatever id it lived under at last."""
    if not record_ids:
        return set()
    found = sql.rows(session, "SELECT DISTINCT golden_id FROM founder WHERE record_id = ANY(%s)", [list(record_ids)])
    return {row[0] for row in found}.difference(golden_ids)


def _founders_by_history(session: Session, golden_ids: Sequence[Id]) -> set[tuple[Id, Id]]:
    """Work out founders from past versions: records of the part an id was issued to, and those whose first golden id it was."""
    found = sql.rows(
        session,
        """SELECT v.golden_id, v.version, v.computed_at, v.members FROM golden_version v
           WHERE v.golden_id = ANY(%s) AND v.status = %s ORDER BY v.computed_at, v.version""",
        [list(golden_ids), str(Status.LIVE)],
    )
    first: dict[Id, Id] = {}
    issued: set[tuple[Id, Id]] = set()
    for golden_id, version, _, members in found:
        for record in members:
            first.setdefault(record, golden_id)
        issued.update((golden_id, record) for record in members if version == 1)
    return issued | {(golden_id, record) for record, golden_id in first.items()}
