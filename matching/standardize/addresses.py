"""Postal addresses: lines as received, and the parts by which two of them can be compared.

Structured fields are believed before lines are read. Shared places (PO boxes, pickup points) are marked, never evidence. A part
that is not there stays unknown; the country in particular is never invented.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from matching.record import Address
from matching.standardize import address_tables as tables
from matching.standardize.countries import country_code
from matching.standardize.localities import city_key, postal_key, read_locality
from matching.standardize.streets import StreetLine, has_street_type, is_unit, read_street_line, standard_number, street_key
from matching.standardize.text import fold
from matching.standardize.us_addresses import read_us_line

Codes = tuple[str, ...]
LINES = ("line1", "line2", "line3")
PARTS = (*LINES, "house_number", "unit", "street", "place", "city", "region", "postal_code", "country")
LONGEST_HOUSE_NUMBER = 6  # More digits in a line are a customer's number at a pickup point, or a code.
_TEXTS = ("street", "place", "city", "region", "postal_code")
_CARE_OF = re.compile(r"(?:c/o|c\.o\.|attn\.?:?|att:|z\. ?hd\.|zu h[aä]nden|bei|a/c) +\S", re.IGNORECASE)
_PO_BOX = re.compile(rf"\b(?:{'|'.join(tables.PO_BOX_WORDS)})\b|^(?:bp|cs) \d+")
_PICKUP = re.compile(rf"\b(?:{'|'.join(tables.PICKUP_WORDS)})\b")


def read_address(
    parts: Mapping[str, str], default_country: str | None = None, read_lines: tuple[str, ...] | None = None
) -> tuple[Address | None, Codes]:
    """Read an address given by any of PARTS as clean texts. The default country only says how to read, it is not filled in.

    `read_lines` are lines that were read before (those of a standard form): they are kept, and the parts are believed.
    Codes: po_box, pickup_point, care_of, same_as_above, placeholder, unknown_country, split_line.
    """
    return _read(tuple(parts.get(name) for name in PARTS), default_country, read_lines)


@lru_cache(maxsize=4_096)
def _read(
    values: tuple[str | None, ...], default_country: str | None, read_lines: tuple[str, ...] | None
) -> tuple[Address | None, Codes]:
    given = dict(zip(PARTS, values, strict=True))
    lines = read_lines if read_lines is not None else tuple(line for name in LINES if (line := given[name]))
    country = country_code(given["country"])
    reading = _Reading(given, lines, country or default_country)
    if given["country"] and country is None:
        reading.codes.append("unknown_country")
    usable = list(reading.usable_lines())
    if read_lines is None:
        reading.read(usable)
    parts = reading.parts
    if not any(parts.values()) and not lines:
        return None, tuple(reading.codes)
    box = _kind_of_place(parts["street"])
    is_shared = "pickup_point" in reading.codes or ("po_box" in reading.codes and (parts["street"] is None or box == "po_box"))
    return Address(
        lines=lines,
        house_number=parts["house_number"],
        unit=parts["unit"],
        street=parts["street"],
        place=parts["place"],
        city=parts["city"],
        region=parts["region"],
        postal_code=parts["postal_code"],
        country=country or given["country"],
        street_key=street_key(parts["street"]) if parts["street"] else None,
        place_key=fold(parts["place"]) if parts["place"] else None,
        city_key=city_key(parts["city"]) if parts["city"] else None,
        postal_key=postal_key(parts["postal_code"], country or default_country) if parts["postal_code"] else None,
        shared=is_shared,
        flags=tuple(code for code in dict.fromkeys(reading.codes) if code in {"po_box", "pickup_point", "care_of"}),
    ), tuple(dict.fromkeys(reading.codes))


class _Reading:
    """One address being read: parts fill up from the structured fields, then from the lines."""

    def __init__(self, given: dict[str, str | None], lines: tuple[str, ...], country: str | None) -> None:
        self.lines, self.country = lines, country
        self.codes: list[str] = []
        self.parts = {name: given[name] for name in _TEXTS}
        self.parts["house_number"] = standard_number(given["house_number"])
        self.parts["unit"] = standard_number(given["unit"])
        for name in _TEXTS:
            if _is_unknown(self.parts[name]):
                self.parts[name] = None
                self.codes.append("placeholder")

    def read(self, lines: list[str]) -> None:
        """Fill the parts: from the structured fields, or from the lines when no street is among them."""
        if self.parts["street"]:
            self._structured(lines)
        elif lines:
            self._from_lines(lines)

    def usable_lines(self) -> Iterator[str]:
        """The lines that may hold a street, a place or a locality; shared places and c/o are noted on the way."""
        for text in (*self.lines, self.parts["street"]):
            kind = _kind_of_place(text) if text else None
            if kind:
                self.codes.append(kind)
        for line in self.lines:
            if _kind_of_place(line) is None and not (line.isdecimal() and len(line) > LONGEST_HOUSE_NUMBER):
                yield line

    def _fill(self, name: str, value: str | None) -> None:
        if value and not self.parts[name] and not (name in _TEXTS and _is_unknown(value)):
            self.parts[name] = value

    def _structured(self, lines: list[str]) -> None:
        street = self.parts["street"] or ""
        others = [line for line in lines if line != street]
        if not has_street_type(street) and not any(char.isdigit() for char in street) and not self.parts["place"]:
            better = next((line for line in others if has_street_type(line) and not any(char.isdigit() for char in line)), None)
            if better:  # The name of a house or an estate stands where the street should.
                self._fill("place", street)
                street, others = better, []
        if not self.parts["house_number"] and _kind_of_place(street) is None:
            line = read_street_line(street, self.country)
            if line.house_number and line.street:
                self.parts["house_number"], street = line.house_number, line.street
                self._fill("unit", line.unit)
                self._fill("place", line.rest)
        self.parts["street"] = street
        self._fill("place", " ".join(line for line in others if not self._is_known(line)) or None)

    def _from_lines(self, lines: list[str]) -> None:
        lines = self._apart(lines)
        if self.country == "US" and lines and (parts := read_us_line(", ".join(lines))):
            for name, value in parts.items():
                self._fill(name, value)
            return
        read = [read_street_line(line, self.country) for line in lines]
        best = max(range(len(read)), key=lambda index: _worth(read[index], index), default=None)
        for line in read:
            self._fill("unit", line.unit)
        if best is not None:
            self._fill("house_number", read[best].house_number)
            self._fill("street", read[best].street)
        others = [line.street for index, line in enumerate(read) if index != best and line.street]
        rest = [street for street in others if street != self.parts["city"]]
        rest += [line.rest for line in read if line.rest]
        self._fill("house_number", next((line.house_number for line in read if line.street is None and line.house_number), None))
        self._fill("place", " ".join(rest) or None)

    def _apart(self, lines: list[str]) -> list[str]:
        """Without a city, a line with commas is a whole address, and a later line may be the locality."""
        if self.parts["city"]:
            return lines
        pieces = [piece.strip() for line in lines for piece in line.split(",") if piece.strip()]
        if len(pieces) > len(lines):
            self.codes.append("split_line")
        kept = pieces[:1]
        for piece in pieces[1:]:
            locality = None if is_unit(piece) else read_locality(piece, self.country)
            if locality is None:
                kept.append(piece)
                continue
            for name, value in locality.items():
                self._fill(name, value)
        is_code_alone = bool(self.parts["postal_code"]) and not self.parts["city"] and len(kept) > 1
        if is_code_alone and not read_street_line(kept[-1], self.country).house_number:
            self.parts["city"] = kept.pop()
        return kept

    def _is_known(self, line: str) -> bool:
        folded = fold(line)
        if any(folded == fold(value) for value in self.parts.values() if value) or read_locality(line, self.country):
            return True
        return bool(self.parts["house_number"]) and self._repeats_street(line)

    def _repeats_street(self, line: str) -> bool:
        read = read_street_line(line, self.country)
        return read.street is None or (self.parts["street"] is not None and fold(read.street) == fold(self.parts["street"]))


def _worth(line: StreetLine, index: int) -> tuple[bool, bool, bool, int]:
    """A line with a number and a kind of street is the street; else either of them; else the first with any text."""
    has_number = line.house_number is not None
    return line.street is not None, line.has_type and has_number, line.has_type or has_number, -index


@lru_cache(maxsize=16_384)
def _kind_of_place(text: str | None) -> str | None:
    """A code when a line is no street: po_box, pickup_point, care_of, same_as_above or placeholder."""
    if not text:
        return None
    folded = fold(text) or ""
    if _PICKUP.search(folded):
        return "pickup_point"
    if _PO_BOX.search(folded):
        return "po_box"
    if _CARE_OF.match(text):
        return "care_of"
    if folded in tables.SAME_AS:
        return "same_as_above"
    return "placeholder" if folded in tables.UNKNOWN or not folded else None


def _is_unknown(text: str | None) -> bool:
    """Say whether a part says nothing: 'unknown', 'N/A', or signs only."""
    folded = fold(text) if text else None
    return text is not None and (folded is None or folded in tables.UNKNOWN)
