"""Addresses of the United States, tagged by usaddress. It invents parts abroad, so nobody else may use it."""

from functools import lru_cache

import usaddress

from matching.standardize.streets import standard_number

_STREET = (
    "StreetNamePreDirectional", "StreetNamePreModifier", "StreetNamePreType", "StreetName", "StreetNamePostType",
    "StreetNamePostModifier", "StreetNamePostDirectional",
)  # fmt: skip
_PLACE = ("BuildingName", "LandmarkName", "SubaddressIdentifier")


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
