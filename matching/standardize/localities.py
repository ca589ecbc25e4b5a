"""Cities and postal codes: a key for each, and the line that holds both."""

import re
from functools import lru_cache

from matching.standardize.text import fold

_GB = r"[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}"
_CA = r"[a-z]\d[a-z] ?\d[a-z]\d"
_NL = r"\d{4} ?[a-z]{2}"
_CODE_FIRST = re.compile(rf"(?:[a-z]{{1,2}}-)?({_NL}|\d{{3}} \d{{2}}|\d{{2}}-\d{{3}}|\d{{4,5}})[ ,]+(\D.*)", re.IGNORECASE)
_CODE_LAST = re.compile(rf"(?:(\D*?)[ ,]+)?({_GB}|{_CA}|\d{{5}}-\d{{3,4}}|\d{{4,6}})", re.IGNORECASE)
_STATE = re.compile(r"(?:(.*?)[ ,]+)?([A-Z]{2,3})")
_CITY_PREFIXES = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}
_CEDEX = re.compile(r" cedex(?: \d+)?$")
_COUNTRY_PREFIX = re.compile(r"^[A-Z]{1,3}[- ]+(?=\d)")
_NOT_CODE = re.compile(r"[^A-Z0-9]+")


@lru_cache(maxsize=65_536)
def city_key(text: str) -> str | None:
    """Fold a city's name; 'St' is 'Saint', a French CEDEX goes."""
    folded = fold(text)
    if folded is None:
        return None
    folded = _CEDEX.sub("", folded)
    first, space, rest = folded.partition(" ")
    return f"{_CITY_PREFIXES.get(first, first)} {rest}" if space else folded


@lru_cache(maxsize=65_536)
def postal_key(text: str, country: str | None) -> str | None:
    """Write a postal code one way: upper-case letters and digits, without country prefix, ZIP+4 or a spreadsheet's '.0'."""
    code = text.upper().removesuffix(".0")
    code = _NOT_CODE.sub("", _COUNTRY_PREFIX.sub("", code)) if code.isascii() else _NOT_CODE.sub("", (fold(code) or "").upper())
    if country == "US" and len(code) == 9 and code.isdecimal():
        code = code[:5]
    elif country in {"US", "DE", "FR", "IT", "ES"} and len(code) == 4 and code.isdecimal():
        code = "0" + code  # A spreadsheet ate the zero.
    return None if not code or (len(code) > 2 and len(set(code)) == 1 and code[0] in "09X") else code


@lru_cache(maxsize=16_384)
def read_locality(text: str, country: str | None) -> dict[str, str] | None:
    """Read 'code city', 'city code', 'city, state code' or a bare code; None when the line holds no postal code."""
    if (match := _CODE_FIRST.fullmatch(text)) and country not in {"US", "GB", "CA", "AU", "FR"} | _STREET_NUMBER_COUNTRIES:
        return {"postal_code": match[1], "city": match[2].strip(" ,")}
    if country == "FR" and match and len(match[1]) == 5:
        return {"postal_code": match[1], "city": match[2].strip(" ,")}
    if match := _CODE_LAST.fullmatch(text):
        found = {"postal_code": match[2]}
        place = (match[1] or "").strip(" ,")
        if state := _STATE.fullmatch(place):
            found["region"], place = state[2], (state[1] or "").strip(" ,")
        return found | ({"city": place} if place else {})
    return None


_STREET_NUMBER_COUNTRIES = frozenset({"NZ", "IE", "ZA"})
