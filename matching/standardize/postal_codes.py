"""Postal codes: shown as their country writes them, and a key. A code that is not of its country's form is kept as written."""

import re
from functools import lru_cache

from matching.standardize.country_rules import RULES
from matching.standardize.text import fold

_SIGNS = {"9": r"\d", "A": "[A-Z]", "*": "[A-Z0-9]"}
_COUNTRY_PREFIX = re.compile(r"^[A-Z]{1,3}[- ]+(?=\d)")
_NOT_CODE = re.compile(r"[^A-Z0-9]+")
_ZIP_DIGITS = 5


@lru_cache(maxsize=256)
def mask_pattern(mask: str, separator: str = "") -> str:
    """The mask as a regular expression; `separator` stands where the mask has a space or a hyphen."""
    return "".join(_SIGNS.get(sign, separator) for sign in mask)


@lru_cache(maxsize=256)
def _masks(country: str | None) -> tuple[tuple[re.Pattern[str], str], ...]:
    rule = RULES.get(country or "")
    return tuple((re.compile(mask_pattern(mask)), mask) for mask in rule.masks) if rule else ()


@lru_cache(maxsize=256)
def _shown(country: str | None) -> tuple[re.Pattern[str], ...]:
    """The forms as the country writes them, which most codes have already."""
    rule = RULES.get(country or "")
    return tuple(re.compile("".join(_SIGNS.get(sign, sign) for sign in mask), re.ASCII) for mask in rule.masks) if rule else ()


@lru_cache(maxsize=65_536)
def read_postal_code(text: str, country: str | None) -> tuple[str, str | None, bool]:
    """Return the code as shown, its key, and whether the country knows such a form (True where no form is known).

    The key is upper-case letters and digits without country prefix, ZIP+4 or a spreadsheet's '.0'; lost zeros are given back.
    """
    for pattern in _shown(country):
        if pattern.fullmatch(text):
            key = text.replace(" ", "").replace("-", "")[: _ZIP_DIGITS if country == "US" else None]
            return text, key if _tells(key) else None, True
    squeezed = _with_zeros(_squeezed(text), country)
    masks = _masks(country)
    shown = next((_laid_out(squeezed, mask) for pattern, mask in masks if pattern.fullmatch(squeezed)), None)
    key = squeezed[:_ZIP_DIGITS] if country == "US" and shown else squeezed
    return shown or text.removesuffix(".0"), key if _tells(key) else None, bool(shown) or not masks


def _squeezed(text: str) -> str:
    code = text.upper().removesuffix(".0")
    if not code.isascii():
        code = (fold(code) or "").upper()
    return _NOT_CODE.sub("", _COUNTRY_PREFIX.sub("", code))


def _with_zeros(code: str, country: str | None) -> str:
    rule = RULES.get(country or "")
    if rule is None or not rule.zeros or not code.isdecimal():
        return code
    length = rule.masks[0].count("9")
    return code.zfill(length) if length - rule.zeros <= len(code) < length else code


def _laid_out(code: str, mask: str) -> str:
    signs = iter(code)
    return "".join(next(signs) if sign in _SIGNS else sign for sign in mask)


def _tells(code: str) -> bool:
    return bool(code) and not (len(code) > 2 and len(set(code)) == 1 and code[0] in "09X")
