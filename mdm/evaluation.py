"""From a closure to what should be stored: parts, golden ids, golden records, and the questions that remain. Pure.

One evaluation for each unit: records that hang together by component, golden id or founder. Online, bulk and verification
all come through here, so that they cannot disagree. `mdm.golden` writes it, `stewardship.tasks` asks its questions.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from matching.cluster import Clustering, Join, Reason, Review, of_one, partition
from matching.components import Component
from matching.units import Member, Weights
from mdm.changes import Standing, Status, plan
from mdm.closure import Closure, GoldenHead, RecordHead, rules_about
from mdm.confirmed import Confirmed, brought_together, confirmed_pairs
from mdm.decisions import StewardDecision
from mdm.evidence import Weigher
from mdm.merge_blockers import Crossing
from mdm.questions import (
    Plan,
    Question,
    QuestionKind,
    about_checks,
    about_confirmations,
    about_crossings,
    about_expired_values,
    about_source_merges,
    question,
    record_order,
)
from mdm.records import CurrentRecord
from mdm.yielding import Aside, sift

Id = uuid.UUID


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one unit of records amounts to. `closure` is the unit's own; `current` are its records that may be merged.

    `joins` are the steps by which its parts came together, in their order within each component. `crossings`: the merge blockers
    that stewards' matches cross, by golden id; `lapses`: when a record is to be looked at again, for a fact of it grows too old;
    `expiries`: when values that were set by hand will expire; `aside`: what sources assert and what yields to what we know.
    """

    closure: Closure
    current: Mapping[Id, CurrentRecord]
    plan: Plan
    questions: tuple[Question, ...]
    rungs: Mapping[Id, int]
    joins: tuple[Join[Id], ...] = ()
    crossings: tuple[tuple[Id, Crossing], ...] = ()
    lapses: Mapping[Id, datetime] = field(default_factory=dict)
    expiries: tuple[datetime, ...] = ()
    aside: tuple[Aside, ...] = ()

    @property
    def records(self) -> Mapping[Id, RecordHead]:
        """All records of the unit, living or not."""
        return self.closure.records

    @property
    def golden_ids(self) -> frozenset[Id]:
        """All golden ids that the unit speaks of."""
        return frozenset(self.plan.standings)

    def stands(self, asked: AbstractSet[Id], version_set_id: int) -> frozenset[Id]:
        """Name the live golden ids whose stored answer stands: nothing that it hangs on has changed since it was written.

        That is: the same members, made under this version set, none of them `asked` for or still owed anything (a new version
        leaves its record pending), and no value set by hand, which may have expired.
        """
        if self.closure.overrides:
            return frozenset()
        changed = {change.golden_id for change in self.plan.changes}
        return frozenset(
            golden_id
            for golden_id, standing in self.plan.standings.items()
            if standing.status is Status.LIVE
            and golden_id not in changed
            and self.closure.goldens[golden_id].version_set_id == version_set_id
            and standing.members.isdisjoint(asked)
            and all(self.records[record].state == "resolved" for record in standing.members)
        )

    def lapses_by(self, at: datetime) -> bool:
        """Whether some fact of it grows too old by a time, or a value that was set by hand expires."""
        return any(one <= at for one in (*self.lapses.values(), *self.expiries))

    def settled_state(self, record: RecordHead, merges: Callable[[str], bool]) -> str:
        """The crosswalk state of a record once all that it is owed is done."""
        if record.is_deleted:
            return "deleted"
        return "resolved" if merges(record.source) else "shadow"


def evaluate(
    weigher: Weigher,
    units: Iterable[Closure],
    current: Mapping[Id, CurrentRecord],
    issue: Callable[[frozenset[Id]], Id],
    as_at: datetime,
) -> Iterator[Evaluation]:
    """Evaluate units of a closure, in the order of their oldest records. `current` holds all their living records.

    `as_at`: the time to which facts that bar merges are judged; nothing else hangs on it.
    """
    for unit in sorted(units, key=lambda unit: min(map(record_order, unit.records.values()))):
        yield _evaluate(weigher, unit, current, issue, as_at)


def _evaluate(
    weigher: Weigher,
    unit: Closure,
    current: Mapping[Id, CurrentRecord],
    issue: Callable[[frozenset[Id]], Id],
    as_at: datetime,
) -> Evaluation:
    barred = _Barred(weigher, as_at, {})
    clusterings, beyond = _clusterings(barred, unit, current)
    planned = _plan(unit, [part for _, clustering in clusterings for part in clustering.parts], issue)
    questions: dict[tuple[QuestionKind, str], Question] = {}
    for component, clustering in clusterings:
        for asked in _questions(component, clustering, planned, current, barred):
            questions.setdefault((asked.kind, asked.key), asked)
    crossings = tuple(barred.crossings(unit, planned, current))
    for one in about_crossings(crossings, planned, current):
        questions.setdefault((one.kind, one.key), one)
    for one in about_confirmations(unit, planned, current, beyond):
        questions.setdefault((one.kind, one.key), one)
    rungs = {record: component.rung for component in unit.components for record in component.records}
    joins = tuple(join for _, clustering in clusterings for join in clustering.joins)
    for one in about_checks(weigher, joins, unit, planned, current):
        questions.setdefault((one.kind, one.key), one)
    for one in about_expired_values(unit, planned, current, as_at):
        questions.setdefault((one.kind, one.key), one)
    aside = tuple(sorted(barred.aside.values(), key=lambda one: one.decision.decision_id))
    for one in about_source_merges(aside, unit, planned, current):
        questions.setdefault((one.kind, one.key), one)
        questions.pop((QuestionKind.PAIR, one.key), None)  # Nobody is asked twice about the same two.
    mine = {one: current[one] for one in rungs}
    expiries = tuple(one.expires_at for one in unit.overrides if one.expires_at and one.expires_at > as_at)
    return Evaluation(
        unit, mine, planned, tuple(questions.values()), rungs, joins, crossings, barred.lapses(mine), expiries, aside
    )


@dataclass(frozen=True, slots=True)
class _Barred:
    """What bars records, as at one time. With a policy that names no blocker nothing is looked at.

    `aside`: by decision, what sources assert and what yields, as each component is clustered.
    """

    weigher: Weigher
    as_at: datetime
    aside: dict[Id, Aside]

    def counting(
        self, rules: Collection[StewardDecision], weights: Weights | None, keys: Mapping[Id, bytes]
    ) -> list[StewardDecision]:
        if not any(rule.yields for rule in rules):
            return list(rules)
        counting, aside = sift(rules, weights, keys)
        for rule in rules:
            self.aside.pop(rule.decision_id, None)
        self.aside.update((one.decision.decision_id, one) for one in aside)
        return counting

    def bars(self, record: CurrentRecord) -> int:
        blockers = self.weigher.versions.blockers
        return blockers.bars(record, self.as_at) if blockers else 0

    def lapses(self, records: Mapping[Id, CurrentRecord]) -> Mapping[Id, datetime]:
        blockers = self.weigher.versions.blockers
        if not blockers:
            return {}
        found = {known: blockers.lapses_at(record, self.as_at) for known, record in records.items()}
        return {known: at for known, at in found.items() if at}

    def names(self, review: Review[Id], current: Mapping[Id, CurrentRecord]) -> tuple[str, ...]:
        parts = [[current[record] for record in part] for part in review.parts]
        return self.weigher.versions.blockers.between(parts, self.as_at)

    def crossings(self, unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord]) -> Iterator[tuple[Id, Crossing]]:
        blockers = self.weigher.versions.blockers
        for golden_id, standing in planned.standings.items() if blockers else ():
            part = [current[record] for record in standing.members]
            for crossing in blockers.crossings(part, unit.rules, self.as_at):
                yield golden_id, crossing


def _clusterings(
    barred: _Barred, unit: Closure, current: Mapping[Id, CurrentRecord]
) -> tuple[list[tuple[Component[Id], Clustering[Id]]], frozenset[Id]]:
    """Cluster each component, and again those that customers' confirmations speak of; also whose confirmation passed the cap."""
    alone = [(component, _cluster(barred, component, unit, current)) for component in unit.components]
    parts = [part for _, clustering in alone for part in clustering.parts]
    order = {record: record_order(head) for record, head in unit.records.items()}
    pairs = confirmed_pairs(unit.assertions, unit.founders, parts, order)
    if not pairs:
        return alone, frozenset()
    known = {id(component): clustering for component, clustering in alone}
    together, beyond = brought_together(unit.components, pairs, barred.weigher.versions.lines.cap)
    found = [
        (component, known[id(component)] if not said else _cluster(barred, component, unit, current, said))
        for component, said in together
    ]
    return found, frozenset(pair.record_id for pair in beyond)


def _cluster(
    barred: _Barred,
    component: Component[Id],
    unit: Closure,
    current: Mapping[Id, CurrentRecord],
    said: Collection[Confirmed] = (),
) -> Clustering[Id]:
    about = rules_about(unit.rules, component.records.keys())
    if len(component.records) == 1 and not about:
        return of_one(next(iter(component.records)))
    weigher = barred.weigher
    records = [current[record] for record in component.records]
    keys = weigher.form_keys(records, said)
    members = [
        Member(one.record_id, one.order_key, keys[one.record_id], weigher.versions.asks(one.source), barred.bars(one))
        for one in records
    ]
    weights = weigher.weights(component, current, said, unit.hot_identifiers)
    counting = barred.counting(about, weights, keys)
    return partition(members, weights, [rule.as_rule for rule in counting], weigher.versions.lines)


def _plan(unit: Closure, parts: list[frozenset[Id]], issue: Callable[[frozenset[Id]], Id]) -> Plan:
    gone = unit.records.keys() - frozenset().union(*parts)
    members: dict[Id, set[Id]] = {}
    for head in unit.records.values():
        if head.golden_id:
            members.setdefault(head.golden_id, set()).add(head.record_id)
    return plan(
        parts,
        unit.founders,
        {golden: unit.goldens[golden].issue_no for golden in unit.founders},
        {record: record_order(head) for record, head in unit.records.items()},
        {golden: _standing(unit.goldens[golden], frozenset(members.get(golden, ()))) for golden in unit.founders},
        gone=gone,
        issue=issue,
    )


def _standing(head: GoldenHead, members: frozenset[Id]) -> Standing[Id, Id]:
    return Standing(
        Status(head.status), head.redirect_to, head.split_into, members if head.status == Status.LIVE else frozenset()
    )


def _questions(
    component: Component[Id],
    clustering: Clustering[Id],
    planned: Plan,
    current: Mapping[Id, CurrentRecord],
    barred: _Barred,
) -> Iterable[Question]:
    for review in clustering.reviews:
        asked = frozenset(record for part in review.parts for record in part)
        if review.reason is Reason.BLOCKED:
            names = ",".join(barred.names(review, current))
            yield question(QuestionKind.BLOCKED, asked, planned, current, review.weight, names)
        else:
            yield question(QuestionKind.PAIR, asked, planned, current, review.weight, str(review.reason))
    for contested in clustering.contested:
        named = contested.no_match.records.union(*(match.records for match in contested.chain)) & component.records.keys()
        yield question(QuestionKind.CONTESTED, named, planned, current, None, "no_match_contradicts_matches")
    if component.capped_off and len(component.records) > 1:
        yield question(QuestionKind.TOO_LARGE, frozenset(component.records), planned, current, None, "component_too_large")
