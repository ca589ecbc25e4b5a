"""A small world of records, golden records and acts, and strategies that draw it. Golden records are sets of record ids."""

import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from consent.effective import Customer, Holding, Member, are_parted, effective, judge
from consent.entries import POSITIVE, Channel, Entry, Origin, Query, State, Strength, Suppression
from consent.purposes import shipped
from consent.status import Ruling

T = TypeVar("T")
RULES = shipped()
START = datetime(2026, 1, 1, tzinfo=UTC)
MAILS, NUMBERS = ("ann@x", "home@x"), ("1",)
BRANDS = ("main", None)
PURPOSES = ("marketing", "newsletter", "service", "profiling")
LAWS = ("EU", "UK", "US", "CA", "default")


def record_id(number: int) -> uuid.UUID:
    """The id of a record by its number."""
    return uuid.UUID(int=number + 1)


def day(number: float) -> datetime:
    """A day of the world."""
    return START + timedelta(days=number)


def holdings(by: random.Random) -> tuple[Holding, ...]:
    """What a record holds: now and then with the days from and until when."""
    return tuple(_holding(by) for _ in range(by.randint(0, 3)))


def _holding(by: random.Random) -> Holding:
    contact, kind = by.choice([*((mail, "email") for mail in MAILS * 2), *((number, "phone") for number in NUMBERS)])
    since, until = (day(by.randint(-20, 20)) if by.random() < 0.3 else None for _ in range(2))
    return Holding(contact, kind, since, until)


def laws(by: random.Random) -> frozenset[str]:
    """Which laws may apply to a record."""
    return frozenset(by.choice(LAWS) for _ in range(by.randint(1, 2)))


def said(by: random.Random) -> Entry:
    """An entry of any kind, of nobody yet, recorded on no day yet."""
    state = by.choice((*State, State.GIVEN, State.GIVEN, State.WITHDRAWN))
    is_yes = state in POSITIVE
    reached: list[tuple[Channel | None, str | None]] = [(Channel.EMAIL, mail) for mail in MAILS * 2]
    channel, contact = by.choice([*reached, (Channel.SMS, NUMBERS[0]), (Channel.POST, None), (None, None)])
    return Entry(
        uuid.UUID(int=by.getrandbits(64)),
        state,
        START,
        _sometime(by, 0.8, -30, 30),
        contact if is_yes or by.random() < 0.5 else None,
        channel if is_yes or by.random() < 0.5 else None,
        by.choice(PURPOSES) if is_yes or by.random() < 0.5 else None,
        by.choice(BRANDS),
        by.choice((None, None, *LAWS[:4])),
        by.choice((Origin.SUBJECT, Origin.SUBJECT, Origin.AGENT, Origin.IMPORT)),
        by.choice((*Strength, Strength.EXPRESS_WRITTEN)) if is_yes else Strength.EXPRESS,
        by.random() < 0.7,
        by.choice(tuple(Suppression)) if state is State.SUPPRESSED else None,
        by.choice(("purchase", "inquiry", "loan")) if state is State.IMPLIED else None,
        _sometime(by, 0.2, -40, 0),
        _sometime(by, 0.2, -10, 60),
    )


def _sometime(by: random.Random, share: float, earliest: int, latest: int) -> datetime | None:
    return day(by.randint(earliest, latest)) if by.random() < share else None


def customer(by: random.Random) -> Customer:
    """One to four records, and entries of them and of others."""
    members = tuple(Member(record_id(number), holdings(by), laws(by)) for number in range(by.randint(1, 4)))
    entries: list[Entry] = []
    for _ in range(by.randint(0, 10)):
        entry = said(by)
        records = frozenset(record_id(by.randrange(6)) for _ in range(by.randint(0, 3)))
        lifts = by.choice(entries).entry_id if entry.state is State.LIFTED and entries else None
        parted = day(5) if by.random() < 0.3 else None
        entries.append(replace(entry, records=records, parted_at=parted, lifts=lifts, recorded_at=day(by.randint(0, 3))))
    return Customer(members, tuple(entries))


def drawn(make: Callable[[random.Random], T]) -> st.SearchStrategy[T]:
    """Draw by a seed: drawing each part by itself takes a hundred times as long as what is tried with it."""
    return st.integers(0, 2**32).map(lambda seed: make(random.Random(seed)))


EVERY = tuple(
    Query(purpose, channel, brand, contact)
    for purpose in PURPOSES
    for channel, contacts in ((Channel.EMAIL, MAILS), (Channel.SMS, NUMBERS), (Channel.POST, (None,)), (None, (None,)))
    for contact in contacts
    for brand in BRANDS
    if channel is not None or purpose == "profiling"
)


@dataclass
class World:
    """Records, who is one customer, and the ledger. Does what `mdm` does around the pure core."""

    members: dict[uuid.UUID, Member] = field(default_factory=dict)
    parts: list[frozenset[uuid.UUID]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    now: datetime = START
    apart: set[uuid.UUID] = field(default_factory=set)  # Consents of several records that were not one customer once.

    def golden_of(self) -> dict[uuid.UUID, object]:
        """The part that each record belongs to."""
        return {one: place for place, part in enumerate(self.parts) for one in part}

    def with_(self, record: uuid.UUID) -> frozenset[uuid.UUID]:
        """The part of a record."""
        return next(part for part in self.parts if record in part)

    def customer(self, part: Iterable[uuid.UUID]) -> Customer:
        """A part with all entries: those of others change nothing."""
        return Customer(tuple(self.members[one] for one in sorted(part)), tuple(self.entries))

    def effective(self, part: Iterable[uuid.UUID]) -> dict[Query, Ruling]:
        """What counts for a part."""
        return effective(self.customer(part), RULES, self.now)

    def say(self, entry: Entry, records: frozenset[uuid.UUID]) -> Entry:
        """Record an entry of some records; what speaks against a person is said of all who are that person."""
        if entry.contact is None and entry.state not in POSITIVE:
            records = records.union(*(self.with_(one) for one in records))
        own_id = uuid.UUID(int=len(self.entries) + 1)  # The same seed draws the same entry, and these are two.
        made = replace(entry, entry_id=own_id, records=records, recorded_at=self.now)
        if made.state is State.LIFTED:
            suppressed = [one for one in self.entries if one.state is State.SUPPRESSED]
            if not suppressed:
                return made
            made = replace(made, lifts=suppressed[-1].entry_id)
        self.entries.append(made)
        return made

    def merge(self, left: frozenset[uuid.UUID], right: frozenset[uuid.UUID]) -> frozenset[uuid.UUID]:
        """Make two parts one."""
        self.parts = [one for one in self.parts if one not in (left, right)] + [left | right]
        return left | right

    def split(self, part: frozenset[uuid.UUID], off: frozenset[uuid.UUID]) -> None:
        """Part records from others; consents of several that are apart now count no more."""
        self.parts = [one for one in self.parts if one != part] + [off, part - off]
        golden_of = self.golden_of()
        self.apart |= {
            one.entry_id for one in self.entries if one.state in POSITIVE and not any(one.records <= part for part in self.parts)
        }
        self.entries = [
            one.parted(self.now) if one.state in POSITIVE and are_parted(one.records, golden_of) else one for one in self.entries
        ]

    def allowed(self, part: Iterable[uuid.UUID]) -> set[Query]:
        """Everything that may be done with a part."""
        customer = self.customer(part)
        return {query for query in EVERY if judge(customer, query, RULES, self.now).permits}
