"""Whether a number is one of its scheme: length, parts and check digits, by python-stdnum and, where that has none, by our own.

No register is asked. Of the clock only one thing depends: some schemes refuse a birth date that lies in the future.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module

from stdnum import exceptions

from matching.standardize import identifier_tables as tables

OK, CHECK_FAILED, INVALID_PART, WRONG_FORMAT = "ok", "check_failed", "invalid_part", "wrong_format"
_WORST_FIRST = (CHECK_FAILED, INVALID_PART, WRONG_FORMAT)  # Of several schemes, what the nearest one complains of.
Checked = tuple[str, str | None]  # What was found, and the number as its scheme writes it without signs.
Check = Callable[[str], str]

_NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]?")
_HKID = re.compile(r"([A-Z]{1,2})(\d{6})([0-9A])")
_NRIC = re.compile(r"([STFGM])(\d{7})([A-Z])")
_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "M": "KLJNPQRTUWX"}
_NRIC_OFFSETS = {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}


def check_schemes(value: str, schemes: Iterable[str]) -> Checked:
    """Try a value (upper-case letters and digits) against schemes: the first that accepts it, else the nearest complaint."""
    complaints = set()
    for scheme in schemes:
        found, number = _check(value, scheme)
        if found == OK:
            return found, number
        complaints.add(found)
    return next((found for found in _WORST_FIRST if found in complaints), WRONG_FORMAT), None


def check_vat(value: str, country: str | None) -> Checked:
    """Check a VAT number with or without its prefix; the number found carries it. A prefix wins over the country named."""
    complaints = []
    for prefix in _prefixes(value, country):
        found, number = _check(_bare_vat(value, prefix), tables.VAT_SCHEMES[prefix])
        if found == OK and number:
            return found, prefix + number.removeprefix(prefix)
        complaints.append(found)
    return next((found for found in _WORST_FIRST if found in complaints), WRONG_FORMAT), None


def _prefixes(value: str, country: str | None) -> Iterator[str]:
    written = next((value[:length] for length in (3, 2) if value[:length] in tables.VAT_SCHEMES), None)
    if value.startswith("GR"):
        written = "EL"
    named = tables.VAT_PREFIX.get(country, country) if country else None
    if written:
        yield written
    if named in tables.VAT_SCHEMES and named != written:
        yield named


def _bare_vat(value: str, prefix: str) -> str:
    for ending in tables.VAT_ENDINGS.get(prefix, ()):
        value = value.removesuffix(ending)
    return value[2:] if prefix == "EL" and value.startswith("GR") else value if prefix == "CHE" else value.removeprefix(prefix)


@lru_cache(maxsize=16_384)
def _check(value: str, scheme: str) -> Checked:
    try:
        return OK, _scheme(scheme)(_prepared(value, scheme))
    except exceptions.InvalidChecksum:
        return CHECK_FAILED, None
    except exceptions.InvalidFormat:
        return WRONG_FORMAT, None
    except exceptions.InvalidComponent:
        return INVALID_PART, None
    except (ValueError, LookupError, ArithmeticError, TypeError, AttributeError):
        return WRONG_FORMAT, None  # The library is written for numbers, not for whatever somebody types.


def _prepared(value: str, scheme: str) -> str:
    """Give back the sign that tells the century where nothing else does: the hyphen of a Finnish number of the 1900s."""
    return f"{value[:6]}-{value[6:]}" if scheme == "fi.hetu" and len(value) == 10 else value


@lru_cache(maxsize=256)
def _scheme(name: str) -> Check:
    if name.startswith("own."):
        return _OWN[name]
    module = import_module(f"stdnum.{name}")

    def check(value: str) -> str:
        number = "".join(char for char in str(module.compact(module.validate(value))).upper() if char.isalnum())
        return _usual(number, name)

    return check


def _usual(number: str, scheme: str) -> str:
    """One number in one length: Sweden's without its century, New Zealand's with its zero."""
    if scheme == "se.personnummer":
        return number[-10:]
    return number.zfill(9) if scheme == "nz.ird" else number


def _nino(value: str) -> str:
    if not _NINO.fullmatch(value):
        raise exceptions.InvalidFormat
    return value[:8]  # The last letter is often left out, and tells nobody apart.


def _hkid(value: str) -> str:
    match = _HKID.fullmatch(value)
    if not match:
        raise exceptions.InvalidFormat
    letters, digits, check = match.groups()
    numbers = [36 if len(letters) == 1 else ord(letters[0]) - 55, ord(letters[-1]) - 55, *map(int, digits)]
    total = sum(weight * number for weight, number in zip(range(9, 1, -1), numbers, strict=True))
    return _passed(value, (total + (10 if check == "A" else int(check))) % 11 == 0)


def _nric(value: str) -> str:
    match = _NRIC.fullmatch(value)
    if not match:
        raise exceptions.InvalidFormat
    kind, digits, check = match.groups()
    total = _NRIC_OFFSETS[kind] + _weighted(digits, (2, 7, 6, 5, 4, 3, 2))
    return _passed(value, _NRIC_LETTERS[{"T": "S", "G": "F"}.get(kind, kind)][total % 11] == check)


def _adoazonosito(value: str) -> str:
    if not re.fullmatch(r"8\d{9}", value):
        raise exceptions.InvalidFormat
    return _passed(value, _weighted(value, range(1, 10)) % 11 == int(value[9]))


def _emirates_id(value: str) -> str:
    if not re.fullmatch(r"784[12]\d{11}", value):
        raise exceptions.InvalidFormat
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(value))]
    return _passed(value, sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0)


def _weighted(digits: str, weights: Iterable[int]) -> int:
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))


def _passed(value: str, is_right: bool) -> str:
    if not is_right:
        raise exceptions.InvalidChecksum
    return value


_OWN: dict[str, Check] = {
    "own.nino": _nino, "own.hkid": _hkid, "own.nric": _nric, "own.adoazonosito": _adoazonosito, "own.emirates_id": _emirates_id,
}  # fmt: skip
