"""Slips change one small thing, and never empty a text."""

import random

import pytest

from sampledata.slips import digits, ear, fold, keyboard, scanner, wrong_date

NAMES = ("Anna", "Müller", "María José", "Li", "", "O", "Wiśniewska", "Jean-Pierre")


@pytest.mark.parametrize("slip", [keyboard, scanner, ear])
@pytest.mark.parametrize("name", NAMES)
def test_a_slip_is_small(slip: type, name: str) -> None:
    for seed in range(200):
        made = slip(random.Random(seed), name)
        assert abs(len(made) - len(name)) <= 2
        assert bool(made) == bool(name)
        assert made[:1] == name[:1]


def test_slips_differ_by_kind() -> None:
    assert {scanner(random.Random(seed), "Wilson") for seed in range(50)} != {
        ear(random.Random(seed), "Wilson") for seed in range(50)
    }


def test_one_digit_goes_wrong() -> None:
    for seed in range(100):
        made = digits(random.Random(seed), "+34 600 111 222")
        assert len(made) == len("+34 600 111 222")
        assert sum(a != b for a, b in zip(made, "+34 600 111 222", strict=True)) <= 2


def test_folding_drops_accents_only() -> None:
    assert fold("Łukasz Müller-Núñez ß") == "Lukasz Muller-Nunez ss"


def test_wrong_dates_have_a_month_and_a_day() -> None:
    for seed in range(300):
        year, month, day = wrong_date(random.Random(seed), 1980, 5, 31)
        assert 1 <= month <= 12
        assert 1 <= day <= 31
        assert 1970 <= year <= 1990
