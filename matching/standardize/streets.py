"""The line of a street: house number, unit and name apart, and a key in which types and directions are written one way."""

import re
from dataclasses import dataclass
from functools import lru_cache

from matching.standardize import address_tables as tables
from matching.standardize.text import fold

_NUMBER = r"\d{1,6}(?: ?[a-z](?![a-z]))?(?: ?[-/+] ?(?:\d{1,5}(?: ?[a-z](?![a-z]))?|[a-z](?![a-z]))){0,2}"
_NUMBER_WORD = r"(?:(?:no|nr|nº|n°|n|№|#|nummer|numero|número|num|hnr|dom|casa|д|дом)[.:]? ?)?"
_BIS = r"(?: ?(?:bis|ter|quater)(?!\w))?"  # A second house of the same number; left out, as sources often leave it out.
_NUMBER_FIRST = re.compile(rf"{_NUMBER_WORD}({_NUMBER}){_BIS}[,.;]? +(?=\S)", re.IGNORECASE)
_NUMBER_LAST = re.compile(rf"[ .]{_NUMBER_WORD}({_NUMBER}){_BIS}$", re.IGNORECASE)
_ONLY_NUMBER = re.compile(rf"{_NUMBER_WORD}({_NUMBER}){_BIS}", re.IGNORECASE)
_UNIT_VALUE = r"(?:no\.? ?|nr\.? ?|# ?)?(\d{1,5} ?[a-z]?|[a-z]\d{0,4})(?![a-z0-9])"
_UNIT = re.compile(rf"(?:^|[ ,;(])(?:{'|'.join(tables.UNIT_WORDS)})\.?:? ?{_UNIT_VALUE}[,)]?", re.IGNORECASE)
_HASH_UNIT = re.compile(r"[ ,]# ?([a-z0-9]{1,6})(?![a-z0-9-])", re.IGNORECASE)
_POLISH_UNIT = re.compile(r"(?<=\d)([a-z]?),? ?m\.? ?(\d{1,4}[a-z]?)$", re.IGNORECASE)
_SLASH_UNIT = re.compile(r"(\d{1,4}[a-z]?) ?/ ?(?=\d{1,5}[a-z]? )", re.IGNORECASE)
_FLOOR_WORDS = "floor|fl|stock|og|etage|étage|piso|planta|piano|verdieping|andar|piętro|эт|этаж"
_NTH_FLOOR = rf"\d{{1,2}}(?:st|nd|rd|th|er|e|\.|º|ª|°)? ?(?:{_FLOOR_WORDS})"
_FLOOR = re.compile(rf"(?:^|[ ,])(?:{_NTH_FLOOR}|(?:floor|level) \d{{1,2}})(?![a-z])", re.IGNORECASE)
_SPANISH_DOOR = re.compile(r"(\d{1,2}[ºª°.]? ?(?:izqda?|izq|dcha|dch|der|ctro|centro|[a-z])\.?|\d{1,2}[ºª°])", re.IGNORECASE)
_ORDINAL_SIGNS = re.compile(r"(?<=\d)(?:\.?[ºª°]|\.(?=[a-z]))")
_SECOND_HOUSE = re.compile(r"(?<=\d)(?:bis|ter|quater)$")
_SPACES = re.compile(r" ?([-/+]) ?| ")
_NUMBER_WORDS = re.compile(rf"^{_NUMBER_WORD}(?=\d)", re.IGNORECASE)
_APART = re.compile(r" ?[,;] ?| - ")
_EDGES = " ,;/-()"
_SLASH_COUNTRIES = frozenset({"AU", "NZ"})
_NOT_BEFORE_HOUSE_NUMBERS = tables.MONTHS | {"km", "highway", "hwy", "route", "rte"}


@dataclass(frozen=True, slots=True)
class StreetLine:
    """What one line says. `has_type` tells that a word of it is a kind of street; `rest` is what belongs to neither part."""

    street: str | None
    house_number: str | None = None
    unit: str | None = None
    has_type: bool = False
    rest: str | None = None


@lru_cache(maxsize=65_536)
def read_street_line(text: str, country: str | None) -> StreetLine:
    """Take unit and house number out of a line; the rest is the street. The number is sought where the country writes it."""
    unit = None
    text = _FLOOR.sub(" ", text)
    if country in _SLASH_COUNTRIES and (match := _SLASH_UNIT.match(text)):
        unit, text = match[1], text[match.end() :]
    if unit is None and (match := _POLISH_UNIT.search(text)):
        unit, text = match[2], text[: match.start()] + match[1]
    for pattern in (_UNIT, _HASH_UNIT):
        if unit is None and (match := pattern.search(" " + text)):
            unit = match[1]
            text = f"{' ' + text[: match.start() - 1] if match.start() else ''} {text[match.end() - 1 :]}"
    pieces = [piece for part in _APART.split(" ".join(text.split())) if (piece := part.strip(_EDGES))]
    if len(pieces) > 1 and _ONLY_NUMBER.fullmatch(pieces[0]):
        pieces[:2] = [f"{pieces[0]} {pieces[1]}"]
    house_number, street = _house_number(pieces[0], country) if pieces else (None, None)
    rest = []
    for piece in pieces[1:]:
        if house_number is None and (match := _ONLY_NUMBER.fullmatch(piece)):
            house_number = match[1]
        elif unit is None and (match := _SPANISH_DOOR.fullmatch(piece)):
            unit = match[1]
        else:
            rest.append(piece)
    found = standard_number(house_number), standard_number(unit)
    return StreetLine(street, *found, has_street_type(street), " ".join(rest) or None)


def is_unit(text: str) -> bool:
    """Say whether a line holds nothing but a flat, a floor or a door."""
    return not _UNIT.sub("", " " + _FLOOR.sub("", " " + text)).strip(_EDGES)


def _house_number(text: str, country: str | None) -> tuple[str | None, str | None]:
    if match := _ONLY_NUMBER.fullmatch(text):
        return match[1], None
    if match := _NUMBER_FIRST.match(text):
        return match[1], text[match.end() :].strip(_EDGES) or None
    match = _NUMBER_LAST.search(text[-24:]) if country not in tables.NUMBER_FIRST else None
    if match:
        before = text[: len(text) - len(match[0])].strip(_EDGES)
        words = (fold(before) or "").split()
        if words and (len(words) > 1 or words[0] not in tables.NUMBERED_ROADS) and words[-1] not in _NOT_BEFORE_HOUSE_NUMBERS:
            return match[1], before
    return None, text or None


@lru_cache(maxsize=16_384)
def standard_number(text: str | None) -> str | None:
    """Write a house or unit number one way: lower case, no spaces, no 'No.', no º, no '.0' of a spreadsheet."""
    if not text:
        return None
    squeezed = _SPACES.sub(lambda match: match[1] or "", _NUMBER_WORDS.sub("", text.lower()))
    squeezed = _SECOND_HOUSE.sub("", _ORDINAL_SIGNS.sub("", squeezed))
    while squeezed != (stripped := squeezed.removesuffix(".0").strip(".,:;#/- ")):
        squeezed = stripped
    return squeezed or None


@lru_cache(maxsize=65_536)
def has_street_type(text: str | None) -> bool:
    """Say whether a line names a kind of street, as its first or last word or glued to one."""
    words = (fold(text) or "").split() if text else []
    if len(words) > 1 and (words[-1] in tables.TYPE_LAST or (words[0] in tables.TYPE_FIRST and len(words[0]) > 1)):
        return True
    return any(_unglued(word) for word in words[-1:])


@lru_cache(maxsize=65_536)
def street_key(text: str) -> str | None:
    """Fold a street name; its type is written one way and comes last, articles go, directions and ordinals are shortened.

    Never empty for a text that folds to something: 'The Avenue' stays whole.
    """
    words = (fold(text) or "").split()
    if not words:
        return None
    kind = None
    if len(words) > 1 and words[-1] in tables.TYPE_LAST:
        kind = tables.TYPE_LAST[words.pop()]
    elif len(words) > 1 and words[0] in tables.TYPE_FIRST:
        kind = tables.TYPE_FIRST[words.pop(0)]
    elif apart := _unglued(words[-1]):
        words[-1], kind = apart[0], tables.TYPE_LAST.get(apart[1], apart[1])
    names = [tables.ORDINALS.get(word, word) for word in words if word not in tables.STOP_WORDS] or words
    if len(names) > 1:
        names = [tables.DIRECTIONS.get(word, word) for word in names]
    return " ".join((*names, kind) if kind else names)


def _unglued(word: str) -> tuple[str, str] | None:
    for kind in tables.GLUED if word.endswith(tables.GLUED) else ():
        if word.endswith(kind) and len(word) - len(kind) >= 3:
            return word[: -len(kind)], kind
    return None
