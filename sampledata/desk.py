"""Where customers turn up and what is written down: the channels with shares and habits, and the records of a household.

Numbers the records of each channel; yields them household by household and keeps nothing of them.
"""

import datetime
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sampledata import channels, online, reach
from sampledata.channels import Writer
from sampledata.country_tables import ACQUIRED_COUNTRIES
from sampledata.households import Household
from sampledata.keys import Numbering
from sampledata.lives import DAYS, FIRST_DAY, LAST_DAY, Company, Person
from sampledata.profiles import Profile
from sampledata.slips import ear, keyboard, scanner
from sampledata.visits import Habit, Visit

# How many records the retailer holds of one customer: 2.7 on average, and a long tail.
RECORDS = ((1, 27), (2, 28), (3, 20), (4, 12), (5, 7), (6, 4), (9, 2))
YOUNGEST_YEARS = 14
DEATHS_TOLD = 0.4
MOST_DAYS_UNTIL_TOLD = 400


@dataclass(frozen=True, slots=True)
class SimulatedRecord:
    """One record of one channel. `truth` names the customer; `updated_at` is ISO 8601 in UTC.

    `household` and `called` (the customer's name as it is, not as it was written) serve the labelled pairs; `origin`, whose
    names they have (the code of a locale; empty for a company), serves the test that none of them is served worse.
    """

    source: str
    key: str
    payload: dict[str, Any]
    truth: str
    updated_at: str
    household: int = 0
    called: str = ""
    origin: str = ""


def _anybody(person: Person, day: datetime.date, used: int) -> bool:
    return person.guardian is None


def _with_a_card_left(person: Person, day: datetime.date, used: int) -> bool:
    return used < len(person.cards)


def _with_mail(person: Person, day: datetime.date, used: int) -> bool:
    return person.guardian is None and bool(person.email.at(day))


def _under_seventy(person: Person, day: datetime.date, used: int) -> bool:
    return person.guardian is None and (day.year - person.born.year < 70 or used > 0)


def _where_acquired(person: Person, day: datetime.date, used: int) -> bool:
    return person.guardian is None and person.locale.country in ACQUIRED_COUNTRIES


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: its share of the records, who writes there and how, what its keys look like, how soon people come again."""

    name: str
    weight: int
    writer: Writer
    habit: Habit
    key_format: str
    again: float
    open_to: Callable[[Person, datetime.date, int], bool] = _anybody


BY_EAR = Habit(ear, typos=1.6, nicknames=1.3, folds=2.5)
BY_CUSTOMER = Habit(keyboard, typos=0.8, nicknames=0.7, folds=0.7, latin=0.1)
BY_THUMB = Habit(keyboard, typos=1.1, nicknames=1.5, folds=1.0, latin=0.25)
ABROAD = Habit(keyboard, typos=0.8, nicknames=0.7, folds=0.7, latin=0.85)
BY_CLERK = Habit(keyboard, typos=0.6, nicknames=0.5, folds=1.0, latin=0.4)
BY_SCANNER = Habit(scanner, typos=1.2, nicknames=0.6, folds=0.8)
IN_CAPITALS = Habit(keyboard, typos=1.0, nicknames=0.4, folds=4.0, latin=1.0)
CHANNELS = (
    Channel("pos", 22, channels.pos, BY_EAR, "T{:08d}", 0.6),
    Channel("webshop", 22, online.webshop, BY_CUSTOMER, "{:d}", 0.35),
    Channel("loyalty", 14, channels.loyalty, BY_SCANNER, "L{:08d}", 0.1, _with_a_card_left),
    Channel("marketplace", 9, online.marketplace, ABROAD, "302-{:08d}", 1.0),
    Channel("service", 9, channels.service, BY_EAR, "CASE-{:08d}", 0.8),
    Channel("crm", 7, channels.crm, BY_CLERK, "{:08x}", 0.15),
    Channel("erp", 5, online.erp, BY_CLERK, "{:d}", 0.05),
    Channel("returns", 5, channels.returns, BY_EAR, "R-{:08d}", 0.7),
    Channel("marketing", 8, reach.marketing, BY_THUMB, "sub{:08x}", 0.25, _with_mail),
    Channel("app", 7, reach.app, BY_THUMB, "usr_{:08d}", 0.3, _under_seventy),
    Channel("acquired", 5, reach.acquired, IN_CAPITALS, "BW{:08d}", 0.1, _where_acquired),
)
BY_NAME = {channel.name: channel for channel in CHANNELS}
SOURCES = tuple(channel.name for channel in CHANNELS)
_LOT = tuple(channel for channel in CHANNELS for _ in range(channel.weight))
_RECORDS_LOT = tuple(count for count, weight in RECORDS for _ in range(weight))


class Desk:
    """Writes the records of households and numbers them."""

    def __init__(self, profile: Profile, customers: int, seed: int) -> None:
        self._profile, self._customers = profile, customers
        self._written: Counter[str] = Counter()
        self._numberings = {source: Numbering(source, seed) for source in SOURCES}
        self._household = 0

    def records(self, household: Household, rng: random.Random) -> Iterator[SimulatedRecord]:
        """All records of a household; of a household cut by the wanted number, those of its first customers."""
        self._household += 1
        if household.company is not None and self._wanted(household.company.truth):
            yield from self._company(household.company, rng)
        for person in household.people:
            if self._wanted(person.truth):
                yield from self._private(person, rng)

    def _wanted(self, truth: str) -> bool:
        return int(truth[1:]) <= self._customers

    def _private(self, person: Person, rng: random.Random) -> Iterator[SimulatedRecord]:
        used: Counter[str] = Counter()
        for day in _days(person, rng):
            channel = self._channel(person, day, used, rng)
            used[channel.name] += 1
            yield self._written_by(channel.writer, channel.name, person, day, rng)
        if person.died <= LAST_DAY and rng.random() < DEATHS_TOLD:
            day = person.died + datetime.timedelta(days=rng.randrange(1, MOST_DAYS_UNTIL_TOLD))
            yield self._written_by(channels.notice_of_death, "service", person, min(day, LAST_DAY), rng)

    def _written_by(
        self, writer: Writer, channel: str, person: Person, day: datetime.date, rng: random.Random
    ) -> SimulatedRecord:
        visit = Visit(rng, self._profile, person, day, BY_NAME[channel].habit)
        return self._record(channel, writer(visit), person.truth, visit)

    def _channel(self, person: Person, day: datetime.date, used: Counter[str], rng: random.Random) -> Channel:
        """Where they turn up next: people come back to the till more readily than they open a second account."""
        if person.guardian is not None:
            return BY_NAME["loyalty"]
        while True:
            channel = rng.choice(_LOT)
            if channel.open_to(person, day, used[channel.name]) and (not used[channel.name] or rng.random() < channel.again):
                return channel

    def _company(self, company: Company, rng: random.Random) -> Iterator[SimulatedRecord]:
        """A company stands in the ERP with its subsidiaries and contacts below it, and may stand in CRM and web shop too."""
        parent = self._business(company, company, rng)
        yield parent
        if rng.random() < 0.25:
            yield self._business(company, company, rng)
        if rng.random() < 0.4:
            visit = self._visit(company, company.contacts[0], "crm", rng)
            yield self._record("crm", online.crm_company(visit, company), company.truth, visit)
        for subsidiary in company.subsidiaries:
            if self._wanted(subsidiary.truth):
                yield self._business(subsidiary, company, rng, parent.key)
        for contact in company.contacts:
            if self._wanted(contact.truth):
                yield from self._contact(company, contact, parent.key, rng)

    def _business(self, company: Company, group: Company, rng: random.Random, group_key: str = "") -> SimulatedRecord:
        visit = self._visit(company, group.contacts[0], "erp", rng)
        payload = online.erp_company(visit, company, group if group_key else None, group_key)
        return self._record("erp", payload, company.truth, visit)

    def _contact(self, company: Company, contact: Person, parent: str, rng: random.Random) -> Iterator[SimulatedRecord]:
        visit = self._visit(company, contact, "erp", rng)
        yield self._record("erp", online.erp_contact(visit, company, parent), contact.truth, visit)
        if rng.random() < 0.3:
            visit = self._visit(company, contact, "webshop", rng)
            yield self._record("webshop", online.webshop_company(visit, company), contact.truth, visit)

    def _visit(self, company: Company, person: Person, channel: str, rng: random.Random) -> Visit:
        day = min(FIRST_DAY + datetime.timedelta(days=rng.randrange(DAYS)), person.died)
        return Visit(rng, self._profile, person, day, BY_NAME[channel].habit, company)

    def _record(self, source: str, payload: dict[str, Any], truth: str, visit: Visit) -> SimulatedRecord:
        number = self._numberings[source].number(self._written[source])
        self._written[source] += 1
        key = BY_NAME[source].key_format.format(number)
        if source in ("webshop", "erp"):
            payload = {"id": number, **payload}
        person, day = visit.person, visit.day
        is_company = truth != person.truth and visit.company is not None
        called = "" if is_company else f"{person.given} {person.surname.at(day)}"
        origin = "" if is_company else person.locale.code
        return SimulatedRecord(source, key, payload, truth, f"{day.isoformat()}T12:00:00Z", self._household, called, origin)


def _days(person: Person, rng: random.Random) -> list[datetime.date]:
    """The days on which a customer leaves records: from fourteen (a junior's: from birth) until the last day or their own."""
    youngest = 0 if person.guardian else YOUNGEST_YEARS * 366
    first = max(FIRST_DAY, person.born + datetime.timedelta(days=youngest))
    last = max(min(LAST_DAY, person.died), first + datetime.timedelta(days=1))
    count = len(person.cards) if person.guardian else rng.choice(_RECORDS_LOT)
    return sorted(first + datetime.timedelta(days=rng.randrange((last - first).days)) for _ in range(count))
