"""Check digits against published examples of each scheme, and against independent validators."""

import datetime
import random

import pytest

from sampledata.numbers import COMPANY_NUMBERS, company_number, loyalty_number, luhn_digit, national_id


def test_luhn_digit_of_the_textbook_number() -> None:
    assert luhn_digit([7, 9, 9, 2, 7, 3, 9, 8, 7, 1]) == 3


@pytest.mark.parametrize("country", sorted(COMPANY_NUMBERS))
def test_company_numbers_are_repeatable(country: str) -> None:
    made = [company_number(random.Random(seed), country) for seed in range(50)]
    assert made == [company_number(random.Random(seed), country) for seed in range(50)]
    assert len(set(made)) > 45


def test_german_numbers_pass_mod_11_10() -> None:
    for seed in range(100):
        product = 10
        for digit in map(int, company_number(random.Random(seed), "DE")[2:10]):
            product = (2 * ((digit + product) % 10 or 10)) % 11
        assert (product + int(company_number(random.Random(seed), "DE")[10])) % 10 == 1


def test_spanish_national_ids_end_in_their_letter() -> None:
    made = national_id(random.Random(1), "ES", datetime.date(1980, 1, 1), "female")
    assert made is not None
    assert made[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(made[:-1]) % 23]


def test_polish_national_ids_hold_birth_date_and_sex() -> None:
    made = national_id(random.Random(1), "PL", datetime.date(2001, 5, 9), "female")
    assert made is not None
    assert made.startswith("012509")
    assert int(made[9]) % 2 == 0
    assert sum(int(digit) * weight for digit, weight in zip(made, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True)) % 10 == 0


def test_countries_without_ids_on_invoices_have_none() -> None:
    assert national_id(random.Random(1), "DE", datetime.date(1980, 1, 1), "male") is None


def test_loyalty_numbers_are_too_short_for_payment_cards() -> None:
    assert {len(loyalty_number(random.Random(seed))) for seed in range(50)} == {11}
