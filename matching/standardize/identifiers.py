"""Identifiers and loyalty numbers: upper-case letters and digits, with type and issuer. A card number is refused outright.

Where the type and the issuing country tell a numbering scheme, its check digits are checked, and the key is the number as the
scheme writes it: one number has one key. Whether a number is one person's own is the policy's to say.
"""

import re
import unicodedata
from functools import lru_cache

from matching.standardize import identifier_tables as tables
from matching.standardize.countries import country_code
from matching.standardize.identifier_checks import OK, WRONG_FORMAT, Checked, check_schemes, check_vat
from matching.standardize.text import clean

Codes = tuple[str, ...]
_SIGNS = re.compile(r"[^A-Z0-9]+")
_DIGITS_APART = re.compile(r"[\s./-]+")
_PLACEHOLDERS = frozenset({
    "NA", "NONE", "NULL", "NIL", "UNKNOWN", "TEST", "TESTTEST", "GUEST", "DUMMY", "DEFAULT", "XXX", "XXXX", "TBD", "TBA",
    "NOTPROVIDED", "NOTAPPLICABLE", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "987654321",
    "9876543210", "0123456789", "ABC123", "ABCD1234",
    "9774D56D682E549C",  # The installation id that thousands of Android phones share.
})  # fmt: skip
_SHORTEST = 3
MASK = "***"  # What stands for the digits of a payment card but its last four, which are no number of anybody.
# Visa's extinct 13 digits are not looked for: one EAN-13 of a loyalty card or German mobile number in ten would pass.
SHORTEST_CARD, LONGEST_CARD = 14, 19
_CHECKED = frozenset({*tables.KIND_OF_TYPE, *tables.NAMED_SCHEMES})
_OPEN_KINDS = frozenset({tables.NATIONAL, tables.TAX, tables.COMPANY})
_VAT_STARTS = frozenset({prefix[:2] for prefix in tables.VAT_SCHEMES} | {"GR"})
# Only the ranges in use: the whole of 50, 56-69 would refuse the loyalty cards of half of Britain (6332, 6340).
_MAESTRO = frozenset({5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763})


@lru_cache(maxsize=16_384)
def standard_name(text: str) -> str:
    """Fold the name of an identifier's type, issuer or programme: lower case, words joined by '_'."""
    return "_".join(re.findall(r"\w+", text.casefold()))


@lru_cache(maxsize=65_536)
def read_identifier(text: str, kind: str = "", issuer: str = "") -> tuple[str | None, str | None, Codes]:
    """Return value, match key and codes of an identifier. Value None: refused (card_number) or nothing in it.

    `kind` and `issuer` are standard names. Codes: card_number, placeholder, too_short; and where the scheme is known
    check_failed, invalid_part and wrong_format. Each leaves the key None but the last, where another document may be meant.
    """
    cleaned = clean(text) or ""
    value = _alphanumeric(cleaned)
    found, number = _of_scheme(value, kind, issuer) if kind in _CHECKED and value else (None, None)
    if (MASK in cleaned and value) or (found != OK and (is_card_number(cleaned) or is_card_number(value))):
        return None, None, ("card_number",)
    if not value:
        return None, None, ("placeholder",) if cleaned else ()
    if _is_placeholder(value) or (found and not tables.SPECIMENS.isdisjoint((value, number))):
        return value, None, ("placeholder",)
    if len(value) < _SHORTEST:
        return value, None, ("too_short",)
    return (value, value, ()) if found is None else _judged(value, kind, found, number)


def _judged(value: str, kind: str, found: str, number: str | None) -> tuple[str, str | None, Codes]:
    """A number that its scheme refuses does not decide; one of another shape may be another document."""
    if found == OK:
        return value, number, ()
    is_open = found == WRONG_FORMAT and tables.KIND_OF_TYPE.get(kind) in _OPEN_KINDS
    return value, value if is_open else None, (found,)


def _is_placeholder(value: str) -> bool:
    return value in _PLACEHOLDERS or (len(value) >= _SHORTEST and len(set(value)) == 1)


def _of_scheme(value: str, kind: str, issuer: str) -> Checked | tuple[None, None]:
    """Check a value by the scheme of its type and issuer; nothing when no scheme is known."""
    country = country_code(issuer.replace("_", " ")) if issuer else None
    if tables.KIND_OF_TYPE.get(kind) == tables.VAT:
        return check_vat(value, country) if country or value[:2] in _VAT_STARTS else (None, None)
    schemes = schemes_of(kind, country)
    if not schemes:
        return None, None
    return check_schemes(value, schemes) if value.isascii() else (WRONG_FORMAT, None)


@lru_cache(maxsize=1_024)
def schemes_of(kind: str, country: str | None) -> Codes:
    """Name the schemes of a type of number as a country issues it; none when the type or its country is not known."""
    named = tables.NAMED_SCHEMES.get(kind)
    if named:
        of_country = tuple(scheme for scheme in named if _country_of(scheme) in {country, None})
        return of_country or named
    if country is None:
        return ()
    match tables.KIND_OF_TYPE.get(kind):
        case tables.NATIONAL:
            return tables.NATIONAL_SCHEMES.get(country, ())
        case tables.COMPANY:
            return tables.COMPANY_SCHEMES.get(country, ())
        case tables.TAX:
            return _tax_schemes(country)
    return ()


def vouches(text: str, kind: str, issuer: str = "") -> bool | None:
    """Say whether the scheme of a type and issuer accepts a number that may look like a payment card's; None: no scheme is known.

    `kind` and `issuer` are standard names. Only a check that few cards pass counts (AS_LONG_AS_CARDS).
    """
    country = country_code(issuer.replace("_", " ")) if issuer else None
    schemes = schemes_of(kind, country)
    if not schemes:
        return False if tables.KIND_OF_TYPE.get(kind) == tables.VAT else None
    long = tables.AS_LONG_AS_CARDS.intersection(schemes)
    value = _alphanumeric(clean(text) or "")
    return value.isascii() and bool(long) and check_schemes(value, sorted(long))[0] == OK


def _tax_schemes(country: str) -> Codes:
    """What a tax office writes to: numbers of its own, of companies, and in many countries the persons' national ones."""
    vat = tables.VAT_SCHEMES.get(tables.VAT_PREFIX.get(country, country))
    others = (tables.COMPANY_SCHEMES, tables.NATIONAL_SCHEMES, tables.MORE_TAX_SCHEMES)
    return tuple(dict.fromkeys([*([vat] if vat else []), *(scheme for table in others for scheme in table.get(country, ()))]))


def _country_of(scheme: str) -> str | None:
    country, _, number = scheme.partition(".")
    return country.strip("_").upper() if number and country != "own" else None


def _alphanumeric(text: str) -> str:
    if text.isascii():
        return _SIGNS.sub("", text.upper())
    text = unicodedata.normalize("NFKC", text).upper()
    return unicodedata.normalize("NFKC", "".join(char for char in text if char.isalnum()))


def is_card_number(text: str) -> bool:
    """Say whether a text passes as a payment card number: 14 to 19 digits in a card scheme's range, with a right Luhn digit."""
    digits = _DIGITS_APART.sub("", text)
    return (
        SHORTEST_CARD <= len(digits) <= LONGEST_CARD
        and digits.isascii()
        and digits.isdecimal()
        and _in_card_range(digits)
        and _luhn(digits)
    )


_DOUBLED = str.maketrans("0123456789", "0246813579")  # Twice a digit, and of that the sum of its digits.


def _in_card_range(digits: str) -> bool:
    first_two, first_four = int(digits[:2]), int(digits[:4])
    if digits[0] == "4":  # Visa.
        return len(digits) in {16, 18, 19}
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
    doubled = digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0
