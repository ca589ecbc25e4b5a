"""What grounds look at of a pair: the levels by name, and which of them say less there than they weigh.

A level is a step of likeness. Whether it is a contact of the two is said here: an office with extensions and a hamlet without
house numbers are reached or lived in by many. Pure.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from matching.comparisons import (
    ADDRESS,
    BIRTH_DATE,
    COMPANY,
    EMAIL,
    GIVEN,
    IDENTIFIER,
    MIDDLE,
    NULL_LEVEL,
    PHONE,
    SURNAME,
    Comparison,
    Levels,
)
from matching.forms import ComparisonForm
from matching.model import Model


def _numbers(comparison: Comparison, *names: str) -> frozenset[int]:
    return frozenset(comparison.number(name) for name in names)


SAME_GIVEN = _numbers(GIVEN, "swapped", "exact", "nickname", "close", "part")
SWAPPED_NAME, EXACT_GIVEN = GIVEN.number("swapped"), GIVEN.number("exact")
# Whole: one name, perhaps by another form or a slip of the pen; one: letter for letter.
ONE_GIVEN, ONE_SURNAME = _numbers(GIVEN, "swapped", "exact"), _numbers(SURNAME, "exact")
WHOLE_GIVEN, WHOLE_SURNAME = _numbers(GIVEN, "exact", "nickname", "close"), _numbers(SURNAME, "exact", "close")
LOOKALIKE_GIVEN = _numbers(GIVEN, "close", "sounds_alike")
NICKNAME, INITIAL, OTHER_GIVEN = (GIVEN.number(name) for name in ("nickname", "initial", "different"))
LOOKALIKE_SURNAME = _numbers(SURNAME, "close", "sounds_alike")
PART_OF_SURNAME, OTHER_SURNAME = SURNAME.number("part"), SURNAME.number("different")
OTHER_MIDDLE = MIDDLE.number("different")
SAME_BIRTH = _numbers(BIRTH_DATE, "exact", "other_reading", "one_digit")
OTHER_BIRTH = BIRTH_DATE.number("different")
OWN_EMAIL = EMAIL.number("own")
SAME_EMAIL = _numbers(EMAIL, "own", "exact")
SAME_IDENTIFIER, OTHER_IDENTIFIER = IDENTIFIER.number("same"), IDENTIFIER.number("different")
SAME_COMPANY = _numbers(COMPANY, "exact", "close")
SAME_PHONE = PHONE.number("exact")
OTHER_EMAIL, OTHER_PHONE = EMAIL.number("different"), PHONE.number("different")
# What is reached or lived in by few: a typing error apart is near enough, but not in an e-mail address, made of names as it is:
# luke.jones@ and lukejones@ are two men's. A postal code or a city is an area.
PHONE_CONTACT = _numbers(PHONE, "exact", "one_digit")
ADDRESS_CONTACT = _numbers(ADDRESS, "same_home", "same_building", "same_house", "same_street")
IDENTIFIER_CONTACT = _numbers(IDENTIFIER, "same", "one_sign")
SAME_STREET, SAME_POSTAL, SAME_CITY = (ADDRESS.number(name) for name in ("same_street", "same_postal_code", "same_city"))
AREA = frozenset({SAME_POSTAL, SAME_CITY})
LOOKED_AT = (GIVEN, SURNAME, MIDDLE, BIRTH_DATE, EMAIL, PHONE, ADDRESS, IDENTIFIER, COMPANY)


__all__ = [
    "ADDRESS_CONTACT", "AREA", "EXACT_GIVEN", "IDENTIFIER_CONTACT", "INITIAL", "LOOKALIKE_GIVEN", "LOOKALIKE_SURNAME",
    "NICKNAME", "NULL_LEVEL", "ONE_GIVEN", "ONE_SURNAME", "OTHER_BIRTH", "OTHER_EMAIL", "OTHER_GIVEN",
    "OTHER_IDENTIFIER", "OTHER_MIDDLE", "OTHER_PHONE", "OTHER_SURNAME", "OWN_EMAIL", "PART_OF_SURNAME",
    "PHONE_CONTACT", "SAME_BIRTH", "SAME_CITY", "SAME_COMPANY", "SAME_EMAIL", "SAME_GIVEN", "SAME_IDENTIFIER",
    "SAME_PHONE", "SAME_POSTAL", "SWAPPED_NAME", "WHOLE_GIVEN", "WHOLE_SURNAME", "Seen", "seen",
]  # fmt: skip


class Seen(NamedTuple):
    """The levels of a pair that grounds look at, in the order of LOOKED_AT; -1 (no evidence) for what a model lacks."""

    given: int
    surname: int
    middle: int
    birth: int
    email: int
    phone: int
    address: int
    identifier: int
    company: int


@lru_cache(maxsize=8)
def _picker(model: Model) -> Callable[[Levels], tuple[int, ...]]:
    """Make what picks the levels looked at from those of a model; picking by places took as long as half a verdict."""
    names = [comparison.name for comparison in model.comparisons]
    lacked = len(names)
    pick = itemgetter(*(names.index(one.name) if one.name in names else lacked for one in LOOKED_AT))
    return pick if all(one.name in names for one in LOOKED_AT) else lambda levels: pick((*levels, NULL_LEVEL))


def seen(model: Model, a: ComparisonForm, b: ComparisonForm, levels: Levels) -> Seen:
    """Pick the levels that grounds look at from those of a scored pair, each as what it says of one person. Symmetric."""
    of = Seen._make(_picker(model)(levels))
    if of.phone == SAME_PHONE and (a.phone_lines or b.phone_lines) and not _one_line(a, b):
        of = of._replace(phone=OTHER_PHONE if a.phone_lines and b.phone_lines else NULL_LEVEL)
    if of.address == SAME_STREET and of.birth not in SAME_BIRTH and not _one_row_of_houses(a, b):
        of = of._replace(address=SAME_POSTAL if _meet(a.postals, b.postals) else SAME_CITY)
    return of


def _meet(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> bool:
    return one is not None and other is not None and not set(one).isdisjoint(other)


def _one_line(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Whether some shared number has one extension, or none on both sides: a switchboard is everybody's who works there."""
    mine, theirs = (_extensions(form) for form in (a, b))
    return any(mine.get(key) == theirs.get(key) for key in set(a.phones or ()) & set(b.phones or ()))


def _extensions(form: ComparisonForm) -> dict[str, str]:
    return {key: extension for key, _, extension in (line.partition("|") for line in form.phone_lines or ())}


def _one_row_of_houses(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Whether a street is a place where few live: both tell the house (a slip may part the two), or a postal code with letters,
    that of a dozen doors, is theirs. A townland, a hamlet and a High Street without a number are areas, where the name alone says
    who."""
    if a.house_postals is not None and b.house_postals is not None:
        return True
    return any(any(map(str.isalpha, code)) for code in set(a.postals or ()) & set(b.postals or ()))
