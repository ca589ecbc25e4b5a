"""Identifiers and loyalty numbers: upper-case letters and digits, with type and issuer. A card number is refused outright."""

import re
import unicodedata
from functools import lru_cache

from matching.standardize.text import clean

Codes = tuple[str, ...]
_SIGNS = re.compile(r"[^A-Z0-9]+")
_DIGITS_APART = re.compile(r"[\s./-]+")
_PLACEHOLDERS = frozenset({
    "NA", "NONE", "NULL", "NIL", "UNKNOWN", "TEST", "TESTTEST", "GUEST", "DUMMY", "DEFAULT", "XXX", "XXXX", "TBD", "TBA",
    "NOTPROVIDED", "NOTAPPLICABLE", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "987654321",
    "9876543210", "0123456789", "ABC123", "ABCD1234",
})  # fmt: skip
_SHORTEST = 3
# Only the ranges in use: the whole of 50, 56-69 would refuse the loyalty cards of half of Britain (6332, 6340).
_MAESTRO = frozenset({5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763})


@lru_cache(maxsize=16_384)
def standard_name(text: str) -> str:
    """Fold the name of an identifier's type, issuer or programme: lower case, words joined by '_'."""
    return "_".join(re.findall(r"\w+", text.casefold()))


@lru_cache(maxsize=65_536)
def read_identifier(text: str) -> tuple[str | None, str | None, Codes]:
    """Return value, match key and codes of an identifier. Value None: refused (card_number) or nothing in it.

    Codes: card_number, placeholder, too_short.
    """
    cleaned = clean(text) or ""
    value = _alphanumeric(cleaned)
    if is_card_number(cleaned) or is_card_number(value):
        return None, None, ("card_number",)
    if not value:
        return None, None, ("placeholder",) if cleaned else ()
    if value in _PLACEHOLDERS or (len(value) >= _SHORTEST and len(set(value)) == 1):
        return value, None, ("placeholder",)
    if len(value) < _SHORTEST:
        return value, None, ("too_short",)
    return value, value, ()


def _alphanumeric(text: str) -> str:
    if text.isascii():
        return _SIGNS.sub("", text.upper())
    text = unicodedata.normalize("NFKC", text).upper()
    return unicodedata.normalize("NFKC", "".join(char for char in text if char.isalnum()))


def is_card_number(text: str) -> bool:
    """Say whether a text passes as a payment card number: 13 to 19 digits in a card scheme's range, with a right Luhn digit."""
    digits = _DIGITS_APART.sub("", text)
    return 13 <= len(digits) <= 19 and digits.isascii() and digits.isdecimal() and _in_card_range(digits) and _luhn(digits)


def _in_card_range(digits: str) -> bool:
    first_two, first_four = int(digits[:2]), int(digits[:4])
    if digits[0] == "4":  # Visa.
        return len(digits) in {13, 16, 18, 19}
    if 51 <= first_two <= 55 or 2221 <= first_four <= 2720:  # Mastercard.
        return len(digits) == 16
    if first_two in {34, 37}:  # American Express.
        return len(digits) == 15
    if first_two in {36, 38, 39} or 3000 <= first_four <= 3059:  # Diners Club.
        return 14 <= len(digits) <= 19
    if first_four == 6011 or first_two in {62, 64, 65} or 3528 <= first_four <= 3589:  # Discover, UnionPay, JCB.
        return 16 <= len(digits) <= 19
    return first_four in _MAESTRO


def _luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
