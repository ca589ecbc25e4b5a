"""Whose consent counts for whom: the merge algebra. A golden record is a set of members here, and nothing is ever moved. Pure.

A consent counts for whoever has the record that brought it, on the contact point that this very record holds; of one recorded for
several records, only while they were never apart. What speaks against counts for its contact point whoever holds it, from when
they held it, and one about the person for whoever has any record that it was recorded for.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from consent.entries import DENYING, ENDING, INERT, LIFTED_ONLY, POSITIVE, Channel, Contact, Entry, Query, State, Suppression
from consent.purposes import Rules
from consent.status import Answer, Heard, Reason, Ruling, fold, strictest

EMAIL, PHONE, DEVICE = "email", "phone", "device"
_BEGINNING = datetime.min.replace(tzinfo=UTC)
# By which kind of contact point a channel reaches somebody; the others reach a person without one.
KIND_OF = {
    Channel.EMAIL: EMAIL, Channel.SMS: PHONE, Channel.PHONE: PHONE, Channel.MESSENGER: PHONE, Channel.PUSH: DEVICE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Holding:
    """A contact point that a record holds, from when and until when as far as its source says so."""

    contact: Contact
    kind: str
    since: datetime | None = None
    until: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether it is held at a time."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    def reaches(self, entry: Entry) -> bool:
        """Whether an act may be this holder's: not before it was held. An act of an unknown time may be."""
        at = entry.occurred_at
        return at is None or self.since is None or self.since <= at


@dataclass(frozen=True, slots=True)
class Member:
    """A record of a golden record: what it holds, and the laws that may apply to it (the default one where nobody knows)."""

    record_id: UUID
    holdings: tuple[Holding, ...] = ()
    jurisdictions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Customer:
    """The members of one golden record, with all entries that may speak of them."""

    members: tuple[Member, ...]
    entries: tuple[Entry, ...]
    _by_record: Mapping[UUID, Member] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find members by their id."""
        object.__setattr__(self, "_by_record", {one.record_id: one for one in self.members})

    @property
    def jurisdictions(self) -> frozenset[str]:
        """Every law that may apply to any member."""
        return frozenset().union(*(one.jurisdictions for one in self.members))

    @property
    def records(self) -> AbstractSet[UUID]:
        """The ids of the members."""
        return self._by_record.keys()

    def member(self, record_id: UUID) -> Member | None:
        """A member by its id."""
        return self._by_record.get(record_id)

    def held(self, kind: str, at: datetime) -> list[Contact]:
        """The contact points of a kind that some member holds at a time, in their order."""
        found = (one for member in self.members for one in member.holdings if one.kind == kind and one.holds_at(at))
        return list(dict.fromkeys(one.contact for one in found))

    def held_by(self, contact: Contact, at: datetime) -> dict[UUID, list[Holding]]:
        """How the members that hold a contact point at a time do so."""
        found = {
            member.record_id: [one for one in member.holdings if one.contact == contact and one.holds_at(at)]
            for member in self.members
        }
        return {record: held for record, held in found.items() if held}


def judge(customer: Customer, query: Query, rules: Rules, at: datetime) -> Ruling:
    """Say whether something may be done with a customer at a time, by what was recorded until then.

    A query that needs a contact point and names none is allowed when it is for one that the customer holds, and else answered as
    strictly as for any.
    """
    kind = KIND_OF.get(query.channel) if query.channel else None
    if query.contact is not None or kind is None:
        return _judge(customer, query, rules, at)
    return of_any(customer, by_contact(customer, query, rules, at))


def of_any(customer: Customer, judged: Sequence[tuple[Contact, Ruling]]) -> Ruling:
    """The answer for a customer whose contact points were judged."""
    found = [ruling for _, ruling in judged]
    return next((one for one in found if one.permits), None) or strictest(found) or _not_held(customer)


def by_contact(customer: Customer, query: Query, rules: Rules, at: datetime) -> list[tuple[Contact, Ruling]]:
    """Judge each contact point of the query's channel that the customer holds."""
    kind = KIND_OF.get(query.channel, "") if query.channel else ""
    asked = (Query(query.purpose, query.channel, query.brand, contact) for contact in customer.held(kind, at))
    return [(one.contact or "", _judge(customer, one, rules, at)) for one in asked]


def judge_contact(holders: Iterable[Customer], nobody: Customer, query: Query, rules: Rules, at: datetime) -> Ruling:
    """Say whether a contact point may be used by whoever does not say whose it is: the strictest answer over its holders.

    `nobody`: a customer without members who has the entries of the contact point, for when nobody holds it.
    """
    found = [judge(one, query, rules, at) for one in holders if query.contact and one.held_by(query.contact, at)]
    return strictest(found) or _judge(nobody, query, rules, at)


def judge_crowd(nobody: Customer, query: Query, rules: Rules, at: datetime) -> Ruling:
    """Say whether a contact point may be used that so many hold that none of them is asked: never, and not where any refuses."""
    found = _judge(nobody, query, rules, at)
    return found if found.answer is Answer.DENIED else Ruling(Answer.UNKNOWN, Reason.HELD_BY_MANY)


def _not_held(customer: Customer) -> Ruling:
    return Ruling(Answer.UNKNOWN, Reason.NOT_HELD, (), tuple(sorted(customer.jurisdictions)))


def _judge(customer: Customer, query: Query, rules: Rules, at: datetime) -> Ruling:
    heard = hear(customer, query, rules, at)
    is_held = query.contact is None or bool(customer.held_by(query.contact, at))
    if is_held:
        return fold(heard, query, customer.jurisdictions, rules, at)
    ruling = fold(Heard((), heard.against, heard.blocked), query, frozenset(), rules, at)
    if ruling.answer is Answer.DENIED:
        return ruling
    return Ruling(Answer.UNKNOWN, Reason.NOT_HELD if customer.members else Reason.NOBODY_HOLDS)


def hear(customer: Customer, query: Query, rules: Rules, at: datetime) -> Heard:
    """Sort out what speaks of a query at a time. Suppressions that were lifted by then speak no more."""
    family = rules.family(query.purpose)
    theirs = customer.held_by(query.contact, at) if query.contact is not None else {}
    held = [one for holdings in theirs.values() for one in holdings]
    own = frozenset(customer.records)
    covers_all = query.purpose not in rules.purposes or rules.purposes[query.purpose].covers_all
    known = [one for one in customer.entries if one.recorded_at <= at]
    lifted = {one.lifts for one in known if one.state is State.LIFTED}
    positives: list[Entry] = []
    against: list[Entry] = []
    blocked: list[tuple[Entry, Reason]] = []
    inert: list[Entry] = []
    for one in known:
        if one.state in POSITIVE:
            if not _permits(one, query, family):
                continue
            why = _not_theirs(own, theirs, one, at)
            if why is None:
                positives.append(one)
            elif why is not Reason.UNKNOWN_CUSTOMER:
                blocked.append((one, why))
        elif _concerns(one, query, family, covers_all) and _reaches(own, held, one) and one.entry_id not in lifted:
            (inert if one.state in INERT else against).append(one)
    return Heard(positives, against, blocked, inert)


def _permits(one: Entry, query: Query, family: Sequence[str]) -> bool:
    """Whether a consent is for just that: this contact point and channel, this purpose or one above it, this brand or all."""
    if one.contact != query.contact or one.channel is not query.channel or one.purpose not in family:
        return False
    return one.brand is None or one.brand == query.brand


def _concerns(one: Entry, query: Query, family: Sequence[str], covers_all: bool) -> bool:
    """Whether what speaks against speaks of that, or of more. A contract does not reach what cannot be reached either."""
    if (one.contact is not None and one.contact != query.contact) or (
        one.channel is not None and one.channel is not query.channel
    ):
        return False
    if one.brand is not None and query.brand is not None and one.brand != query.brand:
        return False
    if one.purpose is not None:
        return one.purpose in family
    return covers_all or one.suppression in LIFTED_ONLY or one.suppression is Suppression.REASSIGNED


def _not_theirs(own: AbstractSet[UUID], theirs: Mapping[UUID, Sequence[Holding]], one: Entry, at: datetime) -> Reason | None:
    """Why a consent does not count for a customer; None when it does, UNKNOWN_CUSTOMER when it is somebody else's.

    `theirs`: how each member holds the contact point of the consent.
    """
    if own.isdisjoint(one.records):
        return Reason.UNKNOWN_CUSTOMER
    if one.parted_at is not None and one.parted_at <= at:
        return Reason.OWNER_UNCLEAR
    if one.occurred_at is not None and one.occurred_at > at:
        return Reason.NOT_CONFIRMED
    if one.contact is None:
        return None
    for record in one.records:
        for holding in theirs.get(record, ()):
            if holding.reaches(one):
                return None
    return Reason.NOT_HELD


def _reaches(own: AbstractSet[UUID], held: Sequence[Holding], one: Entry) -> bool:
    """Whether what speaks against counts for a customer of these records, who holds the contact point that is asked about so."""
    if one.contact is None:
        return not own.isdisjoint(one.records)
    return not held or any(holding.reaches(one) for holding in held)


def latest(against: Iterable[Entry], at: datetime, new: Collection[UUID] = ()) -> list[Entry]:
    """Of what speaks against contact points, what says at a time all that the whole of it says.

    Of the same state and width the latest act reaches whom any reaches, and is outweighed by nothing that does not outweigh all;
    one of an unknown time is the latest. Suppressions are told apart by what ends them, so all of them stay. Of `new` entries the
    latest is kept beside that of the others: without them the rest still says what was. A crowd's phone may have 100,000.
    """
    kept: list[Entry] = []
    last: dict[tuple[object, ...], Entry] = {}
    for one in against:
        if one.recorded_at > at:
            continue
        if one.state in (State.SUPPRESSED, State.LIFTED):
            kept.append(one)
            continue
        width = (one.contact, one.state, one.channel, one.purpose, one.brand, one.entry_id in new)
        known = last.get(width)
        if known is None or _order(one) > _order(known):
            last[width] = one
    return [*kept, *last.values()]


def _order(one: Entry) -> tuple[bool, datetime, UUID]:
    return (one.occurred_at is None, one.occurred_at or _BEGINNING, one.entry_id)


def combinations(customer: Customer, at: datetime) -> list[Query]:
    """Every query that some entry of the customer speaks of, on the contact points held at a time, in their order."""
    found: set[Query] = set()
    for one in customer.entries:
        if one.purpose is None or one.state not in (*POSITIVE, *DENYING, *ENDING):
            continue
        kind = KIND_OF.get(one.channel) if one.channel else None
        contacts: Sequence[Contact | None] = [None] if kind is None else customer.held(kind, at)
        found |= {Query(one.purpose, one.channel, one.brand, contact) for contact in contacts}
    return sorted(found, key=lambda one: (one.contact or "", one.channel or "", one.purpose, one.brand or ""))


def effective(customer: Customer, rules: Rules, at: datetime) -> dict[Query, Ruling]:
    """Everything that the entries of a customer amount to at a time."""
    return {query: _judge(customer, query, rules, at) for query in combinations(customer, at)}


def around(
    customer: Customer, new: AbstractSet[UUID], rules: Rules, at: datetime
) -> tuple[dict[Query, Ruling], dict[Query, Ruling]]:
    """What the entries of a customer amounted to before some new ones, and do with them, of every query that these can change.

    Of a crowd's contact point that is little of all that is on record, and is judged for each of its holders.
    """
    fresh = [one for one in customer.entries if one.entry_id in new]
    if not fresh:
        return {}, {}
    before = Customer(customer.members, tuple(one for one in customer.entries if one.entry_id not in new))
    known = set(combinations(before, at))
    touched = [query for query in combinations(customer, at) if query not in known or _speaks_of(fresh, query, rules)]
    was = {query: _judge(before, query, rules, at) for query in touched if query in known}
    return was, {query: _judge(customer, query, rules, at) for query in touched}


def _speaks_of(entries: Iterable[Entry], query: Query, rules: Rules) -> bool:
    """Whether any entry may be heard of a query, or ends one that is."""
    family = rules.family(query.purpose)
    covers_all = query.purpose not in rules.purposes or rules.purposes[query.purpose].covers_all
    return any(
        one.state is State.LIFTED
        or (_permits(one, query, family) if one.state in POSITIVE else _concerns(one, query, family, covers_all))
        for one in entries
    )


def narrowed(before: Mapping[Query, Ruling], after: Mapping[Query, Ruling]) -> list[Query]:
    """What was allowed before and is not after, in the order of before."""
    return [query for query, ruling in before.items() if ruling.permits and not (query in after and after[query].permits)]


def are_parted(records: Iterable[UUID], golden_of: Mapping[UUID, object]) -> bool:
    """Whether records are members of more than one golden record; one that is a member of none takes no part."""
    return len({golden_of[one] for one in records if golden_of.get(one) is not None}) > 1
