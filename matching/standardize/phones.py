"""Phone numbers: E.164 where they parse, the digits where they do not, with a match key apart from both.

The country comes from the value, the address or the source, in this order; none is invented. The key is None for dummies, service
numbers and the shop's own.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber
from phonenumbers.re_util import enable_pattern_cache

from matching.standardize import phone_tables as tables
from matching.standardize.identifiers import is_card_number
from matching.standardize.phone_plans import plain_number
from matching.standardize.phone_types import main_region, region_and_type
from matching.standardize.text import clean

Codes = tuple[str, ...]
# (value, match key, extension, country, type, flags)
ReadPhone = tuple[str, str | None, str | None, str | None, str | None, Codes]

LONGEST_LIST = 10
REST_IGNORED = "rest_ignored"
SHORTEST_KEY = 7
LONGEST_DIGITS = 20
LONGEST_SPLIT = 40  # Longer texts without a separator are not tried as two numbers, and are not plain.
_WORDS = "|".join(tables.BETWEEN)
# A plus after a digit begins another number.
_APART = re.compile(rf"\s*(?:[;|,&]|\b(?:{_WORDS})\b|(?<=\d)(?=\+)|(?<=\d)\s(?=\+))\s*", re.IGNORECASE)
_MARKS = "|".join(map(re.escape, tables.EXTENSION_WORDS))
_EXTENSION = re.compile(rf"(?<![\s;,/(-])[\s;,/(-]*(?:{_MARKS})[\s.:=]*(\d{{1,9}})[\s)]*", re.IGNORECASE)
_REST = " ; "  # Stands before what cannot be a number of its own.
_GAPS = re.compile(r"[^\d+]+")
_PLUS = re.compile(r"[^\d+]*\+")
_NOT_DIGITS = re.compile(r"\D+")
_LETTER = re.compile(r"[^\W\d_]")
_FLOAT = re.compile(r"(\+?\d{7,})\.0+")
_EXPONENT = re.compile(r"\d[.,]?\d*e\+?\d{1,2}", re.IGNORECASE)
_PLAIN = re.compile(r"\+?[0-9(](?:[0-9 ()-]*[0-9)])?")
_REPEATED = re.compile(r"(\d{1,3})\1+")
_SEQUENCES = ("12345678", "123456789", "1234567890", "23456789", "87654321", "987654321", "9876543210")
_SERVICE_TYPES = frozenset({"toll_free", "premium", "shared_cost", "company_wide", "voicemail"})
_SAME_PLAN: dict[str | None, str] = {"VA": "IT"}  # Numbers of Rome are read as the Vatican's.

enable_pattern_cache()  # The ranges of all countries are more patterns than Python keeps by itself.


class _Reading(NamedTuple):
    """One way to read a text: the number, its region, and its type when the number is in use."""

    number: PhoneNumber
    region: str | None
    kind: str | None


@lru_cache(maxsize=16_384)
def read_phones(text: str, countries: tuple[str, ...] = ()) -> tuple[tuple[ReadPhone, ...], Codes]:
    """Read the numbers of one field, trying the countries in turn. Codes: several_values, too_many_values, no_digits, flags, and
    rest_ignored (as in 9374 4000 / 4001) and card_number (what is none and passes as a card is left out), which say something of
    the field and not of the number.

    Flags: unparsed (the digits are kept), too_short (as well), lost_digits (a spreadsheet rounded it), not_valid (possible, but
    no such range), dummy, service_number.
    """
    parts = [text] if _is_plain(text) else _split(clean(unicodedata.normalize("NFKC", text)) or "")
    codes: Codes = ()
    if len(parts) > LONGEST_LIST:
        parts, codes = parts[:LONGEST_LIST], ("too_many_values",)
    found = [phone for part in parts for phone in _read_part(part, countries)]
    read = tuple(phone for phone in found if not _is_card(phone))
    if len(read) < len(found):
        codes += ("card_number",)
    if parts and not found:
        codes += ("no_digits",)
    if len(parts) > 1 or len(found) > 1:
        codes = ("several_values", *codes)
    codes += tuple(sorted({flag for phone in read for flag in phone[5]}))
    return tuple(_of_the_number(phone) if REST_IGNORED in phone[5] else phone for phone in read), codes


def _of_the_number(phone: ReadPhone) -> ReadPhone:
    return (*phone[:5], tuple(flag for flag in phone[5] if flag != REST_IGNORED))


def _is_card(phone: ReadPhone) -> bool:
    """Say whether what no country reads as a phone number passes as a payment card's, however it was parted."""
    digits = phone[0].removeprefix("+")
    return "unparsed" in phone[5] and is_card_number(digits)


def phone_key(text: str, *countries: str) -> str | None:
    """Return the match key of the first number in a text, None when it identifies nobody."""
    numbers, _ = read_phones(text, countries)
    return numbers[0][1] if numbers else None


def _digits(text: str) -> str:
    return text if text.isdecimal() else _NOT_DIGITS.sub("", text)


def _is_plain(text: str) -> bool:
    """Whether a text is one number and nothing else, as most are: nothing in it parts, and no sign announces an extension."""
    return len(text) <= LONGEST_SPLIT and _PLAIN.fullmatch(text) is not None and "  " not in text


def _split(text: str) -> list[str]:
    parts: list[str] = []
    for part in (half for piece in _APART.split(text) for half in _halves(piece)):
        if parts and len(_digits(part)) < SHORTEST_KEY:  # The rest of one number: "555 1234, ext 5".
            parts[-1] += _REST + part
        elif part.strip():
            parts.append(part.strip())
    return parts


def _halves(piece: str) -> list[str]:
    """A slash parts two numbers, or a number and another ending of it; after an area code it belongs to the number."""
    halves = piece.split("/")
    return halves if len(halves) > 1 and len(_digits(halves[0])) >= SHORTEST_KEY else [piece]


def _read_part(text: str, countries: tuple[str, ...]) -> list[ReadPhone]:
    """Read one part: mostly one number; none without digits; two when only a gap parts them."""
    if _is_plain(text):
        return _read_body(text, "", None, countries) if _digits(text) else []
    if _EXPONENT.fullmatch(text):
        return [(text, None, None, None, None, ("unparsed", "lost_digits"))]
    if match := _FLOAT.fullmatch(text):
        text = match[1]
    whole, extension = _without_extension(text)
    body, _, rest = whole.partition(_REST)
    return _read_body(body, rest, extension, countries) if _digits(whole) else []


def _read_body(body: str, rest: str, extension: str | None, countries: tuple[str, ...]) -> list[ReadPhone]:
    """Read what stands before the extension; `rest` is what follows it and cannot be a number of its own."""
    best = _best(body + rest if not _digits(body) else body, countries)
    if best is None or not best.kind:
        two = _two_numbers(body, countries)
        if two:
            return [_from_reading(reading, None, ()) for reading in two]
    if best is None:
        return [_last_resort(body + rest, extension, countries)]
    return [_from_reading(best, extension, (REST_IGNORED,) if _digits(rest) and _digits(body) else ())]


def _without_extension(text: str) -> tuple[str, str | None]:
    """Take the extension off the end, when enough digits stand before it."""
    for match in _EXTENSION.finditer(text):
        if match.end() == len(text) and len(_digits(text[: match.start()])) >= SHORTEST_KEY - 1:
            return text[: match.start()], match[1]
    return text, None


def _two_numbers(text: str, countries: tuple[str, ...]) -> tuple[_Reading, _Reading] | None:
    """Two valid numbers with nothing but a gap between them; None when there is no such gap."""
    if len(text) > LONGEST_SPLIT or len(_digits(text)) < 2 * SHORTEST_KEY:
        return None
    for gap in _GAPS.finditer(text):
        halves = text[: gap.start()], text[gap.end() :]
        if all(len(_digits(half)) >= SHORTEST_KEY for half in halves):
            one, other = (_best(half, countries) for half in halves)
            if one and other and one.kind and other.kind:
                return one, other
    return None


def _best(text: str, countries: tuple[str, ...]) -> _Reading | None:
    """The first reading that is valid, else the first that is possible."""
    possible = None
    for number in _readings(text, countries):
        region, kind = region_and_type(number)
        if kind:
            return _Reading(number, region, kind)
        if possible is None and _is_possible(number):
            possible = _Reading(number, region, None)
    return _called_from_america(text) or possible


def _is_possible(number: PhoneNumber) -> bool:
    """Whether it is long enough to tell people apart, and read again is the same: each reading may take a trunk zero off."""
    is_long = len(phonenumbers.national_significant_number(number)) >= SHORTEST_KEY
    if not is_long or not phonenumbers.is_possible_number(number):
        return False
    again = _parsed(_e164(number), None)
    return again is not None and _e164(again) == _e164(number)


def _e164(number: PhoneNumber) -> str:
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


def _readings(text: str, countries: tuple[str, ...]) -> Iterable[PhoneNumber]:
    """All ways to read a text, the likeliest first. Letters are digits (1-800-FLOWERS) only where digits alone are no number."""
    digits = _digits(text)
    is_international = digits.startswith("00") or _PLUS.match(text) is not None
    bare = "+" + digits.lstrip("0") if is_international else digits
    forms = [bare] if is_international or bare == text else [text, bare]
    if _LETTER.search(text):
        forms = [bare, text]
    for country in (None,) if is_international else countries:
        for form in forms:
            if number := _parsed(_as_of_today(form, country), country):
                yield number


def _parsed(text: str, country: str | None) -> PhoneNumber | None:
    try:
        number = plain_number(text, country) or phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    return _renumbered(number) if number.country_code in _RENUMBERED else number


def _as_of_today(text: str, country: str | None) -> str:
    """Mexico's numbers without the prefixes of before 2019: 044, 045, 01 and +52 1."""
    if country != "MX" and not text.startswith("+52"):
        return text
    digits = _digits(text)
    is_old_national = country == "MX" and len(digits) in {12, 13} and digits.startswith(("044", "045", "01"))
    return "+52" + digits[-10:] if is_old_national or (digits.startswith("521") and len(digits) == 13) else text


_RENUMBERED = frozenset({55, 84})


def _renumbered(number: PhoneNumber) -> PhoneNumber:
    """Brazil's mobiles of eight digits gained a nine, Vietnam's of eleven lost one."""
    digits = phonenumbers.national_significant_number(number)
    if number.country_code == 55 and len(digits) == 10 and digits[2] in "6789":
        digits = f"{digits[:2]}9{digits[2:]}"
    elif number.country_code == 84 and len(digits) == 10 and digits[:3] in tables.VIETNAM_2018:
        digits = tables.VIETNAM_2018[digits[:3]] + digits[3:]
    else:
        return number
    return PhoneNumber(country_code=number.country_code, national_number=int(digits))


def _called_from_america(text: str) -> _Reading | None:
    """North America's international prefix, where no country reads the number as its own."""
    digits = _digits(text)
    number = _parsed("+" + digits[3:], None) if digits.startswith("011") else None
    region, kind = region_and_type(number) if number else (None, None)
    return _Reading(number, region, kind) if number and kind else None


def _from_reading(reading: _Reading, extension: str | None, flags: Codes) -> ReadPhone:
    number, region, kind = reading
    value = _e164(number)
    flags += () if kind else ("not_valid",)
    if _is_dummy(str(number.national_number)) or _is_fiction(value):
        flags += ("dummy",)
    elif kind in _SERVICE_TYPES:
        flags += ("service_number",)
    country = region if region and region != "001" else main_region(number)
    is_personal = "dummy" not in flags and "service_number" not in flags
    return value, _key(value) if is_personal else None, extension, _SAME_PLAN.get(country, country), kind, flags


def _key(value: str) -> str:
    """E.164, without the 9 that Argentina adds to mobiles called from abroad."""
    return "+54" + value[4:] if value.startswith("+549") and len(value) == 14 else value


def _last_resort(text: str, extension: str | None, countries: tuple[str, ...]) -> ReadPhone:
    """Keep the digits; they are read once more, as they will be when they come back."""
    value = (("+" if _PLUS.match(text) else "") + _digits(text))[: LONGEST_DIGITS + 1]
    if again := _best(value, countries):
        return _from_reading(again, extension, ())
    digits = value.removeprefix("+")
    is_dummy, is_short = _is_dummy(digits), len(digits) < SHORTEST_KEY
    flags: Codes = ("unparsed",) + ("too_short",) * is_short + ("dummy",) * is_dummy
    key = None if is_short or is_dummy else digits
    return value, key, extension, countries[0] if countries else None, None, flags


def _is_dummy(digits: str) -> bool:
    is_repeated = len(digits) >= SHORTEST_KEY and _REPEATED.fullmatch(digits) is not None
    return is_repeated or len(set(digits[-7:])) == 1 or digits.endswith(_SEQUENCES)


def _is_fiction(value: str) -> bool:
    """Ranges kept for films; in North America 555-0100 to 555-0199 of every area."""
    if value.startswith("+1"):
        return len(value) == 12 and value[5:10] == "55501"
    return any(value[:length] in tables.FICTION_HEADS for length in tables.FICTION_LENGTHS)
