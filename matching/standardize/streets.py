"""The line of a street: house number, unit and name apart, and a key in which types and directions are written one way."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from matching.standardize import country_rules as rules
from matching.standardize import street_tables as tables
from matching.standardize.country_lines import EDGES, Line, take_unit
from matching.standardize.flats import SPECIAL_WORDS, door, glued, plain, read_unit, take_floors, take_units
from matching.standardize.street_keys import has_street_type
from matching.standardize.text import fold

_LETTER = "[a-z\u0430-\u0433]"
_NO_WORD = r"(?![a-z0-9\u0430-\u044f]|\. ?[a-z])"
_PART = rf"\d{{1,5}}(?: ?{_LETTER}{_NO_WORD})?|{_LETTER}{_NO_WORD}"
_NUMBER = rf"\d{{1,6}}(?:k\d{{1,2}}| ?{_LETTER}{_NO_WORD})?(?: ?[-/+] ?(?:{_PART})){{0,2}}(?! ?[ºª°])"
_SIDE_NUMBER = _NUMBER.replace(rf"| ?{_LETTER}", rf"|{_LETTER}", 1)  # Without a space, so that 'E' stays with its street.
_WORD = (
    r"(?:(?:no\.? ?ext|numero exterior|no|nr|nº|n°|n|№|#|nummer|numero|number|num|nro|hnr|hno|h\. ?no|house no|door no|plot no|"
    r"blk|dom|д|дом|буд|c\. ?p|km(?=$))[.:º°]?[:]? ?)?"
)
_BIS = r"(?: ?(?:bis|ter|quater)(?![a-z]))?"  # A second house of the same number; left out, as sources often leave it out.
_FRACTION = r"\d{1,6}[ -][123]/[234]"
_IS_FRACTION = re.compile(_FRACTION)
_NUMBER_FIRST = re.compile(rf"{_WORD}({_FRACTION}|{_NUMBER}){_BIS}[,.;]? +(?=\S)")
_SIDE_NUMBER_FIRST = re.compile(rf"{_WORD}({_FRACTION}|{_SIDE_NUMBER}){_BIS}[,.;]? +(?=\S)")
_NUMBER_LAST = re.compile(rf"(?:[ .]|(?<=#)){_WORD}({_NUMBER}){_BIS}\.?$")
_ONLY_NUMBER = re.compile(rf"{_WORD}({_FRACTION}|{_NUMBER}){_BIS}\.?")
_UNIT_BEHIND = re.compile(r"(\d{1,5}[a-z]?) ?/ ?(\d{1,4}[a-z]?(?:/\d{1,4}[a-z]?)?)(?!\S)")
_NO_NUMBER = re.compile(
    r"(?:^|[ ,]+)(?:s ?/ ?n[ºo°]?|s/n\.?º?|s\. ?n\.|snc|s\. ?n\. ?c|sin numero|"
    r"sem numero|sans numero|\u0431/н|bez numeru)\.?(?=$|[ ,])"
)
_ORDINAL_SIGNS = re.compile(r"(?<=\d)(?:\.?[ºª°]|\.(?=[a-z]))")
_SECOND_HOUSE = re.compile(r"(?<=\d)(?:bis|ter|quater)$")
_SPACES = re.compile(r" ?([-/+]) ?| ")
_NUMBER_WORDS = re.compile(rf"^{_WORD}(?=\d)")
_CYRILLIC = str.maketrans("\u0430\u0431\u0432\u0433\u0434", "abvgd")
_YEARS = range(1_700, 2_050)  # Such a number behind a street's name is rather a date in it.
_NOT_LAST = tables.STOP_WORDS | {"km", "highway", "hwy", "route", "rte"}
_NUMBERED_LAST = frozenset(
    {"road", "rd", "highway", "hwy", "route", "rte", "line", "concession", "county", "interstate", "us", "sr"}
)
_SIMPLE_FIRST = re.compile(r"(\d{1,5}[a-z]?),? ([a-z][a-z'\u2019 .-]*[a-z]\.?)")
_SIMPLE_LAST = re.compile(r"((?:c/ ?)?[a-z][a-z'\u2019 .-]*[a-z]\.?),? (\d{1,5}[a-z]?)")
_NO_PARTS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StreetLine:
    """What one line says. `has_type` tells that a word of it is a kind of street; `rest` is what belongs to neither part."""

    street: str | None
    house_number: str | None = None
    unit: str | None = None
    has_type: bool = False
    rest: tuple[str, ...] = _NO_PARTS
    says_no_number: bool = False


def read_street_line(text: str, country: str | None) -> StreetLine:
    """Take unit and house number out of a line; the rest is the street. The number is sought where the country writes it."""
    line = plain(text)
    return _simple(text, line, country) or _simple_with_unit(text, line, country) or _read(text, line, country)


def _simple(text: str, line: str, country: str | None) -> StreetLine | None:
    """The reading of a line that is only a name and a number, as most are; None for any other."""
    match = (_SIMPLE_FIRST if country in rules.NUMBER_FIRST else _SIMPLE_LAST).fullmatch(line)
    if match is None and country is None:
        match = _SIMPLE_FIRST.fullmatch(line)
    if match is None:
        return None
    number, name = (1, 2) if line[0].isdecimal() else (2, 1)
    words = match[name].replace(".", " ").split()
    if not SPECIAL_WORDS.isdisjoint(words):
        return None
    if number == 1 and len(words[0]) == 1 and match[2][1] != "." and country not in rules.SIDES_BEFORE_STREET:
        return None
    if number == 2 and (words[-1] in tables.MONTHS or _numbers_follow(words)):
        return None
    street = text[match.start(name) : match.end(name)]
    return StreetLine(street, standard_number(match[number]), None, has_street_type(street))


def _simple_with_unit(text: str, line: str, country: str | None) -> StreetLine | None:
    """The reading of a simple line with a flat behind its last comma."""
    head, comma, tail = line.rpartition(", ")
    if not comma or not (street := _simple(text[: len(head)], head, country)):
        return None
    unit = _read(text[-len(tail) :], tail, country) if tail else None
    if unit is None or unit.unit is None or unit.street or unit.house_number or unit.rest:
        return None
    return StreetLine(street.street, street.house_number, unit.unit, street.has_type)


@lru_cache(maxsize=16_384)
def _read(text: str, plain_text: str, country: str | None) -> StreetLine:
    line = Line(text, plain_text)
    says_no_number = False
    if match := _NO_NUMBER.search(line.plain):
        says_no_number = True
        line.cut(*match.span())
    floors = take_floors(line.plain)
    for start, end in reversed(floors):
        line.cut(start, end)
    quarter, unit = take_unit(line, country)
    if unit is None:
        values, spans = take_units(line.plain, country in rules.HASH_IS_NUMBER)
        for start, end in sorted(spans, reverse=True):
            line.cut(start, end)
        unit = glued(values)
    pieces, doors = _without_doors(line.pieces(), unit is not None)
    unit = glued([part for part in (unit, doors) if part])
    if len(pieces) > 1 and _ONLY_NUMBER.fullmatch(pieces[0][1]):
        pieces, unit = _number_alone_first(pieces, unit, country)
    best = _street_piece(pieces, country)
    house_number, street = _house_number(*pieces[best], country) if pieces else (None, None)
    rest = [quarter] if quarter else []
    for index, (shown, low) in enumerate(pieces):
        if index == best:
            continue
        if house_number is None and (match := _ONLY_NUMBER.fullmatch(low)):
            house_number = match[1]
        elif floors and unit is None and (match := _ONLY_NUMBER.fullmatch(low)):
            unit = match[1]  # The door of a storey: 'u. 12. II. em. 3.'
        else:
            rest.append(shown)
    found = None if says_no_number else standard_number(house_number), standard_number(unit)
    return StreetLine(street, *found, has_street_type(street), tuple(rest), says_no_number)


def _without_doors(pieces: list[tuple[str, str]], has_unit: bool) -> tuple[list[tuple[str, str]], str | None]:
    """Take a piece that is only a door out, unless it is the only piece with a name."""
    kept, found = [], None
    for index, (shown, low) in enumerate(pieces):
        value = door(low) if (index or len(pieces) == 1) and found is None else None
        if value is None or (has_unit and low.isdecimal()) or (len(pieces) == 1 and _ONLY_NUMBER.fullmatch(low)):
            kept.append((shown, low))
        else:
            found = value
    return kept, found


def _number_alone_first(
    pieces: list[tuple[str, str]], unit: str | None, country: str | None
) -> tuple[list[tuple[str, str]], str | None]:
    """'12, rue X' is a number and its street; '2/1, 15 Argyle Street' a flat before them."""
    (number, low), (street, low_street), *others = pieces
    if _NUMBER_FIRST.match(low_street) and country in rules.NUMBER_FIRST and unit is None:
        return [(street, low_street), *others], low
    return [(f"{number} {street}", f"{low} {low_street}"), *others], unit


def _street_piece(pieces: list[tuple[str, str]], country: str | None) -> int:
    """The piece that is the street: one with a kind of street and a number, else either of them, else the first."""
    if len(pieces) < 2:
        return 0
    best, most = 0, -1
    for index, (shown, low) in enumerate(pieces):
        number, street = _house_number(shown, low, country)
        has_type = has_street_type(street)
        next_is_number = index + 1 < len(pieces) and _ONLY_NUMBER.fullmatch(pieces[index + 1][1]) is not None
        worth = 0 if street is None else 2 * has_type + 2 * (number is not None or next_is_number) + 1
        if worth > most:
            best, most = index, worth
    return best


def _house_number(text: str, low: str, country: str | None) -> tuple[str | None, str | None]:
    if match := _ONLY_NUMBER.fullmatch(low):
        return match[1], None
    is_first = country in rules.NUMBER_FIRST
    if country and not is_first and (found := _number_behind(text, low, is_first)):
        return found
    pattern = _SIDE_NUMBER_FIRST if country in rules.SIDES_BEFORE_STREET else _NUMBER_FIRST
    if match := pattern.match(low):
        return match[1], text[match.end() :].strip(EDGES) or None
    found = _number_behind(text, low, is_first) if country is None or is_first else None
    if found and (country is None or (has_street_type(found[1]) and not _is_year(found[0]))):
        return found
    return None, text or None


def _number_behind(text: str, low: str, is_first: bool) -> tuple[str, str] | None:
    match = _NUMBER_LAST.search(low, max(0, len(low) - 28))
    if match is None:
        return None
    before = text[: match.start()].strip(EDGES + "#")
    words = (fold(before) or "").split()
    if not words or _numbers_follow(words) or (words[-1] in tables.MONTHS and (is_first or _is_year(match[1]))):
        return None
    return match[1], before


def _numbers_follow(words: list[str]) -> bool:
    """Say whether a number behind these words is part of a road's name: 'Calle 5', 'County Road 12', 'Rue du 8'."""
    if len(words) == 1:
        return words[0] in tables.NUMBERED_ROADS or words[0] in _NOT_LAST
    return words[-1] in _NOT_LAST or words[-1] in _NUMBERED_LAST


def _is_year(number: str) -> bool:
    return number.isdecimal() and int(number) in _YEARS


@lru_cache(maxsize=16_384)
def standard_number(text: str | None) -> str | None:
    """Write a house or unit number one way: lower case, no spaces, no 'No.', no º, no '.0' of a spreadsheet; None for nought."""
    written = text.lower().translate(_CYRILLIC) if text else ""
    # Composed again: a letter may stand before an accent that belonged to another letter, or to none.
    while written != (shorter := unicodedata.normalize("NFC", _shorter(written))):
        written = shorter
    return None if written.strip("0") == "" else written


def _shorter(number: str) -> str:
    low = _NUMBER_WORDS.sub("", number)
    if _IS_FRACTION.fullmatch(low):
        return low.replace(" ", "-")
    squeezed = _ORDINAL_SIGNS.sub("", _SPACES.sub(lambda match: match[1] or "", low))
    return _SECOND_HOUSE.sub("", squeezed).removesuffix(".0").strip(".,:;#/- ")


def says_no_number(text: str) -> bool:
    """Say whether a house number's field says that there is none: s/n, snc, sin número."""
    return _NO_NUMBER.fullmatch(plain(text)) is not None


def number_and_unit(text: str, country: str | None) -> tuple[str, str | None]:
    """The number in a field of its own, and the unit where the country writes it behind a slash."""
    match = _UNIT_BEHIND.fullmatch(plain(text)) if country in rules.UNIT_AFTER_SLASH else None
    return (match[1], match[2].replace("/", "-")) if match else (text, None)


@lru_cache(maxsize=16_384)
def standard_unit(text: str) -> str | None:
    """Write a unit one way, without the words for it: 'Flat 2C' and '2c' are '2c'."""
    return standard_number(read_unit(text) or text)
