"""Reads one address as received: its fields first, then its lines, until every part that is told has its place.

It fills parts and gathers codes; keys and flags are made of the parts elsewhere.
"""

import re
from collections.abc import Iterable

from matching.standardize.cities import city_key
from matching.standardize.country_rules import country_of_shape
from matching.standardize.flats import glued
from matching.standardize.localities import (
    PLATE_COUNTRIES,
    Locality,
    country_in_line,
    country_of_plate,
    read_city,
    read_locality,
    region_code,
)
from matching.standardize.places import is_unknown, kind_of_place
from matching.standardize.street_keys import has_street_type
from matching.standardize.streets import (
    StreetLine,
    number_and_unit,
    read_street_line,
    says_no_number,
    standard_number,
    standard_unit,
)
from matching.standardize.text import fold
from matching.standardize.us_addresses import is_plain, read_us_line

LINES = ("line1", "line2", "line3")
TEXTS = ("street", "place", "city", "region", "postal_code")
_NOBODYS_NUMBER = re.compile(r"\d{7,}")  # So many digits are a customer's number at a pickup point, or a code.
_WORD = re.compile(r"[^\W\d_]{3,}")
_LONGEST_AMBIGUOUS_CODE = 4  # Four digits behind a street may as well be its house number.


class Reading:
    """One address being read. `parts` fill up; `said` is the country that the address itself names, in its field or elsewhere."""

    def __init__(self, given: dict[str, str | None], said: str | None, default_country: str | None) -> None:
        self.lines = [line for name in LINES if (line := given[name])]
        self.said, self.country = said, said or default_country
        self.codes: list[str] = []
        self.parts = {name: given[name] for name in TEXTS}
        self._house_number, self._unit = given["house_number"], given["unit"]
        self._has_shared_line = False

    def read(self) -> None:
        """Fill the parts: from the structured fields, then from the lines."""
        self._drop_unknown()
        self._read_plate()
        self._read_city_field()
        self._read_numbers()
        lines = self._usable_lines()
        if self.parts["street"]:
            self._structured(lines)
        elif lines:
            self._from_lines(lines)
        for name in TEXTS:
            if (value := self.parts[name]) and tells_nothing(name, value, self.country):
                self.parts[name] = None
        self._join_letter()

    def _join_letter(self) -> None:
        """A single letter is part of a Dutch house number, whatever stands between them."""
        number, unit = self.parts["house_number"], self.parts["unit"]
        if self.country == "NL" and number and unit and number.isdecimal() and len(unit) == 1 and unit.isalpha():
            self.parts["house_number"], self.parts["unit"] = number + unit, None

    # fields

    def _read_plate(self) -> None:
        """A-1010 Wien is in Austria, where nothing else names the country and addresses of such countries may come."""
        if self.said is None and (self.country is None or self.country in PLATE_COUNTRIES):
            fields = [(text, False) for name in ("postal_code", "city") if (text := self.parts[name])]
            told = (country_of_plate(text, in_line) for text, in_line in [*fields, *((line, True) for line in self.lines)])
            self._name_country(next(filter(None, told), None))

    def _drop_unknown(self) -> None:
        for name in TEXTS:
            text = self.parts[name]
            is_as_above = name == "street" and text is not None and kind_of_place(text, self.country) == "same_as_above"
            if text and (is_as_above or tells_nothing(name, text, self.country)):
                self.parts[name] = None
                self.codes.append("placeholder")
                self._keep(text)

    def _read_city_field(self) -> None:
        """The city; with what else stands in its field, or in that of the postal code."""
        code, city = self.parts["postal_code"], self.parts["city"]
        if code and not city and _WORD.search(code) and (found := read_locality(code, self.country)) and "city" in found:
            self._believe(code, found)
        if not city:
            return
        found = read_city(city, self.country, self.said is not None)
        if len(found) > 1:
            self.codes.append("split_city")
            self._believe(city, found)

    def _believe(self, text: str, found: Locality) -> None:
        """Take the parts of a field that held several; the whole is kept as a line where a part of it would be lost."""
        is_lost = any(self.parts[name] and self.parts[name] != found[name] for name in ("region", "postal_code") if name in found)
        if is_lost and self.parts["postal_code"] != text:
            self._keep(text)
        self._name_country(found.get("country"))
        self.parts["city"] = found["city"] if "city" in found else self.parts["city"]
        if self.parts["postal_code"] == text:
            self.parts["postal_code"] = None
        self._fill_locality(found)

    def _name_country(self, country: str | None) -> None:
        if country and self.said is None:
            self.said = self.country = country
            self.codes.append("country_in_text")

    def _read_numbers(self) -> None:
        number, unit = self._house_number, self._unit
        if number and says_no_number(number):
            self.codes.append("no_number")
            number = None
        if number and not unit:
            number, unit = number_and_unit(number, self.country)
        self.parts["house_number"] = standard_number(number)
        self.parts["unit"] = standard_unit(unit) if unit else None

    def _keep(self, text: str) -> None:
        """Keep what a field said as a line, so that nothing is lost."""
        if len(self.lines) < len(LINES) and text not in self.lines:
            self.lines.append(text)

    # lines

    def _usable_lines(self) -> list[str]:
        """The lines that may hold a street, a place or a locality: no shared place, no c/o, no customer's number."""
        found, is_pickup = [], False
        for line in self.lines:
            kind = kind_of_place(line, self.country)
            if kind is None:
                found.append(line)
                continue
            self._has_shared_line = self._has_shared_line or kind not in {"care_of", "placeholder"}
            is_pickup = is_pickup or kind == "pickup_point"
            if "," in line:
                found += [piece.strip() for piece in line.split(",") if kind_of_place(piece, self.country) is None]
        limit = _NOBODYS_NUMBER
        return [line for line in found if not (limit.search(line) if is_pickup else limit.fullmatch(line))]

    def _fill(self, name: str, value: str | None) -> None:
        if value and not self.parts[name]:
            self.parts[name] = value

    def _fill_locality(self, found: Locality) -> None:
        for name in ("city", "region", "postal_code"):
            self._fill(name, found.get(name))

    def _structured(self, lines: list[str]) -> None:
        street = self._street_without_names(self.parts["street"] or "")
        others = [line for line in lines if line != street]
        if not has_street_type(street) and not any(char.isdigit() for char in street) and not self.parts["place"]:
            better = next((line for line in others if has_street_type(line) and not any(char.isdigit() for char in line)), None)
            if better:  # The name of a house or an estate stands where the street should.
                self._fill("place", street)
                street, others = better, []
        units: list[str | None] = []
        if kind_of_place(street, self.country) is None:
            line = read_street_line(street, self.country)
            self._no_number(line)
            if line.street and self._house_number_agrees(line):
                self._fill("house_number", line.house_number)
                street = line.street
                units.append(line.unit)
                self._keep_place(line.rest)
        self.parts["street"] = street or None
        read = [read_street_line(line, self.country) for line in others]
        self._fill("unit", glued([unit for unit in dict.fromkeys((*units, *(line.unit for line in read))) if unit]))
        self._keep_place(
            piece for line, text in zip(read, others, strict=True) if line.street or line.rest for piece in self._told(line, text)
        )

    def _told(self, line: StreetLine, text: str) -> Iterable[str]:
        """What a line beside the street says of the place."""
        pieces = (line.street, *line.rest) if line.unit or not line.house_number else (text,)
        return (piece for piece in pieces if piece)

    def _street_without_names(self, street: str) -> str:
        """Take c/o and the like out of a street's field; the whole is kept as a line, or nothing is taken."""
        pieces = [piece.strip() for piece in street.split(",")]
        kept = [piece for piece in pieces if piece and kind_of_place(piece, self.country) != "care_of"]
        if len(kept) == len(pieces) or not kept or len(self.lines) == len(LINES):
            return street
        self._keep(street)
        return ", ".join(kept)

    def _house_number_agrees(self, line: StreetLine) -> bool:
        """A number in the street's field is taken out when none is given, or the same one."""
        known = self.parts["house_number"]
        if line.house_number is None:
            return bool(line.unit or line.says_no_number) and has_street_type(line.street)
        return known is None or line.house_number == known

    def _no_number(self, line: StreetLine) -> None:
        if line.says_no_number:
            self.codes.append("no_number")

    def _from_lines(self, lines: list[str]) -> None:
        lines = self._apart(lines)
        read = [read_street_line(line, self.country) for line in lines]
        best = max(range(len(read)), key=lambda index: _worth(read[index], index), default=None)
        if best is None:
            return
        if self.country == "US" and not is_plain(read[best]) and (parts := read_us_line(", ".join(lines))):
            for name, value in parts.items():
                self._fill(name, value)
            return
        self._fill("unit", glued([unit for unit in dict.fromkeys(line.unit for line in read) if unit]))
        self._fill("house_number", read[best].house_number)
        self._fill("street", read[best].street)
        for line in read:
            self._no_number(line)
        rest = [piece for index, line in enumerate(read) if index != best and line.street for piece in (line.street, *line.rest)]
        self._fill("house_number", next((line.house_number for line in read if line.street is None and line.house_number), None))
        self._keep_place((*rest, *read[best].rest))

    def _keep_place(self, pieces: Iterable[str]) -> None:
        """What lines say besides street and locality is the place."""
        told = [piece for piece in pieces if not self._is_known(piece)]
        self._fill("place", " ".join(dict.fromkeys(told)) or None)

    def _is_known(self, piece: str) -> bool:
        folded = fold(piece)
        if folded is None or any(folded == fold(value) for value in self.parts.values() if value):
            return True
        if kind_of_place(piece, self.country) or is_unknown(piece) or self._is_country(piece):
            return True
        if locality := read_locality(piece, self.country):
            if not self.parts["city"] or city_key(locality.get("city", "")) == city_key(self.parts["city"]):
                self._fill_locality(locality)
            return True
        parts = read_city(piece, self.country)
        if len(parts) > 1 and self.parts["city"] and city_key(parts["city"]) == city_key(self.parts["city"]):
            self._fill_locality(parts)
            return True
        return bool(self.parts["house_number"]) and self._repeats_street(piece)

    def _is_country(self, piece: str) -> bool:
        found = country_in_line(piece, is_sure=not (self.said or self.parts["city"]))
        if found is None or self.said not in {None, found}:
            return False
        self._name_country(found)
        return True

    def _repeats_street(self, piece: str) -> bool:
        read = read_street_line(piece, self.country)
        return read.street is None or (self.parts["street"] is not None and fold(read.street) == fold(self.parts["street"]))

    # a whole address in lines

    def _apart(self, lines: list[str]) -> list[str]:
        """Without a city, a line with commas is a whole address, and a later line may be the locality; they are taken out."""
        if self.parts["city"]:
            return lines
        pieces = [(number, piece.strip()) for number, line in enumerate(lines) for piece in line.split(",") if piece.strip()]
        if len(pieces) > len(lines):
            self.codes.append("split_line")
        if len(pieces) > 1 and self._is_country(pieces[-1][1]):
            pieces.pop()
        if self.country is None:
            self.country = next((country for _, piece in reversed(pieces) if (country := country_of_shape(piece))), None)
        kept = self._without_localities(pieces)
        if len(kept) > 1 and self.parts["city"] and self._is_country(kept[-1][1]):
            kept.pop()
        is_told = self.parts["postal_code"] or self._has_shared_line or (len(lines) == 1 and _has_street(kept))
        if is_told and not self.parts["city"]:
            self._take_city(kept)
        return [
            ", ".join(piece for number, piece in kept if number == line) for line in dict.fromkeys(number for number, _ in kept)
        ]

    def _without_localities(self, pieces: list[tuple[int, str]]) -> list[tuple[int, str]]:
        kept: list[tuple[int, str]] = []
        for index, (number, piece) in enumerate(pieces):
            locality = self._locality(piece) if index or self._may_begin(pieces) else None
            if locality is None:
                kept.append((number, piece))
                continue
            city = locality.get("city")
            if city and len(kept) > 1 and _is_name(kept[-1][1]) and (region := region_code(city, self.country)):
                locality = {"postal_code": locality["postal_code"], "region": region}  # 'Guildford, Surrey GU1 3DL'
            self._fill_locality(locality)
        return kept

    def _may_begin(self, pieces: list[tuple[int, str]]) -> bool:
        """A locality stands first behind a shared place, alone with an unmistakable code, or where the street follows it."""
        first = pieces[0][1]
        if self._has_shared_line or first.startswith("〒"):
            return True
        rest = [read_street_line(piece, self.country) for _, piece in pieces[1:2]]
        return any(line.house_number and has_street_type(line.street) for line in rest) and not has_street_type(first)

    def _locality(self, piece: str) -> Locality | None:
        locality = read_locality(piece, self.country)
        if locality is None:
            return None
        code, city = locality["postal_code"], locality.get("city")
        if code.isdecimal() and len(code) <= _LONGEST_AMBIGUOUS_CODE and has_street_type(city):
            return None
        read = read_street_line(piece, self.country)
        return None if read.street is None and read.unit else locality

    def _take_city(self, kept: list[tuple[int, str]]) -> None:
        """The last piece that is only a name is the city, behind its region if that is named, when a street stands before it."""
        least = 0 if self._has_shared_line else 1
        if len(kept) > least + 1 and _is_name(kept[-2][1]) and (region := region_code(kept[-1][1], self.country)):
            self._fill("region", region)
            kept.pop()
        if len(kept) > least and _is_name(kept[-1][1]) and not read_street_line(kept[-1][1], self.country).unit:
            found = read_city(kept.pop()[1], self.country, self.said is not None)
            self._name_country(found.get("country"))
            self._fill_locality(found)


def _has_street(pieces: list[tuple[int, str]]) -> bool:
    """Say whether a piece before the last looks like a street, so that the last may be a city."""
    return any(any(char.isdecimal() for char in piece) or has_street_type(piece) for _, piece in pieces[:-1])


def tells_nothing(name: str, text: str, country: str | None) -> bool:
    """Say whether a part says nothing. NA is the province of Naples, not a missing value."""
    return is_unknown(text) and not (name == "region" and region_code(text, country))


def _is_name(piece: str) -> bool:
    return not any(char.isdecimal() for char in piece) and not has_street_type(piece) and kind_of_place(piece) is None


def _worth(line: StreetLine, index: int) -> tuple[bool, bool, bool, int]:
    """A line with a number and a kind of street is the street; else either of them; else the first with any text."""
    has_number = line.house_number is not None
    return line.street is not None, line.has_type and has_number, line.has_type or has_number, -index
