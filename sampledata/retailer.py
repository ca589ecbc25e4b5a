"""The simulated retailer: a stream of channel records, each with the customer it truly speaks of.

Deterministic by seed and streaming: one household at a time, so memory does not grow with the number of customers, and the
customers of a small run are the first customers of a large one with the same seed and profile.
"""

import datetime
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sampledata import channels, online
from sampledata.channels import Writer
from sampledata.households import Household, Maker
from sampledata.lives import DAYS, FIRST_DAY, Company, Person
from sampledata.locales import draw_locale
from sampledata.profiles import PROFILES, Profile
from sampledata.slips import ear, keyboard, scanner
from sampledata.visits import Habit, Visit

# How many records the retailer holds of one customer: 2.7 on average, and a long tail.
RECORDS = ((1, 27), (2, 28), (3, 20), (4, 12), (5, 7), (6, 4), (9, 2))
YOUNGEST_YEARS = 14
# Keys step through a prime field, so that neighbours in time are not neighbours in key.
KEY_PRIME = 99_999_989
KEY_STEP = 48_271_133


@dataclass(frozen=True, slots=True)
class SimulatedRecord:
    """One record of one channel. `truth` names the customer; `updated_at` is ISO 8601 in UTC."""

    source: str
    key: str
    payload: dict[str, Any]
    truth: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: its share of the records, who writes there and how, and what its keys look like."""

    name: str
    weight: int
    writer: Writer
    habit: Habit
    key_format: str
    again: float


BY_EAR = Habit(ear, typos=1.6, nicknames=1.3, folds=2.5)
BY_CUSTOMER = Habit(keyboard, typos=0.8, nicknames=0.7, folds=0.7)
BY_CLERK = Habit(keyboard, typos=0.6, nicknames=0.5, folds=1.0)
BY_SCANNER = Habit(scanner, typos=1.2, nicknames=0.6, folds=0.8)
CHANNELS = (
    Channel("pos", 24, channels.pos, BY_EAR, "T{:08d}", 0.6),
    Channel("webshop", 25, online.webshop, BY_CUSTOMER, "{:d}", 0.35),
    Channel("loyalty", 16, channels.loyalty, BY_SCANNER, "L{:08d}", 0.1),
    Channel("marketplace", 11, online.marketplace, BY_CUSTOMER, "302-{:08d}", 1.0),
    Channel("service", 11, channels.service, BY_EAR, "CASE-{:08d}", 0.8),
    Channel("crm", 8, channels.crm, BY_CLERK, "{:08x}", 0.15),
    Channel("erp", 5, online.erp, BY_CLERK, "{:d}", 0.05),
)
BY_NAME = {channel.name: channel for channel in CHANNELS}
SOURCES = tuple(channel.name for channel in CHANNELS)
_LOT = tuple(channel for channel in CHANNELS for _ in range(channel.weight))
_RECORDS_LOT = tuple(count for count, weight in RECORDS for _ in range(weight))


def simulate(customers: int, seed: int, profile: str = "typical") -> Iterator[SimulatedRecord]:
    """Yield the records of `customers` customers (people and companies), household by household.

    Profiles: clean, typical, dirty. Raises: KeyError for another one.
    """
    desk = _Desk(PROFILES[profile], customers)
    made = Maker(seed)
    seen = 0
    for household, rng in made.households(draw_locale):
        yield from desk.records(household, rng)
        seen += len(household.people) + (household.company is not None)
        if seen >= customers:
            return


class _Desk:
    """Writes the records of households and numbers them."""

    def __init__(self, profile: Profile, customers: int) -> None:
        self._profile, self._customers = profile, customers
        self._written: Counter[str] = Counter()

    def records(self, household: Household, rng: random.Random) -> Iterator[SimulatedRecord]:
        """All records of a household; of a household cut by the wanted number, those of its first customers."""
        if household.company is not None and self._wanted(household.company.truth):
            yield from self._company(household.company, rng)
        for person in household.people:
            if self._wanted(person.truth):
                yield from self._private(person, rng)

    def _wanted(self, truth: str) -> bool:
        return int(truth[1:]) <= self._customers

    def _private(self, person: Person, rng: random.Random) -> Iterator[SimulatedRecord]:
        first = max(FIRST_DAY, person.born + datetime.timedelta(days=YOUNGEST_YEARS * 366))
        span = (FIRST_DAY + datetime.timedelta(days=DAYS) - first).days
        used: Counter[str] = Counter()
        days = sorted(first + datetime.timedelta(days=rng.randrange(span)) for _ in range(rng.choice(_RECORDS_LOT)))
        for day in days:
            channel = self._channel(person, used, rng)
            used[channel.name] += 1
            visit = Visit(rng, self._profile, person, day, channel.habit)
            yield self._record(channel.name, channel.writer(visit), person.truth, visit)

    def _channel(self, person: Person, used: Counter[str], rng: random.Random) -> Channel:
        """Where they turn up next: people come back to the till more readily than they open a second account."""
        while True:
            channel = rng.choice(_LOT)
            if channel.name == "loyalty" and used["loyalty"] >= len(person.cards):
                continue
            if not used[channel.name] or rng.random() < channel.again:
                return channel

    def _company(self, company: Company, rng: random.Random) -> Iterator[SimulatedRecord]:
        """A company stands in the ERP with its contacts below it, and may stand in CRM and web shop too."""
        visit = self._visit(company, company.contacts[0], "erp", rng)
        parent = self._record("erp", online.erp_company(visit, company), company.truth, visit)
        yield parent
        if rng.random() < 0.25:
            visit = self._visit(company, company.contacts[0], "erp", rng)
            yield self._record("erp", online.erp_company(visit, company), company.truth, visit)
        if rng.random() < 0.4:
            visit = self._visit(company, company.contacts[0], "crm", rng)
            yield self._record("crm", online.crm_company(visit, company), company.truth, visit)
        for contact in company.contacts:
            if self._wanted(contact.truth):
                yield from self._contact(company, contact, parent.key, rng)

    def _contact(self, company: Company, contact: Person, parent: str, rng: random.Random) -> Iterator[SimulatedRecord]:
        visit = self._visit(company, contact, "erp", rng)
        yield self._record("erp", online.erp_contact(visit, company, parent), contact.truth, visit)
        if rng.random() < 0.3:
            visit = self._visit(company, contact, "webshop", rng)
            yield self._record("webshop", online.webshop_company(visit, company), contact.truth, visit)

    def _visit(self, company: Company, person: Person, channel: str, rng: random.Random) -> Visit:
        day = FIRST_DAY + datetime.timedelta(days=rng.randrange(DAYS))
        return Visit(rng, self._profile, person, day, BY_NAME[channel].habit, company)

    def _record(self, source: str, payload: dict[str, Any], truth: str, visit: Visit) -> SimulatedRecord:
        self._written[source] += 1
        number = self._written[source] * KEY_STEP % KEY_PRIME
        key = BY_NAME[source].key_format.format(number)
        if source in ("webshop", "erp"):
            payload = {"id": number, **payload}
        return SimulatedRecord(source, key, payload, truth, f"{visit.day.isoformat()}T12:00:00Z")
