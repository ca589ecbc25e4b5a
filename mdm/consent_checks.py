"""May this be done? Thousands of checks in a handful of statements, on the pool of the hot reads or in a session. Writes nothing
but the audit row.

A check names a golden record, a record by its source's key, or a contact point alone; the latter is answered as strictly as any
of its holders would be. Whose golden record is outside the caller's scope is not known to the caller; what decides about one
within it is read whole.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.effective import EMAIL, KIND_OF, PHONE, Customer, by_contact, judge, judge_contact, judge_crowd, of_any
from consent.entries import Channel, Query
from consent.purposes import Rules
from consent.status import Answer, Reason, Ruling
from kernel import db
from kernel.actor import Principal
from kernel.audit import Entry as Audited
from mdm import lookup, sql
from mdm.consent_customers import HOLDERS, MEMBERS, MOST_HOLDERS, Census, Index
from mdm.contact_points import ContactPoint
from mdm.policy import Policy
from mdm.purposes import NONE, Limits, limits

MOST_CHECKS = 10_000
FEW = 200
# The database looks up one portion of a batch while another is judged.
PORTION, AT_ONCE = 1_000, 2
_NOTHING: Any = None  # What a reading is begun with.
# A statement with its parameters; what it gives is sent back.
Asked = tuple[str, Sequence[object]]
Reading = Generator[Asked, Any, list["Checked"]]
# A golden id that was merged away is answered for the one that it lives by.
_LIVING = (
    "SELECT golden_id, coalesce(redirect_to, golden_id) FROM golden WHERE golden_id = ANY(%s::uuid[]) AND status <> 'erased'"
)
_KEYS = """
SELECT c.source, c.source_key, coalesce(c.golden_id, c.record_id), c.golden_id IS NULL
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS k (source, source_key)) AS asked
CROSS JOIN LATERAL (SELECT coalesce(rekeyed_to, record_id) AS record_id FROM source_record
  WHERE source = asked.source AND source_key = asked.source_key OFFSET 0) AS s
CROSS JOIN LATERAL (SELECT asked.source, asked.source_key, record_id, golden_id FROM crosswalk
  WHERE record_id = s.record_id OFFSET 0) AS c"""
# Whoever asked that their data be kept and not used (GDPR, Article 18).
_RESTRICTED = "SELECT one FROM unnest(%s::uuid[]) AS one WHERE EXISTS (SELECT FROM restriction) AND is_restricted(one)"
UNKNOWN = Ruling(Answer.UNKNOWN, Reason.UNKNOWN_CUSTOMER)
RESTRICTED = Ruling(Answer.DENIED, Reason.RESTRICTED)
# What may not be used for a purpose by the policy (`not_for`) is denied whatever the customer consented to.
NOT_FOR_PURPOSE = Ruling(Answer.DENIED, Reason.NOT_FOR_PURPOSE)
_SOURCES = "SELECT record_id, source FROM consent_sources(%s::uuid[], %s::text[])"
# The attribute that holds what a channel or contact point is reached by.
_HELD_AS = {
    EMAIL: "emails", PHONE: "phones", Channel.SMS: "phones", Channel.MESSENGER: "phones", Channel.POST: "address",
}  # fmt: skip
LimitsOf = Callable[[str], Limits]


def unlimited(_purpose: str) -> Limits:
    """The limits of purposes where there is no policy."""
    return NONE


def limits_by(ruling: Policy | None) -> LimitsOf:
    """The limits of purposes by a policy."""
    return partial(limits, ruling) if ruling is not None else unlimited


@dataclass(frozen=True, slots=True)
class Check:
    """One question. Exactly one of golden id, record and a contact point alone says who; the first two may name a point too."""

    purpose: str
    channel: Channel | None = None
    brand: str | None = None
    golden_id: UUID | None = None
    record: tuple[str, str] | None = None
    contact: ContactPoint | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer to a check: for which golden id, where one was asked for, and which contact points may be used."""

    ruling: Ruling
    golden_id: UUID | None = None
    contact_points: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What was read for some checks."""

    census: Census
    living: Mapping[UUID, UUID]
    keys: Mapping[tuple[str, str], tuple[UUID, bool]]
    held_by: Mapping[str, set[UUID]]
    crowds: frozenset[str]
    index: Index
    restricted: frozenset[UUID]
    customers: Mapping[UUID, Customer]
    limits: Mapping[str, Limits]
    sources: Mapping[UUID, str]  # Of records whose source is kept out of some purpose that is asked for.

    def keeps_out(self, purpose: str, contact: str, holders: Iterable[Customer]) -> bool:
        """Whether none but records that are kept out of a purpose hold a contact point that somebody holds."""
        barred = self.limits[purpose].sources
        if not barred:
            return False
        holding = [one for of in holders for one in of.members if any(held.contact == contact for held in one.holdings)]
        return bool(holding) and all(self.sources.get(one.record_id) in barred for one in holding)


async def check(
    caller: Principal, rules: Rules, checks: Sequence[Check], at: datetime, limits_of: LimitsOf = unlimited
) -> list[Checked]:
    """Answer checks as at a time, in their order. Audited as one act. `limits_of`: what may not be used for a purpose.

    Raises: Unavailable.
    """
    async with db.hot_connection(caller.scope) as connection:
        detail = {"asked": len(checks)}
        await lookup.audited(connection, [Audited(caller.actor, "consent.check", "consent", "", detail=detail)])
        if len(checks) <= PORTION:
            return await _answered(connection, _reading(rules, checks, at, limits_of), len(checks))
    turn = asyncio.Semaphore(AT_ONCE)

    async def portion(begin: int) -> list[Checked]:
        async with turn, db.hot_connection(caller.scope) as connection:
            some = checks[begin : begin + PORTION]
            return await _answered(connection, _reading(rules, some, at, limits_of), len(some))

    found = await asyncio.gather(*(portion(begin) for begin in range(0, len(checks), PORTION)))
    return [one for answers in found for one in answers]


async def _answered(connection: lookup.Connection, reading: Reading, number: int) -> list[Checked]:
    """Answer checks by one connection. What takes long is done in a thread, so that nobody else's read waits for it."""
    answer = _NOTHING
    is_large = number > FEW
    while True:
        step = await asyncio.to_thread(_next, reading, answer) if is_large or _is_long(answer) else _next(reading, answer)
        if isinstance(step, list):
            return step
        answer = await (await connection.execute(*step)).fetchall()


def _is_long(answer: Sequence[sql.Row] | None) -> bool:
    """Of a shared phone there may be a hundred thousand entries."""
    return answer is not None and len(answer) > FEW


def check_in(
    session: Session, rules: Rules, checks: Sequence[Check], at: datetime, limits_of: LimitsOf = unlimited
) -> list[Checked]:
    """Answer checks as at a time, in their order, in the row scope of a session. Whoever calls this has it audited."""
    reading, answer = _reading(rules, checks, at, limits_of), _NOTHING
    while not isinstance(step := _next(reading, answer), list):
        answer = sql.rows(session, *step)
    return step


def _next(reading: Reading, answer: Sequence[sql.Row] | None) -> Asked | list[Checked]:
    """Go on with what the last statement gave: the next statement, or the answers."""
    try:
        return reading.send(answer)
    except StopIteration as over:
        found: list[Checked] = over.value
        return found


def _reading(rules: Rules, checks: Sequence[Check], at: datetime, limits_of: LimitsOf) -> Reading:
    """Read what checks are about, each statement once for all of them, and answer them."""
    ids = list(dict.fromkeys(one.golden_id for one in checks if one.golden_id))
    living: dict[UUID, UUID] = {row[0]: row[1] for row in (yield _LIVING, [ids])} if ids else {}
    keys = list(dict.fromkeys(one.record for one in checks if one.record))
    asked_keys = [[one[0] for one in keys], [one[1] for one in keys]]
    crossed = {(row[0], row[1]): (row[2], row[3]) for row in (yield _KEYS, asked_keys)} if keys else {}
    terms = {one.contact.term for one in checks if one.contact and one.contact.term and not (one.golden_id or one.record)}
    held_by: dict[str, set[UUID]] = defaultdict(set)
    alone: set[UUID] = {one for one, is_alone in crossed.values() if is_alone}
    held = (yield HOLDERS, [sorted(terms), MOST_HOLDERS + 1]) if terms else ()
    crowds = _crowds(held)
    for term, customer_id, is_alone, _ in held:
        if term not in crowds:
            held_by[term].add(customer_id)
            alone |= {customer_id} if is_alone else set()
    wanted = {*living.values(), *(one for one, _ in crossed.values()), *(one for of in held_by.values() for one in of)} - alone
    census = Census(rules, _kinds(checks))
    if wanted or alone:
        census.add((yield MEMBERS, [list(wanted), list(alone)]))
    asked = {census.hash_of(one.contact) for one in checks if one.contact}
    hashes = [bytes.fromhex(one) for one in asked.union(census.contacts())]
    records = census.records()
    entries = (yield ledger.ENTRIES, [records, hashes, at]) if records or hashes else ()
    restricted = frozenset(row[0] for row in (yield _RESTRICTED, [list(wanted)])) if wanted else frozenset[UUID]()
    under = {purpose: limits_of(purpose) for purpose in {one.purpose for one in checks}}
    barred = sorted({source for one in under.values() for source in one.sources})
    sources = {row[0]: row[1] for row in (yield _SOURCES, [records, barred])} if barred and records else {}
    index = Index((ledger.entry_of(row) for row in entries), at)
    found = _Found(census, living, crossed, held_by, crowds, index, restricted, census.of(index), under, sources)
    return [_answer(found, one, rules, at) for one in checks]


def _crowds(held: Sequence[sql.Row]) -> frozenset[str]:
    """The terms that more records hold than are asked about one by one."""
    return frozenset(term for term, number in Counter(row[0] for row in held).items() if number > MOST_HOLDERS)


def _kinds(checks: Sequence[Check]) -> frozenset[str]:
    """Of which kinds the contact points are that checks are about; what others hold decides nothing."""
    by_channel = {KIND_OF[one.channel] for one in checks if one.channel in KIND_OF}
    return frozenset(by_channel | {one.contact.kind for one in checks if one.contact})


def _answer(found: _Found, one: Check, rules: Rules, at: datetime) -> Checked:
    contact = found.census.hash_of(one.contact) if one.contact else None
    query = Query(one.purpose, one.channel, one.brand, contact)
    reached_by = one.contact.kind if one.contact else one.channel
    if found.limits[one.purpose].bars(_HELD_AS.get(reached_by or "", "")):
        return Checked(NOT_FOR_PURPOSE)
    if one.golden_id is None and one.record is None:
        return Checked(_of_contact(found, one.contact, query, rules, at))
    customer_id = found.living.get(one.golden_id) if one.golden_id else found.keys.get(one.record or ("", ""), (None, False))[0]
    if customer_id is None or customer_id in found.restricted:
        return Checked(UNKNOWN) if customer_id is None else Checked(RESTRICTED, customer_id)
    customer = found.customers.get(customer_id) or Customer((), ())
    shown_id = None if one.record is not None and found.keys[one.record][1] else customer_id
    if contact is None and query.channel in KIND_OF:
        return _of_held(found, customer, query, (rules, at), shown_id)
    if contact is not None and found.keeps_out(one.purpose, contact, [customer]):
        return Checked(NOT_FOR_PURPOSE, shown_id)
    return Checked(judge(_with(customer, found.index, contact) if contact else customer, query, rules, at), shown_id)


def _of_held(found: _Found, customer: Customer, query: Query, by: tuple[Rules, datetime], shown_id: UUID | None) -> Checked:
    """The answer for a customer by whichever contact point of a channel may be used, and which these are."""
    held = by_contact(customer, query, *by)
    judged = [one for one in held if not found.keeps_out(query.purpose, one[0], [customer])]
    if held and not judged:
        return Checked(NOT_FOR_PURPOSE, shown_id)
    usable = tuple(found.census.points[point].shown for point, ruling in judged if ruling.permits)
    return Checked(of_any(customer, judged), shown_id, usable)


def _of_contact(found: _Found, point: ContactPoint | None, query: Query, rules: Rules, at: datetime) -> Ruling:
    nobody = Customer((), tuple(found.index.of_contact(query.contact or "")))
    if point is not None and point.term in found.crowds:
        return judge_crowd(nobody, query, rules, at)
    held_by = found.held_by.get(point.term if point else "", set())
    if not found.restricted.isdisjoint(held_by):
        return RESTRICTED
    holders = [found.customers[one] for one in held_by if one in found.customers]
    if found.keeps_out(query.purpose, query.contact or "", holders):
        return NOT_FOR_PURPOSE
    return judge_contact(holders, nobody, query, rules, at)


def _with(customer: Customer, index: Index, contact: str) -> Customer:
    """A customer with what speaks against a contact point that they may not hold."""
    against = index.of_contact(contact)
    known = {one.entry_id for one in customer.entries} if against else set()
    more = tuple(one for one in against if one.entry_id not in known)
    return Customer(customer.members, customer.entries + more) if more else customer
