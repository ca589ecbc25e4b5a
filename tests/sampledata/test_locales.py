"""The countries' tables: numbers that could be dialled, names of both sexes, and frequencies that fall by rank."""

import random

import phonenumbers
import pytest

from sampledata.lives import make_landline, make_mobile
from sampledata.locales import Locale, locales
from sampledata.visits import write_phone

EVERY = pytest.mark.parametrize("locale", locales(), ids=lambda one: one.code)
DRAWS = 200


def _valid(locale: Locale, numbers: list[str]) -> float:
    """The share of national numbers that the country's numbering plan knows."""
    read = [phonenumbers.parse(f"+{locale.calling_code}{number}") for number in numbers]
    return sum(phonenumbers.is_valid_number_for_region(one, locale.country) for one in read) / len(read)


@EVERY
def test_mobile_numbers_are_of_the_country(locale: Locale) -> None:
    rng = random.Random(1)
    assert _valid(locale, [make_mobile(rng, locale, locale.city(rng)) for _ in range(DRAWS)]) > 0.8


@EVERY
def test_fixed_lines_are_of_the_country(locale: Locale) -> None:
    rng = random.Random(1)
    assert _valid(locale, [make_landline(rng, locale, locale.city(rng)) for _ in range(DRAWS)]) > 0.8


@EVERY
def test_every_way_of_writing_a_number_is_read_back(locale: Locale) -> None:
    """Of the numbers that are valid: what somebody in the country writes is the number that was meant."""
    rng = random.Random(2)
    for shape in locale.phone_formats:
        number = make_mobile(rng, locale, locale.city(rng))
        read = phonenumbers.parse(write_phone(locale, number, shape), locale.country)
        assert phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164) == f"+{locale.calling_code}{number}", shape


@EVERY
def test_names_fall_by_rank_and_stand_once(locale: Locale) -> None:
    rng = random.Random(3)
    for table in (*locale.given.values(), locale.surnames, locale.streets):
        assert len(set(table.items)) == len(table.items) >= 25
        drawn = [table.draw(rng) for _ in range(4000)]
        head = set(table.items[: len(table.items) // 4])
        assert sum(name in head for name in drawn) / len(drawn) > 0.3


GENDERED = [
    ("pl_PL", "Kowalski", "Kowalska"), ("pl_PL", "Nowak", "Nowak"), ("el_GR", "Παπαδόπουλος", "Παπαδοπούλου"),
    ("el_GR", "Μαυρίδης", "Μαυρίδου"), ("el_GR", "Παπαδάκης", "Παπαδάκη"), ("el_GR", "Σαμαράς", "Σαμαρά"),
    ("el_GR", "Γεωργίου", "Γεωργίου"), ("uk_UA", "Вишневський", "Вишневська"), ("uk_UA", "Шевченко", "Шевченко"),
    ("sv_SE", "Lindberg", "Lindberg"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "his", "hers"), GENDERED)
def test_a_woman_bears_the_form_of_her_country(code: str, his: str, hers: str) -> None:
    locale = next(one for one in locales() if one.code == code)
    assert locale.feminine(his) == hers


@pytest.mark.parametrize(("code", "his", "hers"), [row for row in GENDERED if row[1] != row[2]])
def test_her_son_bears_the_other(code: str, his: str, hers: str) -> None:
    locale = next(one for one in locales() if one.code == code)
    assert locale.masculine(hers) == his
