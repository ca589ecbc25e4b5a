"""Phone numbers: E.164 where they parse, the digits where they do not, with a match key apart from both.

The country comes from the value, the address or the source, in this order; none is invented. The key is None for dummies, service
numbers and the shop's own.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from matching.standardize.text import clean

Codes = tuple[str, ...]
# (value, match key, extension, country, type, flags)
ReadPhone = tuple[str, str | None, str | None, str | None, str | None, Codes]

LONGEST_LIST = 10
SHORTEST_KEY = 7
LONGEST_DIGITS = 20
_APART = re.compile(r"\s*(?:[;|,&]| / |\b(?:or|oder|ou|und|and)\b)\s*", re.IGNORECASE)
_EXTENSION_NEXT = re.compile(r"\s*(?:ext|x\d|int|poste)", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"\D+")
_SEQUENCES = ("12345678", "123456789", "1234567890", "23456789", "87654321", "987654321", "9876543210")
_TYPES = {
    PhoneNumberType.FIXED_LINE: "fixed", PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile", PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium", PhoneNumberType.SHARED_COST: "shared_cost", PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal", PhoneNumberType.PAGER: "pager", PhoneNumberType.UAN: "company_wide",
    PhoneNumberType.VOICEMAIL: "voicemail",
}  # fmt: skip
_SERVICE_TYPES = frozenset({"toll_free", "premium", "shared_cost", "company_wide", "voicemail"})
_SAME_PLAN: dict[str, str | None] = {"VA": "IT"}  # Numbers of Rome are read as the Vatican's.


@lru_cache(maxsize=4_096)
def read_phones(text: str, countries: tuple[str, ...] = ()) -> tuple[tuple[ReadPhone, ...], Codes]:
    """Read the numbers of one field, trying the countries in turn. Codes: several_values, too_many_values, no_digits, and flags.

    Flags: unparsed (the digits are kept), not_valid (possible, but no such range), dummy, service_number.
    """
    parts = _split(clean(unicodedata.normalize("NFKC", text)) or "")
    codes: Codes = ("several_values",) if len(parts) > 1 else ()
    if len(parts) > LONGEST_LIST:
        parts, codes = parts[:LONGEST_LIST], (*codes, "too_many_values")
    read = tuple(phone for part in parts if (phone := _read_one(part, countries)))
    if parts and not read:
        codes += ("no_digits",)
    return read, codes + tuple(sorted({flag for phone in read for flag in phone[5]}))


def phone_key(text: str, *countries: str) -> str | None:
    """Return the match key of the first number in a text, None when it identifies nobody."""
    numbers, _ = read_phones(text, countries)
    return numbers[0][1] if numbers else None


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for piece in _APART.split(text):
        halves = piece.split("/")
        is_list = len(halves) > 1 and all(len(_NOT_DIGITS.sub("", half)) >= SHORTEST_KEY for half in halves)
        for part in halves if is_list else [piece]:
            if parts and len(_NOT_DIGITS.sub("", part)) < SHORTEST_KEY:  # The rest of one number: "555 1234, ext 5".
                parts[-1] += " " + part
            elif part.strip():
                parts.append(part.strip())
    return parts


def _read_one(text: str, countries: tuple[str, ...]) -> ReadPhone | None:
    digits = _NOT_DIGITS.sub("", text)
    if not digits:
        return None
    bare = "+" + digits if text.lstrip("( ").startswith("+") else digits
    parsed = _parsed(text, countries) or (_parsed(bare, countries) if bare != text else None)
    return _from_parsed(*parsed) if parsed else _unparsed(bare[: LONGEST_DIGITS + 1], countries)


def _parsed(text: str, countries: tuple[str, ...]) -> tuple[PhoneNumber, str | None] | None:
    """The first reading that is valid, with its type; else the first that is possible."""
    possible = None
    for number in _readings(text, countries):
        kind = phonenumbers.number_type(number)
        if kind != PhoneNumberType.UNKNOWN:
            return number, _TYPES.get(kind)
        if possible is None and phonenumbers.is_possible_number(number):
            possible = number
    return (possible, None) if possible else None


def _readings(text: str, countries: tuple[str, ...]) -> Iterable[PhoneNumber]:
    is_international = text.startswith(("+", "00"))
    for country in (None,) if is_international else countries:
        for variant in _variants(("+" + text[2:]) if text.startswith("00") else text, country):
            try:
                yield phonenumbers.parse(variant, country)
            except NumberParseException:
                continue


def _variants(text: str, country: str | None) -> Iterable[str]:
    """Forms that were right once: Mexico's 044, 045 and +52 1, Brazil's mobiles of eight digits."""
    digits = _NOT_DIGITS.sub("", text)
    is_old_national = country == "MX" and len(digits) in {12, 13} and digits.startswith(("044", "045", "01"))
    if is_old_national or (text.startswith("+521") and len(digits) == 13):
        yield "+52" + digits[-10:]
    national = digits[2:] if text.startswith("+55") else digits.removeprefix("0") if country == "BR" else ""
    if len(national) == 10 and national[2] in "6789":
        yield f"+55{national[:2]}9{national[2:]}"
    yield text


def _from_parsed(number: PhoneNumber, kind: str | None) -> ReadPhone:
    value = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    region = phonenumbers.region_code_for_number(number)
    flags: Codes = () if kind else ("not_valid",)
    if _is_dummy(str(number.national_number)) or _is_fiction(value):
        flags += ("dummy",)
    elif kind in _SERVICE_TYPES:
        flags += ("service_number",)
    of_plan = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
    country = _SAME_PLAN.get(of_plan, of_plan if of_plan not in {"ZZ", "001"} else None)
    is_personal = "dummy" not in flags and "service_number" not in flags
    return value, _key(value) if is_personal else None, number.extension or None, country, kind, flags


def _key(value: str) -> str:
    """E.164, without the 9 that Argentina adds to mobiles called from abroad."""
    return "+54" + value[4:] if value.startswith("+549") and len(value) == 14 else value


def _unparsed(value: str, countries: tuple[str, ...]) -> ReadPhone:
    digits = value.removeprefix("+")
    is_dummy = _is_dummy(digits)
    flags: Codes = ("unparsed", "dummy") if is_dummy else ("unparsed",)
    key = digits if len(digits) >= SHORTEST_KEY and not is_dummy else None
    return value, key, None, countries[0] if countries else None, None, flags


def _is_dummy(digits: str) -> bool:
    return len(set(digits[-7:])) == 1 or digits.endswith(_SEQUENCES)


def _is_fiction(value: str) -> bool:
    """North American numbers 555-0100 to 555-0199 are kept for films."""
    return value.startswith("+1") and len(value) == 12 and value[5:10] == "55501"
