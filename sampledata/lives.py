"""A person, a company and what becomes of them over ten years: values with the day from which they hold.

Owns the makers of addresses, phone numbers and e-mail addresses, and the little that households share across the whole world.
"""

import datetime
import random
import re
import zlib
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sampledata.locales import City, Locale, fill
from sampledata.slips import fold

T = TypeVar("T")
FIRST_DAY = datetime.date(2016, 1, 1)
LAST_DAY = datetime.date(2025, 12, 31)
DAYS = (LAST_DAY - FIRST_DAY).days
BORN_WITH = datetime.date.min
HANDLE_WORDS = (
    "blue", "star", "happy", "gamer", "sunny", "moon", "wolf", "tiger", "rider", "coffee", "luna", "dragon", "pixel", "ocean",
    "green", "lucky", "foxy", "music", "runner", "angel", "cat", "dog", "rock", "soccer", "magic", "night", "silver", "chef",
    "nomad", "zen",
)  # fmt: skip
RECYCLED_KEPT = 500
STAFF_KEPT = 40
MAIL_BITS = 1 << 25


class World:
    """What outlives a household: addresses already taken, and phone numbers given back that the operator hands out again.

    Bounded: a bitmap of 4 MiB (a false hit only costs a digit in an address), the last 500 numbers and devices given up, and the
    staff cards of the last 40 employees of a country.
    """

    def __init__(self) -> None:
        self._taken = bytearray(MAIL_BITS // 8)
        self._released: dict[str, deque[str]] = {}
        self._staff: dict[str, deque[str]] = {}

    def claim(self, address: str) -> bool:
        """Take an address; False when somebody (perhaps) has it already."""
        spot = zlib.crc32(address.encode()) % MAIL_BITS
        byte, mask = spot >> 3, 1 << (spot & 7)
        if self._taken[byte] & mask:
            return False
        self._taken[byte] |= mask
        return True

    def release(self, kind: str, number: str) -> None:
        """Give a phone number back to the operator of its country, or a device to whoever buys used ones."""
        self._released.setdefault(kind, deque(maxlen=RECYCLED_KEPT)).append(number)

    def hire(self, country: str, card: str) -> None:
        """An employee begins to sit at the till, with a card of their own at hand."""
        self._staff.setdefault(country, deque(maxlen=STAFF_KEPT)).append(card)

    def cashiers_card(self, rng: random.Random, country: str) -> str:
        """The card of whoever sits at the till where somebody shops; empty while there is none."""
        staff = self._staff.get(country)
        return rng.choice(staff) if staff else ""

    def recycled(self, rng: random.Random, kind: str) -> str | None:
        """A number or device that somebody else had before, when there is one."""
        released = self._released.get(kind)
        if not released:
            return None
        spot = rng.randrange(len(released))
        number = released[spot]
        del released[spot]
        return number


class History(Generic[T]):
    """A value over time: what held on a day."""

    __slots__ = ("days", "values")

    def __init__(self, value: T) -> None:
        self.days = [BORN_WITH]
        self.values = [value]

    def change(self, day: datetime.date, value: T) -> None:
        """From `day` on it is `value`."""
        spot = bisect_right(self.days, day)
        self.days.insert(spot, day)
        self.values.insert(spot, value)

    def at(self, day: datetime.date) -> T:
        """The value that held on `day`."""
        return self.values[bisect_right(self.days, day) - 1]

    def copy(self, until: datetime.date | None = None) -> "History[T]":
        """The same history, or only what came before a day."""
        made = History(self.values[0])
        kept = [(day, value) for day, value in zip(self.days, self.values, strict=True) if until is None or day < until]
        if kept:
            made.days, made.values = [day for day, _ in kept], [value for _, value in kept]
        return made

    def before(self, day: datetime.date) -> T | None:
        """The value that held before the one of `day`, if any."""
        spot = bisect_right(self.days, day) - 2
        return self.values[spot] if spot >= 0 else None


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody lives, in the terms of the country."""

    street: str
    number: str
    unit: str
    postal_code: str
    city: City
    country: str


@dataclass(slots=True)
class Person:
    """A customer, with everything that changes kept as a history."""

    truth: str
    locale: Locale
    sex: str
    born: datetime.date
    given: str
    middle: str
    surname: History[str]
    address: History[Address]
    mobile: History[str]
    email: History[str]
    second_email: str = ""
    work_email: str = ""
    landline: str = ""
    family_email: str = ""
    national_id: str | None = None
    cards: list[str] = field(default_factory=list)
    staff_card: str = ""
    cashiers_card: str = ""
    device: History[str] = field(default_factory=lambda: History(""))
    wants_mail: History[bool] = field(default_factory=lambda: History(False))
    died: datetime.date = datetime.date.max
    guardian: "Person | None" = None
    housemates: "list[Person]" = field(default_factory=list)

    @property
    def maiden_name(self) -> str:
        """The surname at birth."""
        return self.surname.values[0]


@dataclass(slots=True)
class Company:
    """A business customer and the people who order for it."""

    truth: str
    locale: Locale
    name: str
    legal_form: str
    tax_number: str
    address: History[Address]
    phone: str
    email: str
    domain: str
    contacts: list[Person] = field(default_factory=list)
    subsidiaries: "list[Company]" = field(default_factory=list)


def some_day(rng: random.Random, first: datetime.date = FIRST_DAY) -> datetime.date:
    """A day between `first` and the end of the simulation."""
    return first + datetime.timedelta(days=rng.randrange(max((LAST_DAY - first).days, 1)))


def make_address(rng: random.Random, locale: Locale, city: City | None = None) -> Address:
    """Somewhere to live, in a given city or any."""
    home = city or locale.city(rng)
    named = rng.random() < 0.45
    street = locale.street_named.replace("{name}", locale.surnames.draw(rng).split()[-1]) if named else locale.streets.draw(rng)
    number = str(int(rng.paretovariate(0.7)) * (rng.randint(1, 9) if locale.country == "US" else 1) + rng.randrange(60))
    if locale.country == "JP":  # Block, lot and house instead of a street's numbers.
        number = f"{rng.randint(1, 6)}-{rng.randint(1, 30)}-{rng.randint(1, 20)}"
    unit = ""
    if locale.units and rng.random() < 0.4:
        unit = rng.choice(locale.units).replace("{n}", str(rng.randint(1, 9))).replace("{l}", rng.choice("ABCD"))
        unit = unit.replace("{d}", str(rng.randint(1, 4)))
    return Address(
        street, number if locale.country == "JP" else number[:4], unit, fill(home.postal_pattern, rng), home, locale.country
    )


def make_mobile(rng: random.Random, locale: Locale, city: City) -> str:
    """National digits of a mobile number."""
    return fill(rng.choice(locale.mobiles).replace("{area}", city.area_code), rng)


def make_landline(rng: random.Random, locale: Locale, city: City) -> str:
    """National digits of a fixed line."""
    head = fill(locale.landline.replace("{area}", city.area_code), rng)
    return head + "".join(str(rng.randrange(10)) for _ in range(locale.landline_digits - len(head)))


def plain(locale: Locale, text: str) -> str:
    """A name as it stands in an e-mail address."""
    return re.sub(r"[^a-z0-9]", "", fold(locale.latin(text)).lower())


MAIL_SHAPES = (
    (24, "{given}.{surname}"), (14, "{given}{surname}"), (10, "{initial}{surname}"), (7, "{given}_{surname}"),
    (7, "{surname}.{given}"),
    (10, "{given}.{surname}{year}"), (9, "{given}{year}"), (6, "{initial}.{surname}{digits}"), (6, "{nickname}{digits}"),
    (7, "{word}{word2}{digits}"),
)  # fmt: skip
_SHAPES = tuple(shape for weight, shape in MAIL_SHAPES for _ in range(weight))


def make_email(rng: random.Random, world: World, locale: Locale, given: str, surname: str, year: int, domain: str = "") -> str:
    """An address that nobody else has; common names need digits, as in life."""
    first = plain(locale, given.split(maxsplit=1)[0])
    nickname = plain(locale, rng.choice(locale.nicknames.get(given, (given,))))
    family = plain(locale, surname.split(maxsplit=1)[0] if locale.surname_style in ("double",) else surname)
    for attempt in range(20):
        shape = rng.choice(_SHAPES) if not domain else "{given}.{surname}"
        local = shape.format(
            given=first, surname=family, initial=first[:1], year=year % 100 if rng.random() < 0.7 else year, nickname=nickname,
            word=rng.choice(HANDLE_WORDS), word2=rng.choice(HANDLE_WORDS), digits=rng.randrange(1, 1000),
        )  # fmt: skip
        if attempt > 1:
            local += str(rng.randrange(10 ** min(attempt, 6)))
        address = f"{local}@{domain or locale.mail_domains.draw(rng)}"
        if world.claim(address):
            return address
    return address
