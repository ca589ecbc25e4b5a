"""Forms and a model for tests: a small seeded world of people that resemble each other, with gaps and hostile values."""

import dataclasses
import random

from matching.comparisons import comparison_form
from matching.forms import ComparisonForm
from matching.model import Frequencies, Model, Parameter, comparisons_by_name, default_model, term_hash
from matching.record import Address, BirthDate, Email, Extra, Identifier, LoyaltyAccount, Name, PartyKind, Phone, StandardRecord

GIVEN = (
    "john",
    "jon",
    "joan",
    "mary",
    "mary ann",
    "maria",
    "mario",
    "catherine",
    "kathryn",
    "j",
    "o",
    "smith",
    "li",
    "x" * 400,
    "d'arcy",
)
SURNAMES = (
    "smith",
    "smyth",
    "john",
    "garcia lopez",
    "lopez",
    "garcia",
    "oneill",
    "o neill",
    "li",
    "ng",
    "zz",
    "y" * 900,
    "-",
    "'",
)
NATIVE = ("Нет", "田中", "é", "ﬀ", "🙂", "\u0130", "a\u0301")
UNREAD = (
    ("محمد", "mhmd", "القحطاني", "lqhtny"),
    ("دוד", "dvd", "כהן", "khhn"),
    ("יצחק", "ytshk", "סמית", "smyt"),
    ("翔", "xiang", "李", "li"),
    ("준", "jun", "이", "i"),
    ("دينا", "dyna", "سميث", "smyth"),
)
STREETS = ("main st", "maine st", "high st", "st", "n", "long" * 100)
# Years 2 and 10 apart are the lines of near years and of generations, 99 and 90 of 100 those of numbers.
DATES = (
    "1980-02-03",
    "1980-03-02",
    "1980-02-13",
    "1981-02-03",
    "1980-01-01",
    "1950-07-30",
    "1980-12-12",
    "1985-02-30",
    "1980-02-28",
    "1982-07-19",
    "1990-11-24",
)
EXTRA_VALUES = (
    "12", "12.5", "nan", "12.05", "13", "999", "90", "99", "100", "Teal", "teel", "1980-02-03", "1980-02-04", "é",
)  # fmt: skip
EXTRAS = (("colour", "text"), ('a "quoted" name', "number"), ("shade", "category"))


def model_with_extras() -> Model:
    """Make the model that ships, with two users' attributes and frequencies for a few values."""
    shipped, salt = default_model(), "salt"
    extras = [one for one in comparisons_by_name(EXTRAS).values() if one.extra]
    guesses = [tuple(Parameter(0.5 / 2**step, 0.01 * 2**step) for step in range(len(one.levels))) for one in extras]
    shares = {
        "given": {"john": 0.031, "mary": 0.0217},
        "surname": {"smith": 0.0113},
        "birth": {"1980-01-01": 0.07},
        "company": {},
        "extra2": {"teal": 0.051, "999": 0.11},
    }
    frequencies = {
        column: Frequencies(0.00037, {term_hash(salt, column, value): share for value, share in known.items()})
        for column, known in shares.items()
    }
    return dataclasses.replace(
        shipped,
        comparisons=(*shipped.comparisons, *extras),
        parameters=(*shipped.parameters, *guesses),
        extras=EXTRAS,
        frequencies=frequencies,
        salt=salt,
        fingerprint="",
    )


def person(seed: int) -> ComparisonForm:
    """Make the form of one person of the small world."""
    return comparison_form(record(random.Random(seed)))


def record(chance: random.Random) -> StandardRecord:
    """Make one standard record; every attribute may be missing, and some hold what no source should send."""

    def maybe(share: float = 0.75) -> bool:
        return chance.random() < share

    return StandardRecord(
        party=chance.choice((PartyKind.PERSON, PartyKind.PERSON, PartyKind.UNKNOWN, PartyKind.COMPANY)),
        name=_name(chance) if maybe(0.95) else None,
        company_key=chance.choice(("acme", "acme tools", "acmee", "bolt", "é")) if maybe(0.2) else None,
        birth_date=_birth(chance) if maybe() else None,
        gender=chance.choice(("female", "male")) if maybe(0.5) else None,
        emails=tuple(_email(chance) for _ in range(chance.randrange(3))),
        phones=tuple(
            Phone("x", key=f"+1415555{chance.randrange(40):04}", echo=not maybe(0.95)) for _ in range(chance.randrange(3))
        ),
        addresses=tuple(_address(chance) for _ in range(chance.randrange(3))),
        identifiers=tuple(
            Identifier(chance.choice(("passport", "national_id")), "", "v", key=chance.choice(("123456", "123465", "99", None)))
            for _ in range(chance.randrange(3))
        ),
        loyalty_accounts=(LoyaltyAccount("main", "1", key=str(700 + chance.randrange(20))),) if maybe(0.3) else (),
        extras=tuple(
            Extra(
                name,
                "text",
                chance.choice(EXTRA_VALUES),
                match=True,
            )
            for name, _ in EXTRAS
            if maybe(0.5)
        ),
    )


def _name(chance: random.Random) -> Name:
    given, surname = chance.choice((*GIVEN, None)), chance.choice((*SURNAMES, None))
    if chance.random() < 0.1:
        given = chance.choice(NATIVE)
    written: dict[str, str] = {}
    if chance.random() < 0.15:
        one, given, other, surname = chance.choice(UNREAD)
        written = {"given": one, "surname": other, "native": f"{one} {other}"}
    return Name(
        **written,
        given_folded=given,
        surname_folded=surname,
        middle_folded=chance.choice((None, None, "ann", "a", "joan", "anne")),
        maiden_folded=chance.choice((None, None, None, "smith", "lopez")),
        nicknames=chance.choice(((), ("john", "jack"), ("mary",))),
        given_phonetic=given[:2].upper() if given and given.isascii() else None,
        surname_phonetic=surname[:2].upper() if surname else None,
        identifying=chance.random() < 0.95,
    )


def _birth(chance: random.Random) -> BirthDate:
    text = chance.choice(DATES)
    year, month, day = (int(part) for part in text.split("-"))
    match chance.randrange(6):
        case 0:
            return BirthDate(text[:4], year)
        case 1:
            return BirthDate(text[:7], year, month)
        case 2:
            return BirthDate(text[:4], year, written=text)
        case 3:
            return BirthDate(text, year, month, day, alternative="1980-02-03")
        case 4:
            return BirthDate(text, year, month, day, identifying=False)
    return BirthDate(text, year, month, day)


def _email(chance: random.Random) -> Email:
    local = chance.choice(("john.smith", "jon.smith", "johnsmith", "mary", "info", "é.smith", "a", "john.smith1"))
    key = f"{local}@{chance.choice(('a.com', 'b.org', 'a.con'))}"
    return Email(key, key=chance.choice((key, key, key, None)), echo=chance.random() < 0.05)


def _address(chance: random.Random) -> Address:
    return Address(
        house_number=chance.choice(("1", "2", "12", None)),
        unit=chance.choice((None, None, "a", "4")),
        street_key=chance.choice((*STREETS, None)),
        place_key=chance.choice((None, None, "rose cottage")),
        city_key=chance.choice(("springfield", "springfeld", "leeds", "京都", None)),
        postal_key=chance.choice(("12345", "12354", "90210", "AB1", None)),
        shared=chance.random() < 0.05,
        echo=chance.random() < 0.05,
    )
