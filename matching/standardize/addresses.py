"""Postal addresses."""

import re

from matching.record import Address
from matching.standardize.countries import country_code
from matching.standardize.text import fold, joined

Codes = tuple[str, ...]
PARTS = ("line1", "line2", "line3", "house_number", "unit", "street", "city", "region", "postal_code", "country")


def read_address(parts: dict[str, str], default_country: str | None = None) -> tuple[Address | None, Codes]:
    get = parts.get
    lines = tuple(x for x in (get("line1"), get("line2"), get("line3")) if x)
    street, house = get("street") or get("line1"), get("house_number")
    if not house and street and (m := re.match(r"(\d+[a-z]?)\s+(.*)", street, re.IGNORECASE)):
        house, street = m[1], m[2]
    fl = lambda x: fold(x) if x else None
    pk = fl(get("postal_code"))
    return Address(lines, fl(house), get("unit"), street, get("city"), get("region"), get("postal_code"), country_code(get("country")),
        fl(street), fl(get("city")), pk.replace(" ", "") if pk else None), ()
