"""What merges, splits and new entries change of what customers consented to: noted in the ledger, and told as events.

Of consents recorded for several records, those whose records part are noted as parted: they count no more, also should they
meet again. What speaks against a person stays with whom it left behind when a record goes. Part of the transaction of the change.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.effective import Customer, are_parted, around, combinations, effective, narrowed
from consent.entries import POSITIVE, Contact, Entry, Query
from consent.purposes import Rules
from consent.status import Ruling
from kernel.outbox import Event
from mdm import consent_customers, sql
from mdm.consent_comparison import MOST_HELD
from mdm.consent_customers import Census

CHANGED = "consent.changed"
NARROWED = "consent.narrowed"
MOST_TOLD = 50
DIGEST_BYTES = 8
JUST_BEFORE = timedelta(microseconds=1)
# What is read of golden records whoever asks: how they stand, and under which a record lives.
STANDING = "SELECT golden_id, version, brands, regions FROM consent_standings(%s::uuid[])"
GOLDENS = "SELECT record_id, golden_id FROM consent_goldens(%s::uuid[])"
Rulings = Mapping[Query, Ruling]


@dataclass(frozen=True, slots=True)
class Noted:
    """What moves part and leave behind, and the entries as they are with that."""

    parted: AbstractSet[UUID]
    grown: Mapping[UUID, AbstractSet[UUID]]
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Moves:
    """Under which golden id each record of some golden records lived before, and lives now; None: under none."""

    before: Mapping[UUID, UUID | None]
    after: Mapping[UUID, UUID | None]

    def moved(self) -> set[UUID]:
        """The records that lived somewhere, and live elsewhere now or have others with them that did not."""
        return {one for one, golden_id in self.before.items() if golden_id != self.after.get(one)}

    def touched(self) -> set[UUID]:
        """The golden ids that had records before and have gained or lost some, and those to which such records went."""
        changed = self.moved()
        of = {self.before[one] for one in changed} | {self.after.get(one) for one in changed}
        existed = {one for one in self.before.values() if one is not None}
        went_to = {self.after.get(one) for one in changed if self.before[one] is not None}
        return {one for one in of & (existed | went_to) if one is not None}


def follow(session: Session, rules: Rules, moves: Moves, at: datetime) -> list[Event]:
    """Note what moves of records part and leave behind, and give the events of what changed. A new record alone costs nothing.

    They are part of no load: whoever must not write to a customer any more is told at once.
    """
    touched = moves.touched()
    if not touched:
        return []
    records = {one for one in moves.before if moves.before[one] in touched or moves.after.get(one) in touched}
    census = consent_customers.census_of_records(session, rules, records)
    entries = ledger.read(session, records, census.contacts(), at)
    if not entries:
        return []
    noted = _noted(session, entries, moves, at)
    ledger.part(session, noted.parted, at)
    ledger.anchor(session, noted.grown, at)
    was = _customers(census, entries, moves.before, records, at)
    now = _customers(census, noted.entries, moves.after, records, at)
    return _events(session, _changes(moves, was, now, rules, at), "records")


def foresee(session: Session, rules: Rules, moves: Moves, at: datetime) -> tuple[list["Change"], Census] | None:
    """Say what `follow` would find of moves that are only supposed, noting nothing; None when too much was recorded to look.

    Read past the row scope of the application: whoever asks must be allowed to see the golden records.
    """
    touched = moves.touched()
    records = {one for one in moves.before if moves.before[one] in touched or moves.after.get(one) in touched}
    census = consent_customers.census_of_records(session, rules, records) if records else Census(rules)
    entries = ledger.read(session, records, census.contacts(), at)
    if not entries:
        return [], census
    was = _customers(census, entries, moves.before, records, at)
    now = _customers(census, _noted(session, entries, moves, at).entries, moves.after, records, at)
    if sum(len(combinations(one, at)) * len(one.entries) for one in (*was.values(), *now.values())) > MOST_HELD:
        return None
    return _changes(moves, was, now, rules, at), census


def recorded(session: Session, rules: Rules, moves: Moves, at: datetime) -> str:
    """Stand for all entries that may speak of whom supposed moves touch: another text, and something was recorded or ended.

    Nothing of how they are read, so that it is as cheap where much was recorded, and the same whoever asks. `at`: now.
    """
    touched = moves.touched()
    records = {one for one in moves.before if moves.before[one] in touched or moves.after.get(one) in touched}
    if not records:
        return ""
    census = consent_customers.census_of_records(session, rules, records)
    entries = ledger.read(session, records, census.contacts(), at)
    told = sorted((str(one.entry_id), one.parted_at is not None, sorted(map(str, one.records))) for one in entries)
    return hashlib.blake2b(repr(told).encode(), digest_size=DIGEST_BYTES).hexdigest() if told else ""


def _changes(
    moves: Moves, before: Mapping[UUID, Customer], after: Mapping[UUID, Customer], rules: Rules, at: datetime
) -> list["Change"]:
    """Compare each golden record that there is after moves with all that it came from, the widest answer of them."""
    was, now = ({one: effective(of, rules, at) for one, of in customers.items()} for customers in (before, after))
    came_from: dict[UUID, set[UUID]] = defaultdict(set)
    for record, lived in moves.before.items():
        lives = moves.after.get(record)
        if lived is not None and lives is not None:
            came_from[lives].add(lived)
    changes = (
        Change(golden_id, _widest(was[one] for one in came_from[golden_id] if one in was), now[golden_id])
        for golden_id in sorted(came_from)
        if golden_id in now
    )
    return [one for one in changes if one.is_one]


def _noted(session: Session, entries: Sequence[Entry], moves: Moves, at: datetime) -> Noted:
    """Say what moves part and leave behind."""
    elsewhere = {one for entry in entries for one in entry.records if one not in moves.before}
    golden_of: dict[UUID, UUID | None] = {
        **dict(sql.rows(session, GOLDENS, [sorted(elsewhere)]) if elsewhere else ()),
        **moves.after,
    }
    parted = {
        one.entry_id for one in entries if one.state in POSITIVE and one.parted_at is None and are_parted(one.records, golden_of)
    }
    left = _left_behind(moves)
    grown = {
        one.entry_id: one.records.union(*(left[record] for record in one.records if record in left))
        for one in entries
        if one.contact is None and one.state not in POSITIVE and not left.keys().isdisjoint(one.records)
    }
    now = (replace(one, records=grown.get(one.entry_id, one.records)) for one in entries)
    return Noted(parted, grown, [one.parted(at) if one.entry_id in parted else one for one in now])


def _left_behind(moves: Moves) -> dict[UUID, set[UUID]]:
    """Of each record that lives nowhere any more, those that were with it and live on."""
    gone = {one: of for one, of in moves.before.items() if of is not None and moves.after.get(one) is None}
    stay: dict[UUID | None, set[UUID]] = defaultdict(set)
    for one, of in moves.before.items():
        if moves.after.get(one) is not None:
            stay[of].add(one)
    return {one: stay[of] for one, of in gone.items()}


def _members(of: Mapping[UUID, UUID | None], records: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for one in records:
        golden_id = of.get(one)
        if golden_id is not None:
            found[golden_id].add(one)
    return found


def _customers(
    census: Census, entries: Sequence[Entry], of: Mapping[UUID, UUID | None], records: Iterable[UUID], at: datetime
) -> dict[UUID, Customer]:
    return census.regrouped(_members(of, records)).customers(entries, at)


def _widest(rulings: Iterable[Rulings]) -> dict[Query, Ruling]:
    """What any of several golden records was allowed."""
    found: dict[Query, Ruling] = {}
    for one in rulings:
        for query, ruling in one.items():
            if query not in found or found[query].answer.strictness > ruling.answer.strictness:
                found[query] = ruling
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """What a golden record consented to before, with what it was made of, and does now."""

    golden_id: UUID
    before: Rulings
    after: Rulings

    @property
    def is_one(self) -> bool:
        """Whether any answer is another."""
        return bool(self.otherwise or self.lost)

    @property
    def answered(self) -> list[tuple[Query, Ruling | None, Ruling | None]]:
        """Each query that is answered otherwise, with what it was answered before; None: nothing spoke of it."""
        asked = dict.fromkeys((*self.lost, *self.otherwise))
        return [(one, self.before.get(one), self.after.get(one)) for one in asked]

    @property
    def otherwise(self) -> list[Query]:
        """What entries speak of now, and is answered otherwise than before."""
        was = self.before
        return [one for one, ruling in self.after.items() if one not in was or was[one].answer is not ruling.answer]

    @property
    def lost(self) -> list[Query]:
        """What was allowed, and is not for a contact point that is still held."""
        held = {query.contact for query in self.after} | {None}
        return [query for query in narrowed(self.before, self.after) if query.contact in held]


def appended(session: Session, rules: Rules, golden_ids: Collection[UUID], new: Collection[UUID], at: datetime) -> list[Event]:
    """Give the events of entries that were appended, for the golden records that they may speak of."""
    wanted = frozenset(new)
    return _since(session, rules, golden_ids, lambda one: one.entry_id in wanted, at, at)


def said_against(
    session: Session, rules: Rules, golden_ids: Collection[UUID], contact: Contact, since: datetime, at: datetime
) -> list[Event]:
    """Give the events of what was said against a contact point from a time on, for golden records that hold it."""

    def is_new(one: Entry) -> bool:
        return one.contact == contact and one.state not in POSITIVE and one.recorded_at >= since

    return _since(session, rules, golden_ids, is_new, since, at)


def _since(
    session: Session,
    rules: Rules,
    golden_ids: Collection[UUID],
    is_new: Callable[[Entry], bool],
    since: datetime,
    at: datetime,
) -> list[Event]:
    census = consent_customers.census(session, rules, golden_ids)
    entries = ledger.read(session, census.records(), census.contacts(), at, since - JUST_BEFORE)
    fresh = frozenset(one.entry_id for one in entries if is_new(one))
    found = census.customers(entries, at, fresh).items()
    changes = (Change(golden_id, *around(customer, fresh, rules, at)) for golden_id, customer in found)
    return _events(session, [one for one in changes if one.is_one], "entries")


def ended(session: Session, rules: Rules, golden_ids: Collection[UUID], gone: Collection[UUID], at: datetime) -> list[Event]:
    """Note that consents count no more, and give the events of what that changes for the golden records that they speak of."""
    changes = []
    for golden_id, customer in consent_customers.customers(session, rules, golden_ids, at).items():
        entries = tuple(one.parted(at) if one.entry_id in gone else one for one in customer.entries)
        after = Customer(customer.members, entries)
        changes.append(Change(golden_id, effective(customer, rules, at), effective(after, rules, at)))
    ledger.part(session, gone, at)
    return _events(session, [one for one in changes if one.is_one], "import_undone")


def _events(session: Session, changes: Sequence[Change], because: str) -> list[Event]:
    if not changes:
        return []
    ids = [one.golden_id for one in changes]
    standing = {row[0]: row[1:] for row in sql.rows(session, STANDING, [ids])}
    events = []
    for one in changes:
        if one.golden_id not in standing:
            continue
        version, brands, regions = standing[one.golden_id]
        lost = one.lost
        body = {"golden_id": str(one.golden_id), "because": because, "narrowed": bool(lost), "changed": _changed(one)}
        for type_ in (CHANGED, NARROWED) if lost else (CHANGED,):
            events.append(Event(type_, one.golden_id, version, body, tuple(brands), tuple(regions)))
    return events


def _changed(change: Change) -> list[dict[str, Any]]:
    """What has another answer, without the contact point; each once."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for query in change.otherwise:
        answer = str(change.after[query].answer)
        said = {"purpose": query.purpose, "channel": query.channel, "brand": query.brand, "answer": answer}
        found[tuple(said.values())] = said
    return list(found.values())[:MOST_TOLD]
