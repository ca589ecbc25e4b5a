"""Numbers that states and shops give out, with their real check digits: company tax numbers, national ids, loyalty cards.

Random by the generator passed in; none belongs to anybody on purpose.
Source: the published check-digit rules of each scheme (BOE for NIF, Receita Federal for CPF and CNPJ, BZSt for USt-IdNr).
"""

import datetime
import random
from collections.abc import Sequence


def _digits(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(10) for _ in range(count)]


def _join(digits: Sequence[int]) -> str:
    return "".join(map(str, digits))


def _weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True))


def luhn_digit(digits: Sequence[int]) -> int:
    """The digit that makes a number pass the Luhn check."""
    total = sum(sum(divmod(digit * 2, 10)) if index % 2 == 0 else digit for index, digit in enumerate(reversed(digits)))
    return -total % 10


def _spanish_company(rng: random.Random) -> str:
    body = _digits(rng, 7)
    return f"{rng.choice('AB')}{_join(body)}{luhn_digit(body)}"


def _german_company(rng: random.Random) -> str:
    """ISO 7064, MOD 11,10."""
    body = [rng.randint(1, 9), *_digits(rng, 7)]
    product = 10
    for digit in body:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return f"DE{_join(body)}{(11 - product) % 10}"


def _french_company(rng: random.Random) -> str:
    body = _digits(rng, 8)
    siren = _join([*body, luhn_digit(body)])
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _italian_company(rng: random.Random) -> str:
    body = [*_digits(rng, 7), 0, rng.randint(1, 9), rng.randrange(10)]
    return f"IT{_join(body)}{luhn_digit(body)}"


def _british_company(rng: random.Random) -> str:
    body = [rng.randint(1, 9), *_digits(rng, 6)]
    return f"GB{_join(body)}{97 - _weighted(body, range(8, 1, -1)) % 97:02d}"


def _dutch_company(rng: random.Random) -> str:
    while True:
        body = [rng.randint(1, 9), *_digits(rng, 7)]
        check = _weighted(body, range(9, 1, -1)) % 11
        if check < 10:
            return f"NL{_join(body)}{check}B01"


def _polish_company(rng: random.Random) -> str:
    while True:
        body = [rng.randint(1, 9), rng.randint(1, 9), *_digits(rng, 7)]
        check = _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"PL{_join(body)}{check}"


def _mod_11(digits: Sequence[int], weights: Sequence[int]) -> int:
    rest = _weighted(digits, weights) % 11
    return 0 if rest < 2 else 11 - rest


def _brazilian_company(rng: random.Random) -> str:
    body = [*_digits(rng, 8), 0, 0, 0, 1]
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        body.append(_mod_11(body, weights))
    text = _join(body)
    return f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}"


def _american_company(rng: random.Random) -> str:
    return f"{rng.choice((20, 26, 27, 45, 46, 47, 81, 82, 83))}-{_join(_digits(rng, 7))}"


def _greek_company(rng: random.Random) -> str:
    body = [rng.choice((0, 8, 9)), *_digits(rng, 7)]
    return f"EL{_join(body)}{_weighted(body, [2**power for power in range(8, 0, -1)]) % 11 % 10}"


def _ukrainian_company(rng: random.Random) -> str:
    """EDRPOU: from 30 to 60 million the weights begin at 7; a check of 10 is weighed again with weights two higher."""
    body = [rng.choice((3, 4)), *_digits(rng, 6)]
    base = [7, 1, 2, 3, 4, 5, 6]
    check = _weighted(body, base) % 11
    check = _weighted(body, [weight + 2 for weight in base]) % 11 if check == 10 else check
    return f"{_join(body)}{check % 10}"


def _swedish_company(rng: random.Random) -> str:
    body = [5, 5, rng.choice((6, 9)), *_digits(rng, 6)]
    return f"SE{_join(body)}{luhn_digit(body)}01"


def _turkish_company(rng: random.Random) -> str:
    body = [rng.randint(1, 9), *_digits(rng, 8)]
    total = 0
    for place, digit in enumerate(body):
        rest = (digit + 9 - place) % 10
        total += (rest * 2 ** (9 - place) % 9 or 9) if rest else 0
    return f"{_join(body)}{-total % 10}"


def _portuguese(rng: random.Random, first: int) -> str:
    body = [first, *_digits(rng, 7)]
    return f"{_join(body)}{_mod_11(body, range(9, 1, -1))}"


def _irish_company(rng: random.Random) -> str:
    body = [rng.randint(3, 9), *_digits(rng, 6)]
    return f"IE{_join(body)}{'WABCDEFGHIJKLMNOPQRSTUV'[_weighted(body, range(8, 1, -1)) % 23]}"


def _japanese_company(rng: random.Random) -> str:
    """The corporate number, with the T of an invoice registration before it; its first digit is the check digit."""
    body = _digits(rng, 12)
    total = _weighted(list(reversed(body)), [1, 2] * 6)
    return f"T{9 - total % 9}{_join(body)}"


COMPANY_NUMBERS = {
    "ES": _spanish_company, "DE": _german_company, "FR": _french_company, "IT": _italian_company, "GB": _british_company,
    "NL": _dutch_company, "PL": _polish_company, "BR": _brazilian_company, "US": _american_company, "GR": _greek_company,
    "UA": _ukrainian_company, "SE": _swedish_company, "TR": _turkish_company, "PT": lambda rng: _portuguese(rng, 5),
    "IE": _irish_company, "JP": _japanese_company,
}  # fmt: skip


def company_number(rng: random.Random, country: str) -> str:
    """A tax number of a company of that country."""
    return COMPANY_NUMBERS[country](rng)


def _spanish_id(rng: random.Random, born: datetime.date, sex: str) -> str:
    body = rng.randrange(10_000_000, 80_000_000)
    return f"{body}{'TRWAGMYFPDXBNJZSQVHLCKE'[body % 23]}"


def _brazilian_id(rng: random.Random, born: datetime.date, sex: str) -> str:
    digits = _digits(rng, 9)
    for length in (10, 11):
        digits.append(_mod_11(digits, range(length, 1, -1)))
    text = _join(digits)
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def _polish_id(rng: random.Random, born: datetime.date, sex: str) -> str:
    month = born.month + (20 if born.year >= 2000 else 0)
    head = [int(sign) for sign in f"{born.year % 100:02d}{month:02d}{born.day:02d}"]
    digits = [*head, *_digits(rng, 3), rng.randrange(5) * 2 + (sex == "male")]
    return _join([*digits, -_weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10])


def _swedish_id(rng: random.Random, born: datetime.date, sex: str) -> str:
    head = [int(sign) for sign in f"{born.year % 100:02d}{born.month:02d}{born.day:02d}"]
    digits = [*head, *_digits(rng, 2), rng.randrange(5) * 2 + (sex == "male")]
    return f"{born.year // 100}{_join(digits[:6])}-{_join(digits[6:])}{luhn_digit(digits)}"


def _turkish_id(rng: random.Random, born: datetime.date, sex: str) -> str:
    digits = [rng.randint(1, 9), *_digits(rng, 8)]
    digits.append((sum(digits[::2]) * 7 - sum(digits[1::2])) % 10)
    return _join([*digits, sum(digits) % 10])


def _portuguese_id(rng: random.Random, born: datetime.date, sex: str) -> str:
    return _portuguese(rng, rng.choice((1, 2)))


NATIONAL_IDS = {
    "ES": _spanish_id, "BR": _brazilian_id, "PL": _polish_id, "SE": _swedish_id, "TR": _turkish_id, "PT": _portuguese_id,
}  # fmt: skip


def national_id(rng: random.Random, country: str, born: datetime.date, sex: str) -> str | None:
    """A national id, for the countries in which shops write it on invoices; None for the others."""
    make = NATIONAL_IDS.get(country)
    return make(rng, born, sex) if make else None


def loyalty_number(rng: random.Random) -> str:
    """A card of the house's programme: 70, eight digits, a check digit. Eleven digits, so it never passes for a payment card."""
    body = [7, 0, *_digits(rng, 8)]
    return f"{_join(body)}{luhn_digit(body)}"


def staff_number(rng: random.Random) -> str:
    """The card that gives an employee the discount: like a loyalty card, and it goes into the same field of the till."""
    body = [7, 5, *_digits(rng, 8)]
    return f"{_join(body)}{luhn_digit(body)}"
