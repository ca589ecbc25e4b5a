"""From a closure to what should be stored: parts, golden ids, golden records, and the questions that remain. Pure.

One evaluation for each unit: records that hang together by component, golden id or founder. Online, bulk and verification
all come through here, so that they cannot disagree. `mdm.golden` writes it, `stewardship.tasks` asks its questions.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from matching.cluster import Clustering, Join, Reason, Review, of_one, partition
from matching.components import Component
from matching.units import Member
from mdm.changes import ChangePlan, Standing, Status, plan
from mdm.closure import Closure, GoldenHead, RecordHead, rules_about
from mdm.confirmed import Confirmed, brought_together, confirmed_pairs
from mdm.decisions import StewardDecision
from mdm.evidence import Weigher
from mdm.expired_overrides import expired
from mdm.merge_blockers import Crossing
from mdm.records import CurrentRecord

CONTRADICTS_CUSTOMER = "customer_confirmed_another"
# What the customer confirmed would have decided, had it not brought together more than may be weighed at once.
CONFIRMED_BEYOND_CAP = "customer_confirmed_beyond_cap"
Id = uuid.UUID
Plan = ChangePlan[Id, Id]


class QuestionKind(StrEnum):
    """What a steward is asked: are these one customer; why is this component so large; two decisions contradict each other; may
    these be one though policy bars them; was this merge right; does a value set by hand hold still now that it has expired."""

    PAIR = "pair"
    TOO_LARGE = "too_large"
    CONTESTED = "contested"
    BLOCKED = "policy_blocker"
    AUDIT = "audit"
    EXPIRED = "override_expired"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only a human may settle. `key` is the same whenever the same goldens are asked about.

    `share`: of a merge that is to be checked, the share of its like that is.
    """

    kind: QuestionKind
    key: str
    golden_ids: tuple[Id, ...]
    record_ids: tuple[Id, ...]
    weight: float | None
    reason_code: str
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one unit of records amounts to. `closure` is the unit's own; `current` are its records that may be merged.

    `joins` are the steps by which its parts came together, in their order within each component. `crossings`: the merge blockers
    that stewards' matches cross, by golden id; `lapses`: when a record is to be looked at again, for a fact of it grows too old;
    `expiries`: when values that were set by hand will expire.
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
    for unit in sorted(units, key=lambda unit: min(map(_record_order, unit.records.values()))):
        yield _evaluate(weigher, unit, current, issue, as_at)


def _record_order(head: RecordHead) -> tuple[object, ...]:
    return (head.created_at, head.source, head.source_key)


def _evaluate(
    weigher: Weigher,
    unit: Closure,
    current: Mapping[Id, CurrentRecord],
    issue: Callable[[frozenset[Id]], Id],
    as_at: datetime,
) -> Evaluation:
    barred = _Barred(weigher, as_at)
    clusterings, beyond = _clusterings(barred, unit, current)
    planned = _plan(unit, [part for _, clustering in clusterings for part in clustering.parts], issue)
    questions: dict[tuple[QuestionKind, str], Question] = {}
    for component, clustering in clusterings:
        for question in _questions(component, clustering, planned, current, barred):
            questions.setdefault((question.kind, question.key), question)
    crossings = tuple(barred.crossings(unit, planned, current))
    for question in _crossed(crossings, planned, current):
        questions.setdefault((question.kind, question.key), question)
    for question in _contradicted(unit, planned, current, beyond):
        questions.setdefault((question.kind, question.key), question)
    rungs = {record: component.rung for component in unit.components for record in component.records}
    joins = tuple(join for _, clustering in clusterings for join in clustering.joins)
    for question in _to_be_checked(weigher, joins, unit, planned, current):
        questions.setdefault((question.kind, question.key), question)
    for question in _expired(unit, planned, current, as_at):
        questions.setdefault((question.kind, question.key), question)
    mine = {one: current[one] for one in rungs}
    expiries = tuple(one.expires_at for one in unit.overrides if one.expires_at and one.expires_at > as_at)
    return Evaluation(unit, mine, planned, tuple(questions.values()), rungs, joins, crossings, barred.lapses(mine), expiries)


@dataclass(frozen=True, slots=True)
class _Barred:
    """What bars records, as at one time. With a policy that names no blocker nothing is looked at."""

    weigher: Weigher
    as_at: datetime

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
    order = {record: _record_order(head) for record, head in unit.records.items()}
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
    about = [rule.as_rule for rule in rules_about(unit.rules, component.records.keys())]
    if len(component.records) == 1 and not about:
        return of_one(next(iter(component.records)))
    weigher = barred.weigher
    records = [current[record] for record in component.records]
    keys = weigher.form_keys(records, said)
    members = [
        Member(one.record_id, one.order_key, keys[one.record_id], weigher.versions.asks(one.source), barred.bars(one))
        for one in records
    ]
    return partition(members, weigher.weights(component, current, said, unit.hot_identifiers), about, weigher.versions.lines)


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
        {record: _record_order(head) for record, head in unit.records.items()},
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
            yield _question(QuestionKind.BLOCKED, asked, planned, current, review.weight, names)
        else:
            yield _question(QuestionKind.PAIR, asked, planned, current, review.weight, str(review.reason))
    for contested in clustering.contested:
        named = contested.no_match.records.union(*(match.records for match in contested.chain)) & component.records.keys()
        yield _question(QuestionKind.CONTESTED, named, planned, current, None, "no_match_contradicts_matches")
    if component.capped_off and len(component.records) > 1:
        yield _question(QuestionKind.TOO_LARGE, frozenset(component.records), planned, current, None, "component_too_large")


def _contradicted(unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord], beyond: frozenset[Id]) -> Iterable[Question]:
    """Ask about each record that lives under another golden id than its customer confirmed, unless a steward has said so.

    `beyond` are those whose confirmation would have decided, but for the cap.
    """
    for said in unit.assertions:
        standing = planned.standings.get(said.golden_id)
        if standing is None:  # No founder of it is left.
            continue
        confirmed = said.golden_id if standing.status is Status.LIVE else standing.redirect_to
        mine = planned.crosswalk.get(said.record_id)
        if confirmed is None or mine is None or confirmed == mine:
            continue
        parts = (planned.standings[mine].members, planned.standings[confirmed].members)
        if not any(_holds_apart(rule, *parts) for rule in unit.rules):
            reason = CONFIRMED_BEYOND_CAP if said.record_id in beyond else CONTRADICTS_CUSTOMER
            yield _question(QuestionKind.PAIR, parts[0] | parts[1], planned, current, None, reason)


def _crossed(crossings: Iterable[tuple[Id, Crossing]], planned: Plan, current: Mapping[Id, CurrentRecord]) -> Iterable[Question]:
    """Ask about what stewards joined and policy bars by now: it stays joined until they say otherwise."""
    names: dict[Id, list[Crossing]] = {}
    for golden_id, crossing in crossings:
        if not crossing.accepted:
            names.setdefault(golden_id, []).append(crossing)
    for held in names.values():
        holders = frozenset(record for one in held for record in one.holders)
        yield _question(QuestionKind.BLOCKED, holders, planned, current, None, ",".join(one.name for one in held))


def _to_be_checked(
    weigher: Weigher, joins: Iterable[Join[Id]], unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord]
) -> Iterable[Question]:
    """Ask whether the automatic merges that policy has checked were right, each of two records."""
    sampler = weigher.versions.audit
    for one in sampler.sample(joins, unit.records) if sampler else ():
        question = _question(QuestionKind.AUDIT, frozenset(one.records), planned, current, one.weight, one.band)
        yield replace(question, key=":".join(map(str, question.record_ids)), share=one.share)


def _expired(unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord], as_at: datetime) -> Iterable[Question]:
    """Ask about values set by hand that have expired, each of the records of its golden record that it was said of."""
    age = {record: _record_order(head) for record, head in unit.records.items()} if unit.overrides else {}
    for golden_id, one in expired(unit.overrides, planned.crosswalk, age, as_at):
        asked = frozenset(record for record in one.records & current.keys() if planned.crosswalk.get(record) == golden_id)
        yield replace(_question(QuestionKind.EXPIRED, asked, planned, current, None, one.attribute), key=str(one.override_id))


def _holds_apart(rule: StewardDecision, one: frozenset[Id], other: frozenset[Id]) -> bool:
    sides = ((rule.left, rule.right), (rule.right, rule.left))
    return not rule.is_match and any(one & left and other & right for left, right in sides)


def _question(
    kind: QuestionKind,
    asked: frozenset[Id],
    planned: Plan,
    current: Mapping[Id, CurrentRecord],
    weight: float | None,
    reason_code: str,
) -> Question:
    golden_ids = tuple(sorted({planned.crosswalk[record] for record in asked}))
    key = ":".join(map(str, golden_ids)) if kind in {QuestionKind.PAIR, QuestionKind.BLOCKED} else str(golden_ids[0])
    brands = tuple(sorted({current[record].brand for record in asked}))
    regions = tuple(sorted({current[record].region for record in asked}))
    return Question(kind, key, golden_ids, tuple(sorted(asked)), weight, reason_code, brands, regions)
