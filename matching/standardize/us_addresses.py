"""Addresses of the United States, tagged by usaddress. It invents parts abroad, so nobody else may use it."""

from functools import lru_cache

import usaddress

from matching.standardize.street_tables import SIDES, TYPE_LAST
from matching.standardize.streets import StreetLine, standard_number
from matching.standardize.text import fold

_STREET = (
    "StreetNamePreDirectional", "StreetNamePreModifier", "StreetNamePreType", "StreetName", "StreetNamePostType",
    "StreetNamePostModifier", "StreetNamePostDirectional",
)  # fmt: skip
_PLACE = ("BuildingName", "LandmarkName", "SubaddressIdentifier")


def is_plain(line: StreetLine) -> bool:
    """Say whether a line read by the common rules leaves no doubt: number, name, type at the end. The tagger costs 90 us."""
    if not line.house_number or not line.street or line.rest:
        return False
    words = (fold(line.street) or "").split()
    while len(words) > 1 and words[-1] in SIDES:
        words.pop()
    return len(words) > 1 and words[-1] in TYPE_LAST and not any(word.isdecimal() for word in words)


@lru_cache(maxsize=16_384)
def read_us_line(text: str) -> dict[str, str | None] | None:
    """Return the parts of a street address line; None when the tagger finds no street and number, or contradicts itself."""
    try:
        tags, kind = usaddress.tag(text)
    except usaddress.RepeatedLabelError:
        return None
    street = " ".join(tags[label] for label in _STREET if label in tags).strip(" ,")
    number = standard_number(tags.get("AddressNumber", "").strip(" ,"))
    if kind != "Street Address" or not street or not number or not number[0].isdecimal():
        return None
    return {
        "house_number": number,
        "street": street,
        "unit": standard_number(tags.get("OccupancyIdentifier", "").strip(" ,#")),
        "place": " ".join(tags[label] for label in _PLACE if label in tags).strip(" ,") or None,
        "city": tags.get("PlaceName"),
        "region": tags.get("StateName"),
        "postal_code": tags.get("ZipCode"),
    }
