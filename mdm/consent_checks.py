"""May this be done? Thousands of checks in a handful of statements, on the pool of the hot reads. Never writes but the audit row.

A check names a golden record, a record by its source's key, or a contact point alone; the latter is answered as strictly as any
of its holders would be. Whose golden record is outside the caller's scope is not known to the caller; what decides about one
within it is read whole.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from consent import ledger
from consent.effective import KIND_OF, Customer, by_contact, judge, judge_contact, of_any
from consent.entries import Channel, Entry, Query
from consent.purposes import Rules
from consent.status import Answer, Reason, Ruling
from kernel import db
from kernel.actor import Principal
from kernel.audit import Entry as Audited
from mdm import lookup, sql
from mdm.consent_customers import HOLDERS, MEMBERS, Census, about_contact
from mdm.contact_points import ContactPoint

MOST_CHECKS = 10_000
FEW = 200
T = TypeVar("T")
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
_ENTRIES = ledger.ENTRIES
UNKNOWN = Ruling(Answer.UNKNOWN, Reason.UNKNOWN_CUSTOMER)
RESTRICTED = Ruling(Answer.DENIED, Reason.RESTRICTED)


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
    rows: Sequence[sql.Row]
    restricted: frozenset[UUID]
    customers: Mapping[UUID, Customer] = field(default_factory=dict)
    entries: Sequence[Entry] = ()

    def take_entries(self) -> None:
        """Read the entries from their rows."""
        self.entries = [ledger.entry_of(row) for row in self.rows]
        self.customers = self.census.customers(self.entries)


async def check(caller: Principal, rules: Rules, checks: Sequence[Check], at: datetime) -> list[Checked]:
    """Answer checks as at a time, in their order. Audited as one act. Raises: Unavailable."""
    async with db.hot_connection(caller.scope) as connection:
        found = await _read(connection, rules, checks, at)
        detail = {"asked": len(checks)}
        await lookup.audited(connection, [Audited(caller.actor, "consent.check", "consent", "", detail=detail)])
        return await _apart(len(checks) + len(found.rows), lambda: _answers(found, rules, checks, at))


def _answers(found: _Found, rules: Rules, checks: Sequence[Check], at: datetime) -> list[Checked]:
    found.take_entries()
    return [_answer(found, one, rules, at) for one in checks]


async def _apart(size: int, act: Callable[[], T]) -> T:
    """Do what takes long in a thread, so that nobody else's read waits for it."""
    return await asyncio.to_thread(act) if size > FEW else act()


async def _read(connection: lookup.Connection, rules: Rules, checks: Sequence[Check], at: datetime) -> _Found:
    async def rows(statement: str, *parameters: object) -> list[sql.Row]:
        if not any(parameters[:2]):
            return []
        return await (await connection.execute(statement, parameters)).fetchall()

    ids = list(dict.fromkeys(one.golden_id for one in checks if one.golden_id))
    living: dict[UUID, UUID] = {row[0]: row[1] for row in await rows(_LIVING, ids)}
    keys = list(dict.fromkeys(one.record for one in checks if one.record))
    crossed = {
        (row[0], row[1]): (row[2], row[3]) for row in await rows(_KEYS, [one[0] for one in keys], [one[1] for one in keys])
    }
    terms = {one.contact.term for one in checks if one.contact and one.contact.term and not (one.golden_id or one.record)}
    held_by: dict[str, set[UUID]] = defaultdict(set)
    alone: set[UUID] = {one for one, is_alone in crossed.values() if is_alone}
    for term, customer_id, is_alone, _ in await rows(HOLDERS, sorted(terms)):
        held_by[term].add(customer_id)
        alone |= {customer_id} if is_alone else set()
    wanted = {
        *living.values(),
        *(one for one, _ in crossed.values()),
        *(one for held in held_by.values() for one in held),
    } - alone
    of_members = await rows(MEMBERS, sorted(wanted), sorted(alone))
    census = await _apart(len(of_members), lambda: Census(rules).add(of_members))
    asked = {census.hash_of(one.contact) for one in checks if one.contact}
    hashes = [bytes.fromhex(one) for one in asked.union(census.contacts())]
    entries = await rows(_ENTRIES, census.records(), hashes, at)
    restricted = frozenset(row[0] for row in await rows(_RESTRICTED, sorted(wanted)))
    return _Found(census, living, crossed, held_by, entries, restricted)


def _answer(found: _Found, one: Check, rules: Rules, at: datetime) -> Checked:
    contact = found.census.hash_of(one.contact) if one.contact else None
    query = Query(one.purpose, one.channel, one.brand, contact)
    if one.golden_id is None and one.record is None:
        return Checked(_of_contact(found, one.contact, query, rules, at))
    customer_id = found.living.get(one.golden_id) if one.golden_id else found.keys.get(one.record or ("", ""), (None, False))[0]
    if customer_id is None:
        return Checked(UNKNOWN)
    if customer_id in found.restricted:
        return Checked(RESTRICTED, customer_id)
    customer = found.customers.get(customer_id) or Customer((), ())
    if contact is not None:
        customer = _with(customer, [entry for entry in found.entries if entry.contact == contact])
    shown_id = None if one.record is not None and found.keys[one.record][1] else customer_id
    if contact is not None or query.channel not in KIND_OF:
        return Checked(judge(customer, query, rules, at), shown_id)
    judged = by_contact(customer, query, rules, at)
    usable = tuple(found.census.points[point].shown for point, ruling in judged if ruling.permits)
    return Checked(of_any(customer, judged), shown_id, usable)


def _of_contact(found: _Found, point: ContactPoint | None, query: Query, rules: Rules, at: datetime) -> Ruling:
    held_by = found.held_by.get(point.term if point else "", set())
    if not found.restricted.isdisjoint(held_by):
        return RESTRICTED
    holders = [found.customers[one] for one in held_by if one in found.customers]
    return judge_contact(holders, about_contact(found.entries, query.contact or ""), query, rules, at)


def _with(customer: Customer, entries: Sequence[Entry]) -> Customer:
    known = {one.entry_id for one in customer.entries}
    more = tuple(one for one in entries if one.entry_id not in known)
    return Customer(customer.members, customer.entries + more) if more else customer
