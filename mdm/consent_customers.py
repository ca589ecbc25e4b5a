"""Golden records as consent sees them: their members with what they hold, and all entries that may speak of them. Only reads.

What decides about a permission does not hang on the rows that a caller may see: it is read by functions of the owner. Whoever
asks must be allowed to see the golden record. Two statements, whatever the number of golden records.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.effective import Customer, Member, latest
from consent.entries import POSITIVE, Contact, Entry
from consent.purposes import UNKNOWN_PLACE, Rules
from mdm import contact_points, sql
from mdm.contact_points import ContactPoint, Row

MEMBERS = """
SELECT coalesce(golden_id, record_id), record_id, emails::text, phones::text, addresses::text, consents::text
FROM consent_members(%s::uuid[], %s::uuid[]) ORDER BY record_id"""
_ANY = """
SELECT NULL, r, (s.body -> 'emails')::text, (s.body -> 'phones')::text, (s.body -> 'addresses')::text,
  (s.body -> 'consents')::text
FROM unnest(%s::uuid[]) AS r LEFT JOIN LATERAL (SELECT body FROM standard_record WHERE record_id = r OFFSET 0) AS s ON true
ORDER BY r"""
# Takes terms, and how many records of each are enough.
HOLDERS = "SELECT term, coalesce(golden_id, record_id), golden_id IS NULL, record_id FROM consent_holders(%s::text[], %s)"
# Held by more records than this a contact point is a crowd's: it says of nobody who they are.
MOST_HOLDERS = 200


@dataclass(slots=True)
class Census:
    """The members of golden records. A record that has no golden id yet is a customer of its own, under its own id.

    `points`: contact points of members by their hash. `kinds`: which kinds of them are of interest.
    """

    rules: Rules
    kinds: Collection[str] = contact_points.KINDS
    members: dict[UUID, list[Member]] = field(default_factory=lambda: defaultdict(list))
    points: dict[Contact, ContactPoint] = field(default_factory=dict)
    _hashed: ledger.Hasher = field(default_factory=ledger.contact_hasher)
    _hashes: dict[ContactPoint, Contact] = field(default_factory=dict)

    def add(self, rows: Iterable[sql.Row]) -> "Census":
        """Take in rows of MEMBERS."""
        for customer_id, *columns in rows:
            row = Row(*columns)
            try:
                member, points = row.held(self.rules, self.hash_of, self.kinds)
            except (AttributeError, KeyError, TypeError):  # A record that nobody can read holds nothing, and holds nobody up.
                points, member = {}, Member(row.record_id, (), frozenset({UNKNOWN_PLACE}))
            self.members[customer_id].append(member)
            self.points |= points
        return self

    def regrouped(self, members: Mapping[UUID, Collection[UUID]]) -> "Census":
        """The same records as the members of these golden records."""
        by_record = {one.record_id: one for found in self.members.values() for one in found}
        made = Census(self.rules, self.kinds, points=self.points, _hashed=self._hashed)
        for golden_id, records in members.items():
            made.members[golden_id] = [by_record[one] for one in sorted(records) if one in by_record]
        return made

    def hash_of(self, point: ContactPoint) -> Contact:
        """How entries name a contact point."""
        known = self._hashes.get(point)
        if known is None:
            known = self._hashes[point] = self._hashed(point.kind, point.canonical)
        return known

    def records(self) -> list[UUID]:
        """All members."""
        return [one.record_id for members in self.members.values() for one in members]

    def contacts(self) -> list[Contact]:
        """All contact points that members hold."""
        return list(self.points)

    def customers(self, entries: Sequence[Entry], at: datetime, new: Collection[UUID] = ()) -> dict[UUID, Customer]:
        """Give each golden id its members and the entries that decide about them as at a time. `new`: as of `Index`."""
        return self.of(Index(entries, at, new))

    def of(self, index: "Index") -> dict[UUID, Customer]:
        """The same of entries that are found by records and contact points already."""
        return {one: Customer(tuple(members), index.of(members)) for one, members in self.members.items()}


class Index:
    """Entries by the records that they are anchored to, and by the contact point that they speak against.

    Of the latter those that decide as at a time, whether or not the `new` ones are there: else each holder of a crowd's contact
    point would be judged by all that any of them ever said.
    """

    def __init__(self, entries: Iterable[Entry], at: datetime, new: Collection[UUID] = ()) -> None:
        self.by_record: dict[UUID, list[Entry]] = defaultdict(list)
        self.by_contact: dict[Contact, list[Entry]] = defaultdict(list)
        for one in entries:
            for record in one.records:
                self.by_record[record].append(one)
            if one.contact is not None and one.state not in POSITIVE:
                self.by_contact[one.contact].append(one)
        for contact, against in self.by_contact.items():
            self.by_contact[contact] = latest(against, at, new)

    def of_contact(self, contact: Contact) -> list[Entry]:
        """What speaks against a contact point."""
        return self.by_contact.get(contact, [])

    def of(self, members: Iterable[Member], contacts: Collection[Contact] = ()) -> tuple[Entry, ...]:
        """What may speak of these members: what is anchored to one, and what speaks against a point that one holds."""
        held = dict.fromkeys(contacts)
        found: dict[UUID, Entry] = {}
        for member in members:
            found |= {one.entry_id: one for one in self.by_record.get(member.record_id, ())}
            held |= dict.fromkeys(holding.contact for holding in member.holdings)
        found |= {one.entry_id: one for contact in held for one in self.by_contact.get(contact, ())}
        return tuple(found.values())


def about_contact(entries: Iterable[Entry], contact: Contact) -> Customer:
    """Nobody, with what speaks against a contact point: for one that nobody holds."""
    return Customer((), tuple(one for one in entries if one.contact == contact and one.state not in POSITIVE))


def hold(session: Session, golden_ids: Collection[UUID], records: Collection[UUID]) -> None:
    """Let nobody join or leave golden records, and those of records, until the transaction ends. Waits for who is at it.

    Else what is recorded for all members of one might never be noted as parted, or miss whom a deleted record leaves behind.
    """
    if golden_ids or records:
        sql.run(session, "SELECT consent_hold(%s::uuid[], %s::uuid[])", [sorted(golden_ids), sorted(records)])


def census(session: Session, rules: Rules, golden_ids: Collection[UUID], records: Collection[UUID] = ()) -> Census:
    """Read the members of golden records, and records that have no golden id yet."""
    made = Census(rules)
    return made.add(sql.rows(session, MEMBERS, [list(golden_ids), list(records)])) if golden_ids or records else made


def members_of(session: Session, golden_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The members of golden records, whoever may see them."""
    found: dict[UUID, list[UUID]] = {one: [] for one in golden_ids}
    for golden_id, record_id, *_ in sql.rows(session, MEMBERS, [sorted(golden_ids), []]) if golden_ids else ():
        found[golden_id].append(record_id)
    return found


def census_of_records(session: Session, rules: Rules, records: Collection[UUID]) -> Census:
    """Read records, each as a customer of its own: `Census.regrouped` says whose they are."""
    return Census(rules).add((row[1], *row[1:]) for row in sql.rows(session, _ANY, [sorted(records)]))


def census_of(session: Session, rules: Rules, golden_id: UUID, records: Collection[UUID]) -> Census:
    """Read records as the members of a golden record, whoever they are members of now."""
    made = Census(rules)
    return made.add((golden_id, *row[1:]) for row in sql.rows(session, _ANY, [sorted(records)]))


def customers(session: Session, rules: Rules, golden_ids: Collection[UUID], at: datetime) -> dict[UUID, Customer]:
    """Read golden records with all entries that decide about them as at a time."""
    found = census(session, rules, golden_ids)
    return found.customers(ledger.read(session, found.records(), found.contacts(), at), at)


def holders(session: Session, points: Collection[ContactPoint], most: int = MOST_HOLDERS) -> dict[str, set[UUID]]:
    """Which records may hold contact points, by the term of each; what the index of searches finds under the same term.

    Of a crowd's some are named: one more than `most`.
    """
    found: dict[str, set[UUID]] = defaultdict(set)
    terms = sorted({one.term for one in points if one.term})
    for term, _, _, record_id in sql.rows(session, HOLDERS, [terms, most + 1]) if terms else ():
        found[term].add(record_id)
    return found
