"""The locality in a text: postal code, city, region and country, each as its country writes it, from one field or one line."""

import re
from functools import lru_cache

from matching.standardize import country_rules as rules
from matching.standardize.countries import country_code
from matching.standardize.postal_codes import mask_pattern
from matching.standardize.region_tables import REGIONS
from matching.standardize.text import fold

Locality = dict[str, str]
_GENERIC_FIRST = r"\d{4} ?[A-Z]{2}|\d{3} \d{2}|\d{2}-\d{3}|\d{4}-\d{3}|\d{4,5}"
_GENERIC_LAST = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{5}-\d{3,4}|\d{3}-\d{4}|\d{4,6}"
_LABEL = r"(?:〒 ?|(?:c\. ?p\.?|cp|cep|cap|plz|zip(?: code)?|pin(?: ?code)?)[:.]? ?)?"
_STATE = re.compile(r"(?:(.*?)[ ,]+)?([A-Z]{2,3})")
_CODE = re.compile(r"[A-Z]{2,3}")
_REGION_TAIL = re.compile(r"(.+?)(?: ?[,/] ?| - | ?\()([^,/()]+)\)?\.?")
_CODE_TAIL = re.compile(r"(.+?),? ([A-Za-z]{2,3}|[A-Z]\.[A-Z]\.)")
_SHORT_CODE = re.compile(r"(\d{2,5}) (\D.*)")
_PLATE = re.compile(r"([A-Z]{1,2})- ?(\d{4,5})(?: (\D.*))?", re.IGNORECASE)
_PLATES = {
    "A": "AT", "AT": "AT", "B": "BE", "BE": "BE", "CH": "CH", "CZ": "CZ", "D": "DE", "DE": "DE", "DK": "DK", "E": "ES",
    "ES": "ES", "F": "FR", "FR": "FR", "H": "HU", "HU": "HU", "HR": "HR", "I": "IT", "IT": "IT", "L": "LU", "LU": "LU", "N": "NO",
    "NO": "NO", "SI": "SI",
}  # fmt: skip
PLATE_COUNTRIES = frozenset(_PLATES.values())
EDGES = " ,;-\u2013/"
# Names that are a country and also a city or a state: a line that holds nothing else does not tell which.
_TWO_MEANINGS = frozenset({
    "luxembourg", "luxemburg", "singapore", "monaco", "mexico", "panama", "guatemala", "djibouti", "kuwait", "gibraltar",
    "georgia", "jersey", "lebanon", "peru", "cuba", "jordan", "macau", "chad", "granada", "grenada", "niger", "san marino",
    "hong kong",
})  # fmt: skip
_SHORT_COUNTRIES = frozenset({"uk", "usa", "u s a", "uae", "brd"})
_SHORTEST_COUNTRY = 4


@lru_cache(maxsize=512)
def _patterns(country: str | None) -> tuple[re.Pattern[str] | None, re.Pattern[str]]:
    """How a code and a city stand in one line: code first (None where that would be a house number), code last."""
    rule = rules.RULES.get(country or "")
    if rule is None or not rule.masks:
        first, last, prefix = _GENERIC_FIRST, _GENERIC_LAST, "(?:[A-Z]{1,2}-)?"
    else:
        first = last = "|".join(mask_pattern(mask, "[ -]?") for mask in rule.masks)
        prefix = rf"(?:{country}|[A-Z])?[- ]?" if rule.masks[0][0] == "9" else ""
    is_house = rule is not None and not rule.code_first and rule.number_first and rule.masks[:1] and rule.masks[0][0] == "9"
    code_first = None if is_house else re.compile(rf"{_LABEL}{prefix}({first})(?:[ ,;-]+(\D.*))?", re.IGNORECASE)
    return code_first, re.compile(rf"(?:(.*?)(?<![ ,;\u2013-])[ ,;\u2013-]+)?{_LABEL}{prefix}({last})", re.IGNORECASE)


@lru_cache(maxsize=16_384)
def read_locality(text: str, country: str | None) -> Locality | None:
    """Read 'code city', 'city code', 'city, state code' or a bare code; None when the text holds no postal code."""
    if not any(sign.isdecimal() for sign in text):
        return None
    country = country or rules.country_of_shape(text)
    first, last = _patterns(country)
    if first and (match := first.fullmatch(text)):
        return {"postal_code": match[1]} | _city_parts(match[2], country)
    if match := last.fullmatch(text):
        return {"postal_code": match[2]} | _city_parts(match[1], country)
    return None


def country_of_plate(text: str, in_line: bool) -> str | None:
    """The country by whose plate a code is marked (A-1010 Wien, CH-8001); None unless its codes have so many digits."""
    match = _PLATE.fullmatch(text)
    if match is None or (in_line and match[3] is None):  # A-1010 alone in a line may be a flat.
        return None
    country = _PLATES.get(match[1].upper())
    return country if country and len(match[2]) == rules.RULES[country].digits else None


def _city_parts(text: str | None, country: str | None) -> Locality:
    place = (text or "").strip(EDGES)
    if not place:
        return {}
    if len(place) <= 3 and (
        region := region_code(place, country) or (place if country is None and _CODE.fullmatch(place) else None)
    ):
        return {"region": region}  # 'TX 78701'
    return _city_and_region(place, country)


@lru_cache(maxsize=65_536)
def read_city(text: str, country: str | None, is_said: bool = True) -> Locality:
    """Read what a city's field holds: the city, and what else people put there (region, postal code, country).

    `is_said` tells that the address itself names the country; else another one at the end of the text is believed.
    """
    if text.isalpha():
        return {"city": text}
    head, _, tail = text.rpartition(",")
    is_told = is_said and country is not None
    head, _, tail = text.rpartition(",")
    named = country_in_line(tail.strip(), is_sure=not is_told) if head.strip(EDGES) else None
    if named and (not is_told or country == named):
        return _city_of_country(head.strip(EDGES), named) | {"country": named}
    return (_with_lost_zeros(text, country) if is_told else None) or _city_of_country(text, country)


def _city_of_country(text: str, country: str | None) -> Locality:
    has_digit = any(sign.isdecimal() for sign in text)
    return (_with_code(text, country) if has_digit else None) or _city_and_region(text, country)


def _with_lost_zeros(text: str, country: str | None) -> Locality | None:
    """'1067 Dresden': a spreadsheet took the zero. Only where the country is said: in another it may be a whole code."""
    rule = rules.RULES.get(country or "")
    match = _SHORT_CODE.fullmatch(text) if rule and rule.zeros and rule.code_first else None
    if rule is None or match is None or not rule.digits - rule.zeros <= len(match[1]) < rule.digits:
        return None
    return {"postal_code": match[1]} | _city_parts(match[2], country)


def _city_and_region(text: str, country: str | None) -> Locality:
    for pattern in (_REGION_TAIL, _CODE_TAIL):
        if (match := pattern.fullmatch(text)) and (region := region_code(match[2], country)):
            return {"city": match[1].strip(EDGES), "region": region}
    if country is None and (match := _STATE.fullmatch(text)) and match[1]:
        return {"city": match[1].strip(EDGES), "region": match[2]}
    return {"city": text}


def _with_code(text: str, country: str | None) -> Locality | None:
    country = country or rules.country_of_shape(text)
    for pattern, code, city in zip(_patterns(country), (1, 2), (2, 1), strict=True):
        if pattern and (match := pattern.fullmatch(text)) and match[city]:
            return {"postal_code": match[code]} | _city_parts(match[city], country)
    return None


@lru_cache(maxsize=16_384)
def region_code(text: str, country: str | None) -> str | None:
    """The region as the post of its country writes it ('CA'), or as written where it has no short form; None when not known."""
    regions = REGIONS.get(country or "")
    folded = fold(text) if regions else None
    if regions is None or folded is None or folded not in regions:
        return None
    return regions[folded] or text.strip(" .,")


@lru_cache(maxsize=16_384)
def country_in_line(text: str, is_sure: bool = True) -> str | None:
    """The country that a line or the end of one names in full; codes of two letters are rather states.

    `is_sure` leaves out names that are also a city or a state.
    """
    folded = fold(text)
    if folded is None or any(sign.isdecimal() for sign in folded):
        return None
    if len(folded) < _SHORTEST_COUNTRY and folded not in _SHORT_COUNTRIES:
        return None
    return None if is_sure and folded in _TWO_MEANINGS else country_code(text)
