"""What a steward is asked about a unit of records, beside what clustering itself leaves open. Pure.

Each question names whom it is about and why; `stewardship.tasks` makes it a task.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from matching.cluster import Join
from mdm.changes import ChangePlan, Status
from mdm.closure import Closure, RecordHead
from mdm.decisions import StewardDecision
from mdm.evidence import Weigher
from mdm.expired_overrides import expired
from mdm.merge_blockers import Crossing
from mdm.records import CurrentRecord
from mdm.yielding import Aside

CONTRADICTS_CUSTOMER = "customer_confirmed_another"
# What the customer confirmed would have decided, had it not brought together more than may be weighed at once.
CONFIRMED_BEYOND_CAP = "customer_confirmed_beyond_cap"
Id = uuid.UUID
Plan = ChangePlan[Id, Id]


class QuestionKind(StrEnum):
    """What a steward is asked: are these one customer; why is this component so large; two decisions contradict each other; may
    these be one though policy bars them; was this merge right; does a value set by hand hold still now that it has expired; a
    source has merged these, and what we know says otherwise."""

    PAIR = "pair"
    TOO_LARGE = "too_large"
    CONTESTED = "contested"
    BLOCKED = "policy_blocker"
    AUDIT = "audit"
    EXPIRED = "override_expired"
    ASSERTED = "source_merge"


# Asked once about each set of golden records.
BY_GOLDENS = frozenset({QuestionKind.PAIR, QuestionKind.BLOCKED, QuestionKind.ASSERTED})


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


def about_confirmations(
    unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord], beyond: frozenset[Id]
) -> Iterable[Question]:
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
            yield question(QuestionKind.PAIR, parts[0] | parts[1], planned, current, None, reason)


def about_crossings(
    crossings: Iterable[tuple[Id, Crossing]], planned: Plan, current: Mapping[Id, CurrentRecord]
) -> Iterable[Question]:
    """Ask about what stewards joined and policy bars by now: it stays joined until they say otherwise."""
    names: dict[Id, list[Crossing]] = {}
    for golden_id, crossing in crossings:
        if not crossing.accepted:
            names.setdefault(golden_id, []).append(crossing)
    for held in names.values():
        holders = frozenset(record for one in held for record in one.holders)
        yield question(QuestionKind.BLOCKED, holders, planned, current, None, ",".join(one.name for one in held))


def about_checks(
    weigher: Weigher, joins: Iterable[Join[Id]], unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord]
) -> Iterable[Question]:
    """Ask whether the automatic merges that policy has checked were right, each of two records."""
    sampler = weigher.versions.audit
    for one in sampler.sample(joins, unit.records) if sampler else ():
        asked = question(QuestionKind.AUDIT, frozenset(one.records), planned, current, one.weight, one.band)
        yield replace(asked, key=":".join(map(str, asked.record_ids)), share=one.share)


def about_expired_values(
    unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord], as_at: datetime
) -> Iterable[Question]:
    """Ask about values set by hand that have expired, each of the records of its golden record that it was said of."""
    age = {record: record_order(head) for record, head in unit.records.items()} if unit.overrides else {}
    for golden_id, one in expired(unit.overrides, planned.crosswalk, age, as_at):
        asked = frozenset(record for record in one.records & current.keys() if planned.crosswalk.get(record) == golden_id)
        yield replace(question(QuestionKind.EXPIRED, asked, planned, current, None, one.attribute), key=str(one.override_id))


def about_source_merges(
    aside: Iterable[Aside], unit: Closure, planned: Plan, current: Mapping[Id, CurrentRecord]
) -> Iterable[Question]:
    """Ask about what sources merged and we do not, unless a steward has said since that they are two customers."""
    for one in aside:
        lives_in = {
            side: {planned.crosswalk[record] for record in side & current.keys()}
            for side in (one.decision.left, one.decision.right)
        }
        golden_ids = frozenset().union(*lives_in.values())
        parts = [frozenset().union(*(planned.standings[known].members for known in found)) for found in lives_in.values()]
        if len(golden_ids) > 1 and all(parts) and not any(_said_since(rule, one, parts) for rule in unit.rules):
            yield question(QuestionKind.ASSERTED, parts[0] | parts[1], planned, current, one.weight, str(one.because))


def _said_since(rule: StewardDecision, one: Aside, parts: Sequence[frozenset[Id]]) -> bool:
    is_later = rule.made_at is not None and one.decision.made_at is not None and rule.made_at > one.decision.made_at
    return is_later and _holds_apart(rule, parts[0], parts[1])


def _holds_apart(rule: StewardDecision, one: frozenset[Id], other: frozenset[Id]) -> bool:
    sides = ((rule.left, rule.right), (rule.right, rule.left))
    return not rule.is_match and any(one & left and other & right for left, right in sides)


def record_order(head: RecordHead) -> tuple[object, ...]:
    """Sort records by their age; ties by source and key."""
    return (head.created_at, head.source, head.source_key)


def question(
    kind: QuestionKind,
    asked: frozenset[Id],
    planned: Plan,
    current: Mapping[Id, CurrentRecord],
    weight: float | None,
    reason_code: str,
) -> Question:
    """Ask something about records: of which golden records, brands and regions is said by the plan."""
    golden_ids = tuple(sorted({planned.crosswalk[record] for record in asked}))
    key = ":".join(map(str, golden_ids)) if kind in BY_GOLDENS else str(golden_ids[0])
    brands = tuple(sorted({current[record].brand for record in asked}))
    regions = tuple(sorted({current[record].region for record in asked}))
    return Question(kind, key, golden_ids, tuple(sorted(asked)), weight, reason_code, brands, regions)
