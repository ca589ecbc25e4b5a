"""Where customers live: names, streets, cities, phones and mail domains of one country each, with Zipf-like frequencies.

Reads the tables in `locales/*.yaml`. Uniform names would make matching look easy, so every draw goes by rank.
"""

import functools
import itertools
import random
import string
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from sampledata.scripts import Readings, latin

# Zipf-Mandelbrot: the frequency of rank r falls as 1 / (r + flatness). Chosen so that the first surname of 740 has 1.6 % of the
# people and the first given name of 260 about 3 %, which is near what census offices publish.
SURNAME_FLATNESS = 15
GIVEN_FLATNESS = 10
STREET_FLATNESS = 6
MAIL_FLATNESS = 1


class Table:
    """Texts in order of frequency, drawn by rank."""

    __slots__ = ("_bounds", "items")

    def __init__(self, items: Sequence[str], flatness: float = 0, weights: Sequence[float] | None = None) -> None:
        self.items = tuple(items)
        shares = weights or [1 / (rank + 1 + flatness) for rank in range(len(self.items))]
        self._bounds = tuple(itertools.accumulate(shares))

    def draw(self, rng: random.Random) -> str:
        """Draw one text."""
        return self.items[min(bisect(self._bounds, rng.random() * self._bounds[-1]), len(self.items) - 1)]


@dataclass(frozen=True, slots=True)
class City:
    """A city, with the pattern of its postal codes and its area code."""

    name: str
    postal_pattern: str
    region: str
    area_code: str


@dataclass(frozen=True, slots=True, eq=False)
class Locale:
    """What the people of one country are called and where they live."""

    code: str
    country: str
    language: str
    weight: float
    calling_code: str
    trunk: str
    surname_style: str
    takes_spouse_surname: float
    middle_name: float
    number_first: bool
    given: dict[str, Table]
    surnames: Table
    streets: Table
    street_named: str
    abbreviations: tuple[tuple[str, str], ...]
    units: tuple[str, ...]
    cities: tuple[City, ...]
    city_table: Table
    mobiles: tuple[str, ...]
    landline: str
    landline_digits: int
    phone_formats: tuple[str, ...]
    mail_domains: Table
    legal_forms: tuple[str, ...]
    company_words: tuple[str, ...]
    trades: tuple[str, ...]
    nicknames: dict[str, tuple[str, ...]]
    feminine_endings: tuple[tuple[str, str], ...]
    readings: Readings
    family_first: bool
    own_script: bool

    def latin(self, text: str) -> str:
        """Write a text in Latin letters; accents stay."""
        return latin(self.readings.latin(text)) if self.own_script else text

    def feminine(self, surname: str) -> str:
        """The form that a woman bears: Kowalski, Kowalska."""
        return _ending(surname, self.feminine_endings)

    def masculine(self, surname: str) -> str:
        """The form that a man bears."""
        return _ending(surname, tuple((woman, man) for man, woman in self.feminine_endings))

    def city(self, rng: random.Random) -> City:
        """Draw a city by its weight."""
        return self.cities[int(self.city_table.draw(rng))]


def _ending(surname: str, forms: tuple[tuple[str, str], ...]) -> str:
    return next((surname.removesuffix(ending) + form for ending, form in forms if surname.endswith(ending)), surname)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _cities(lines: list[str]) -> tuple[tuple[City, ...], Table]:
    rows = [line.split("|") for line in lines]
    cities = tuple(City(name, postal, region, area) for name, postal, region, area, _ in rows)
    return cities, Table([str(index) for index in range(len(rows))], weights=[float(row[4]) for row in rows])


def _locale(data: dict[str, Any]) -> Locale:
    cities, city_table = _cities(data["cities"])
    plain = {name: data[name] for name in PLAIN}
    return Locale(
        **plain,
        given={
            "female": Table(_items(data["given_female"]), GIVEN_FLATNESS),
            "male": Table(_items(data["given_male"]), GIVEN_FLATNESS),
        },
        surnames=Table(_items(data["surnames"]), SURNAME_FLATNESS),
        streets=Table(_items(data["streets"]), STREET_FLATNESS),
        abbreviations=tuple(data["abbreviations"].items()),
        units=tuple(data["units"]),
        cities=cities,
        city_table=city_table,
        mobiles=tuple(data["mobile"]),
        phone_formats=tuple(data["phone_formats"]),
        mail_domains=Table(data["mail_domains"], MAIL_FLATNESS),
        legal_forms=tuple(data["legal_forms"]),
        company_words=tuple(_items(data["company_words"])),
        trades=tuple(_items(data["trades"])),
        nicknames={name: tuple(nicks) for name, nicks in data["nicknames"].items()},
        feminine_endings=tuple(data.get("feminine", {}).items()),
        readings=Readings(data.get("latin", {})),
        family_first=data.get("family_first", False),
        own_script=data["language"] in OWN_SCRIPTS,
    )


# Languages written in other letters than Latin ones.
OWN_SCRIPTS = frozenset({"el", "uk", "ja"})
PLAIN = (
    "code", "country", "language", "weight", "calling_code", "trunk", "surname_style", "takes_spouse_surname", "middle_name",
    "number_first", "street_named", "landline", "landline_digits",
)  # fmt: skip


@functools.cache
def locales() -> tuple[Locale, ...]:
    """All locales, in order of their code."""
    folder = resources.files("sampledata").joinpath("locales")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return tuple(_locale(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files)


@functools.cache
def _locale_table() -> Table:
    return Table([str(index) for index in range(len(locales()))], weights=[locale.weight for locale in locales()])


def draw_locale(rng: random.Random) -> Locale:
    """Draw the locale of a household by the retailer's share of customers in it."""
    return locales()[int(_locale_table().draw(rng))]


def fill(pattern: str, rng: random.Random) -> str:
    """Fill a pattern: `#` is a digit, `@` a capital letter (without the ones postal codes avoid), [a-z] one of a set."""
    made: list[str] = []
    rest = iter(pattern)
    for sign in rest:
        if sign == "#":
            made.append(rng.choice(string.digits))
        elif sign == "@":
            made.append(rng.choice("ABDEFGHJLNPRSTUWXYZ"))
        elif sign == "[":
            made.append(rng.choice(_set("".join(itertools.takewhile(lambda one: one != "]", rest)))))
        else:
            made.append(sign)
    return "".join(made)


@functools.cache
def _set(text: str) -> str:
    """Expand `2-9` or `137` to the digits it stands for."""
    low, dash, high = text.partition("-")
    return string.digits[int(low) : int(high) + 1] if dash else text
