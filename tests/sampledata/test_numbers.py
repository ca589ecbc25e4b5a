"""Check digits against published examples of each scheme, and against independent validators."""

import datetime
import random

import pytest

from sampledata.numbers import COMPANY_NUMBERS, company_number, loyalty_number, luhn_digit, national_id, staff_number


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


def test_swedish_national_ids_hold_birth_date_and_sex() -> None:
    made = national_id(random.Random(1), "SE", datetime.date(1985, 3, 9), "male")
    assert made is not None
    assert made.startswith("19850309-")
    assert int(made[11]) % 2 == 1
    digits = [int(sign) for sign in made[2:].replace("-", "")]
    assert sum(sum(divmod(digit * (2 - place % 2), 10)) for place, digit in enumerate(digits)) % 10 == 0


def test_turkish_national_ids_pass_both_checks() -> None:
    for seed in range(100):
        made = national_id(random.Random(seed), "TR", datetime.date(1980, 1, 1), "female")
        assert made is not None
        digits = [int(sign) for sign in made]
        assert (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2]) - digits[9]) % 10 == 0
        assert (sum(digits[:10]) - digits[10]) % 10 == 0


def _sum(digits: str, weights: range | list[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


# Each scheme's own check, written as a validator's: the whole number must satisfy it.
VALID = {
    "GR": lambda number: _sum(number[2:10], [256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == int(number[10]),
    "PT": lambda number: (
        _sum(number, range(9, 0, -1)) % 11 == 0 or (number[8] == "0" and _sum(number[:8], range(9, 1, -1)) % 11 == 1)
    ),
    "IE": lambda number: ord(number[9]) - 64 == (_sum(number[2:9], range(8, 1, -1)) % 23 or ord("W") - 64),
    "JP": lambda number: int(number[1]) == 9 - _sum(number[:1:-1], [1, 2] * 6) % 9,
    "FR": lambda number: int(number[4:] + "12") % 97 == int(number[2:4]),
}


@pytest.mark.parametrize("country", sorted(VALID))
def test_company_numbers_pass_the_check_of_their_country(country: str) -> None:
    for seed in range(100):
        assert VALID[country](company_number(random.Random(seed), country))


def test_a_staff_card_is_told_by_its_first_digits_only() -> None:
    made = staff_number(random.Random(3))
    assert made.startswith("75")
    assert luhn_digit([int(sign) for sign in made[:-1]]) == int(made[-1])
