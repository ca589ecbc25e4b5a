"""Takes consent acts in: finds out of which records each may speak, and appends it to the ledger in the caller's transaction.

Whom an act names decides what it can permit. A record: that record. A golden record: those members that hold the contact point,
or all of them. A contact point alone: whoever holds it, and nobody's consent when that is not one customer.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.effective import KIND_OF
from consent.entries import POSITIVE, Entry, State
from consent.ledger import Statement
from consent.purposes import Rules
from kernel import clock
from kernel.actor import Principal
from mdm import consent_customers, consent_gone, consent_writing, sql
from mdm.consent_acts import Act, problem_of
from mdm.consent_customers import MOST_HOLDERS, Census
from mdm.consent_gone import ERASED, Gone
from mdm.contact_points import ContactPoint
from mdm.mapping_values import Problem

_RECORDS = """
SELECT c.source, c.source_key, c.record_id, c.golden_id, c.brand
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS k (source, source_key)) AS asked
CROSS JOIN LATERAL (SELECT coalesce(rekeyed_to, record_id) AS record_id FROM source_record
  WHERE source = asked.source AND source_key = asked.source_key OFFSET 0) AS s
CROSS JOIN LATERAL (SELECT asked.source, asked.source_key, record_id, golden_id, brand FROM crosswalk
  WHERE record_id = s.record_id OFFSET 0) AS c"""
_GOLDENS = """
SELECT g.golden_id, live.golden_id FROM golden g JOIN golden live ON live.golden_id = coalesce(g.redirect_to, g.golden_id)
WHERE g.golden_id = ANY(%s::uuid[]) AND live.status = 'live'"""


class Owner(StrEnum):
    """Of whom an act is: of one record, of several that are one customer now, of several customers, of nobody who is known."""

    RECORD = "record"
    GOLDEN = "golden"
    UNCLEAR = "unclear"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act: created, same or rejected (then `problem` says why), and of whom it is."""

    status: str
    entry_id: UUID | None = None
    owner: Owner | None = None
    problem: Problem | None = None
    notes: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Known:
    """What is known of whom the acts name."""

    rules: Rules
    principal: Principal
    now: datetime
    records: Mapping[tuple[str, str], tuple[UUID, UUID | None, str]]
    gone: Gone
    living: Mapping[UUID, UUID]
    held_by: Mapping[str, AbstractSet[UUID]]
    crowds: AbstractSet[str]
    lifted: Mapping[UUID, Entry]
    census: Census
    customer_of: dict[UUID, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.customer_of = {one.record_id: customer for customer, members in self.census.members.items() for one in members}


def record(session: Session, rules: Rules, acts: Sequence[Act], principal: Principal) -> list[Outcome]:
    """Append acts to the ledger; one outcome each, in order. Idempotent: an act that was recorded before is `same`.

    In the row scope of the session, a golden record or a source record outside of it is not known. Whoever was erased meanwhile
    is looked for first: until the transaction ends nobody more is.
    """
    gone = consent_gone.among(session, acts)
    known = _known(session, rules, acts, principal, gone)
    made = _said_again(session, [_statement(known, one) for one in acts])
    consent_gone.count_points(session, (act for act, one in zip(acts, made, strict=True) if one is ERASED))
    statements = [one for one, _, _ in (found for found in made if not isinstance(found, Problem))]
    new = consent_writing.append(session, statements)
    unclear = {one.entry.entry_id for one, owner, _ in (found for found in made if not isinstance(found, Problem))
               if owner is Owner.UNCLEAR and one.entry.state in POSITIVE}  # fmt: skip
    ledger.part(session, unclear & new, known.now)
    consent_writing.tell(session, rules, [one for one in statements if one.entry.entry_id in new], known.now)
    outcomes, seen = [], set[UUID]()
    for found in made:
        if isinstance(found, Problem):
            outcomes.append(Outcome("rejected", problem=found))
            continue
        statement, owner, notes = found
        entry_id = statement.entry.entry_id
        status = "created" if entry_id in new and entry_id not in seen else "same"
        seen.add(entry_id)
        outcomes.append(Outcome(status, entry_id, owner, notes=notes))
    return outcomes


def _known(session: Session, rules: Rules, acts: Sequence[Act], principal: Principal, gone: Gone) -> _Known:
    records = records_of(session, [one.record for one in acts if one.record])
    ids = sorted({one.golden_id for one in acts if one.golden_id})
    alone = [one.contact for one in acts if one.contact and not (one.record or one.golden_id)]
    found = consent_customers.holders(session, alone)
    crowds = {term for term, held in found.items() if len(held) > MOST_HOLDERS}
    held_by = {term: held for term, held in found.items() if term not in crowds}
    of_records = {record_id for record_id, _, _ in records.values()} | {one for held in held_by.values() for one in held}
    consent_customers.hold(session, ids, of_records)
    live = living(session, ids)
    goldens = {*live.values(), *_goldens_of(session, of_records)}
    census = consent_customers.census(session, rules, goldens, of_records)
    lifts = [one.lifts for one in acts if one.lifts]
    return _Known(
        rules, principal, clock.now(), records, gone, live, held_by, crowds, ledger.by_id(session, lifts) if lifts else {},
        census,
    )  # fmt: skip


def records_of(session: Session, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[UUID, UUID | None, str]]:
    """The records of keys within the row scope of the session, each with its golden id and its brand."""
    asked = sorted(set(keys))
    found = sql.rows(session, _RECORDS, [[one[0] for one in asked], [one[1] for one in asked]]) if asked else ()
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in found}


def living(session: Session, golden_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The golden ids that the ones named live by now, as far as they do, within the row scope of the session."""
    ids = sorted(set(golden_ids))
    return {row[0]: row[1] for row in (sql.rows(session, _GOLDENS, [ids]) if ids else ())}


def _goldens_of(session: Session, records: Iterable[UUID]) -> set[UUID]:
    wanted = sorted(records)
    if not wanted:
        return set()
    return {row[0] for row in sql.rows(session, "SELECT DISTINCT golden_id FROM consent_goldens(%s::uuid[])", [wanted])}


_Made = tuple[Statement, Owner, tuple[Problem, ...]]


def _said_again(session: Session, made: Sequence[_Made | Problem]) -> list[_Made | Problem]:
    """Let a suppression that was lifted and is said again without a time be another one: else it would be the one that ended."""
    timeless = {one[0].entry.entry_id for one in made if not isinstance(one, Problem) and _is_timeless(one[0].entry)}
    ids = ledger.unlifted(session, timeless)
    return [one if isinstance(one, Problem) else (one[0].named(ids), *one[1:]) for one in made]


def _is_timeless(entry: Entry) -> bool:
    return entry.state is State.SUPPRESSED and entry.occurred_at is None


def _statement(known: _Known, act: Act) -> _Made | Problem:
    """Make the statement of an act, or say what is wrong with it."""
    problem = problem_of(act, known.rules, known.now)
    if problem is not None:
        return problem
    lifted = known.lifted.get(act.lifts) if act.lifts else None
    if act.lifts and (lifted is None or lifted.state is not State.SUPPRESSED):
        return Problem("unknown_suppression", "lifts")
    brand = lifted.brand if lifted else act.brand  # Who may not speak for all brands lifts nothing that all of them heed.
    if act.record is not None:
        found = known.records.get(act.record)
        if found is None:
            return ERASED if act.record in known.gone.keys else Problem("unknown_record", "record")
        brand = brand or found[2]
    if act.golden_id is not None and act.golden_id not in known.living:
        return ERASED if act.golden_id in known.gone.golden_ids else Problem("unknown_golden_id", "golden_id")
    brands = known.principal.scope.brands
    if brands is not None and brand not in brands:
        return Problem("outside_scope", "brand")
    return _made(known, replace(act, brand=brand), lifted)


def _made(known: _Known, act: Act, lifted: Entry | None) -> _Made | Problem:
    records, owner = (lifted.records, Owner.GOLDEN) if lifted else _records(known, act)
    point = act.contact if act.channel in KIND_OF or act.channel is None else None  # Others reach a person without one.
    contact = lifted.contact if lifted else known.census.hash_of(point) if point else None
    if contact is None and not records and not lifted:  # It would speak of nobody, also once somebody holds the point.
        return Problem("held_by_many" if _is_of_a_crowd(known, act) else "nobody_holds", "contact_point")
    shown = point.shown if point else None
    if owner is Owner.NOBODY and act.contact in known.gone.points:
        if act.state in POSITIVE:
            return ERASED
        act, shown = replace(act, evidence=None, reason=None), None
    is_evidenced = bool(act.evidence or act.notice)
    said = (
        act.golden_id, act.record, contact, act.state, act.channel, act.purpose, act.brand, act.occurred_at, act.asked_at,
        act.suppression, act.implied_by, act.lifts, act.origin, act.strength, act.notice, act.evidence, act.expires_at,
    )  # fmt: skip
    entry = Entry(
        ledger.entry_id(*said), act.state, known.now, act.occurred_at, contact, act.channel, act.purpose, act.brand,
        act.jurisdiction, act.origin, act.strength, is_evidenced, act.suppression, act.implied_by, act.asked_at, act.expires_at,
        act.lifts, records,
    )  # fmt: skip
    brought_by = known.records[act.record][0] if act.record else None
    statement = Statement(
        entry, known.principal.actor, act.basis, act.method, point.kind if point else None, shown,
        act.notice, act.evidence, act.reason, act.record[0] if act.record else None, brought_by, None,
        known.living.get(act.golden_id) if act.golden_id else None,
    )  # fmt: skip
    return statement, owner, _notes(known, act, contact, records)


def _records(known: _Known, act: Act) -> tuple[frozenset[UUID], Owner]:
    """Of which records an act may speak, and of whom it is therefore."""
    if act.record is not None:
        return frozenset({known.records[act.record][0]}), Owner.RECORD
    contact = known.census.hash_of(act.contact) if act.contact else None
    if act.golden_id is not None:
        members = known.census.members[known.living[act.golden_id]]
        holding = [one.record_id for one in members if any(held.contact == contact for held in one.holdings)]
        found = frozenset(holding or (one.record_id for one in members))
        return found, Owner.RECORD if len(found) == 1 else Owner.GOLDEN
    if _is_of_a_crowd(known, act):
        return frozenset(), Owner.UNCLEAR
    found = _holders(known, act.contact, contact)
    customers = {known.customer_of[one] for one in found}
    if len(customers) > 1:
        return found, Owner.UNCLEAR
    return found, Owner.NOBODY if not found else Owner.RECORD if len(found) == 1 else Owner.GOLDEN


def _is_of_a_crowd(known: _Known, act: Act) -> bool:
    """Whether an act names a contact point alone that so many hold that it is nobody's: it is of none of their records."""
    return not (act.record or act.golden_id) and act.contact is not None and act.contact.term in known.crowds


def _holders(known: _Known, point: ContactPoint | None, contact: str | None) -> frozenset[UUID]:
    """The records that hold just this contact point, of those that the index of searches found."""
    asked = known.held_by.get(point.term, frozenset()) if point else frozenset()
    return frozenset(
        one.record_id
        for members in known.census.members.values()
        for one in members
        if one.record_id in asked and any(held.contact == contact for held in one.holdings)
    )


def _notes(known: _Known, act: Act, contact: str | None, records: AbstractSet[UUID]) -> tuple[Problem, ...]:
    """What the sender should know of an act that is taken."""
    if contact is None or act.state not in POSITIVE or _is_of_a_crowd(known, act):
        return ()
    held = {holding.contact for members in known.census.members.values() for one in members
            if one.record_id in records for holding in one.holdings}  # fmt: skip
    return () if contact in held else (Problem("contact_point_not_held", "contact_point"),)
