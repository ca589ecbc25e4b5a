"""Postal addresses: lines as received, and the parts by which two of them can be compared.

Structured fields are believed before lines are read. Shared places (PO boxes, pickup points, stores) are marked, never evidence.
A part that is not there stays unknown; the country in particular is never invented.
"""

from collections.abc import Mapping
from functools import lru_cache

from matching.record import Address
from matching.standardize import address_reading
from matching.standardize.address_reading import TEXTS, Reading, tells_nothing
from matching.standardize.cities import city_key
from matching.standardize.countries import country_code
from matching.standardize.localities import region_code
from matching.standardize.places import FLAGS, SHARED_FLAGS, kind_of_place
from matching.standardize.postal_codes import read_postal_code
from matching.standardize.street_keys import street_key
from matching.standardize.streets import standard_number
from matching.standardize.text import fold

Codes = tuple[str, ...]
Parts = dict[str, str | None]
LINES = address_reading.LINES
PARTS = (*LINES, "house_number", "unit", "street", "place", "city", "region", "postal_code", "country")


def read_address(
    parts: Mapping[str, str], default_country: str | None = None, read_lines: tuple[str, ...] | None = None
) -> tuple[Address | None, Codes]:
    """Read an address given by any of PARTS as clean texts. The default country only says how to read, it is not filled in.

    `read_lines` are lines that were read before (those of a standard form): they are kept, and the parts are believed.
    Codes: po_box, pickup_point, store, care_of, same_as_above, placeholder, unknown_country, split_line, split_city,
    country_in_text, no_number, unusual_postal_code, lost_zeros (a spreadsheet took them; they are given back).
    """
    return _read(tuple(map(parts.get, PARTS)), default_country, read_lines)


@lru_cache(maxsize=4_096)
def _read(
    values: tuple[str | None, ...], default_country: str | None, read_lines: tuple[str, ...] | None
) -> tuple[Address | None, Codes]:
    given = dict(zip(PARTS, values, strict=True))
    said = country_code(given["country"]) if given["country"] else None
    codes = ["unknown_country"] if given["country"] and said is None else []
    if read_lines is not None:
        lines, found = read_lines, _believed(given, said or default_country)
    else:
        reading = Reading(given, said, default_country)
        reading.read()
        lines, found, said = tuple(reading.lines), reading.parts, reading.said
        codes += reading.codes
    return _address(lines, found, said, default_country, given["country"], codes)


def _believed(given: Parts, country: str | None) -> Parts:
    """The parts of a standard form."""
    parts = {name: None if (text := given[name]) and tells_nothing(name, text, country) else given[name] for name in TEXTS}
    return parts | {name: standard_number(given[name]) for name in ("house_number", "unit")}


def _address(
    lines: tuple[str, ...], parts: Parts, said: str | None, default: str | None, country: str | None, codes: list[str]
) -> tuple[Address | None, Codes]:
    region, street, place, city = parts["region"], parts["street"], parts["place"], parts["city"]
    reading_country = said or default
    kinds = {kind: None for text in (*lines, street) if text and (kind := kind_of_place(text, reading_country))}
    shown, key = parts["postal_code"], None
    if shown:
        shown, key, is_usual = read_postal_code(shown, reading_country)
        if not is_usual and said:
            codes.append("unusual_postal_code")
        if shown.startswith("0") and shown == str(parts["postal_code"]).strip().zfill(len(shown)) != parts["postal_code"]:
            codes.append("lost_zeros")
    codes = [*kinds, *codes]
    if not lines and not any(parts.values()):
        return None, tuple(dict.fromkeys(codes))
    return Address(
        lines=lines,
        house_number=parts["house_number"],
        unit=parts["unit"],
        street=street,
        place=place,
        city=city,
        region=(region_code(region, reading_country) or region) if region else None,
        postal_code=shown,
        country=said or country,
        street_key=street_key(street) if street else None,
        place_key=fold(place) if place else None,
        city_key=city_key(city) if city else None,
        postal_key=key,
        shared=_is_shared(kinds, street, reading_country),
        flags=tuple(flag for flag in FLAGS if flag in kinds),
    ), tuple(dict.fromkeys(codes))


def _is_shared(kinds: Mapping[str, None], street: str | None, country: str | None) -> bool:
    """A pickup point or a store always is; a box unless there is a home beside it."""
    if not kinds:
        return False
    if any(flag in kinds for flag in SHARED_FLAGS):
        return True
    return "po_box" in kinds and (street is None or kind_of_place(street, country) == "po_box")
