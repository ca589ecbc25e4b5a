"""Flats, doors, stairs, buildings and storeys in a line: what tells two homes of one house apart, written one way.

Works on a plain line: lower case without accents, letter by letter as long as the line itself, so that places in both agree.
"""

import re
import unicodedata
from functools import lru_cache

from matching.standardize.korean_flats import korean_flat
from matching.standardize.street_tables import STOP_WORDS, TYPE_FIRST

_LETTERS = (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
_PLAIN = {
    code: base[0].lower()
    for code in _LETTERS
    if (base := unicodedata.normalize("NFD", chr(code)))[0].isascii() and base[0].isalpha()
} | {ord(letter): plain for letter, plain in zip("øØłŁđĐßıæÆœŒ", "oolldd" + "si" + "aaoo", strict=True)}

UNIT_WORDS = (
    # English
    "apartment", "apt", "apmt", "aprt", "flat", "flt", "unit", "suite", "ste", "room", "rm", "door", "shop", "lot", "studio",
    "villa", "building", "bldg", "tower", "block", "duplex", "townhouse", "trailer", "trlr",
    # French
    "appartement", "appart", "appt", "app", "porte", "batiment", "bat", "escalier", "boite", "bte", "logement",
    # German, Dutch, the north
    "wohnung", "whg", "zimmer", "top", "stiege", "stg", "tur", "bus", "lgh", "lagenhet", "leil", "bost",
    # Spanish
    "departamento", "depto", "dpto", "dto", "piso", "puerta", "pta", "escalera", "esc", "bloque", "blq", "portal", "oficina",
    "ofic", "of", "interior", "int", "casa", "torre", "manzana", "mza", "mz", "lote", "lt",
    # Portuguese
    "apartamento", "apto", "ap", "bloco", "bl", "sala", "sl", "conjunto", "conj", "cj", "edificio", "fracao",
    # Italian
    "appartamento", "interno", "scala", "palazzina", "edif",
    # Polish, Czech, Hungarian, Romanian, Turkish, Greek
    "mieszkanie", "lokal", "lok", "byt", "ajto", "lepcsohaz", "bloc", "scara", "sc", "apartamentul", "daire", "ic kapi", "diam",
    # Russian, Ukrainian, Bulgarian
    "kv", "кв", "квартира", "оф", "офис", "ап", "подъезд", "вх",
)  # fmt: skip
_FIRST_WORDS = frozenset(word.split()[0] for word in UNIT_WORDS)
# A line without any of these words is a plain name and number, if it looks like one.
SPECIAL_WORDS = _FIRST_WORDS | frozenset({
    "no", "nr", "n", "num", "numero", "number", "km", "bis", "ter", "quater", "s", "sn", "snc", "fl", "og", "eg", "dg", "em",
    "tr", "sal", "et", "kat", "hs", "huis", "hoog", "bg", "m", "lok", "d", "k", "blk", "h", "hno", "floor", "level", "stock",
    "etage", "planta", "piano", "andar", "mah", "mahallesi", "mh", "izq", "dcha", "esq", "dto", "tv", "th", "mf", "sin",
    "sem", "sans", "dom", "block", "ext", "cp", "p",
})  # fmt: skip
_VALUE = r"(\d{1,2}/\d{1,2}(?= ?,|$)|\d{1,3}-\d{1,4}(?![\d-])|\d{1,5} ?[a-z]?(?![a-z0-9])|[a-z]\d{0,4}(?![a-z0-9]))"
_WORDS = "|".join(sorted(map(re.escape, UNIT_WORDS), key=len, reverse=True))
_UNIT = re.compile(
    rf"(?:^|(?<=[ ,;(/-]))(?:{_WORDS})(?![a-z\u0430-\u044f])[.:]? ?(?:(?:no|nr|num|n)[.:]? ?(?=\d))?#? ?{_VALUE}[,)]?"
)
_HASH = re.compile(r"(?:^|(?<=[ ,]))# ?(\d{1,3}-\d{1,4}|[a-z0-9]{1,6})(?![a-z0-9-])")
_NTH_UNIT = re.compile(r"(?:^|(?<=[ ,]))(\d{1,2}) ?[ºª°o]?\.? ?piso(?![a-z])(?: ([a-z])(?![a-z]))?")

_SIDES = {
    side: short
    for short, sides in {
        "izq": "izq izda izqda izquierda izqd izdo izqdo", "dcha": "dcha dch dcho derecha der drcha dra",
        "ctro": "ctro centro cto",
        "esq": "esq esquerdo esquerda esqdo esqo", "dto": "dto direito direita drt dirto", "fte": "fte frente ft", "tv": "tv",
        "th": "th", "mf": "mf",
    }.items()
    for side in sides.split()
}  # fmt: skip
_GROUND = {
    way: form
    for form, ways in {
        "bajo": "bajo bj bajos baixo", "entlo": "entlo entresuelo", "pral": "pral principal", "atico": "atico", "st": "st",
        "kl": "kl", "rc": "r/c rc r-c res-do-chao", "ss": "ss semisotano",
    }.items()
    for way in ways.split()
}  # fmt: skip
_SIDE = "|".join(sorted(_SIDES, key=len, reverse=True))
_DOOR = re.compile(
    rf"(?:(\d{{1,2}}) ?(?:[ºª°]\.?|\.[ºª°]?|)(?: ?sal,?)? ?(?:({_SIDE})|([a-z])|(?<=[ºª°.] )(\d{{1,2}})|(?<=[ºª°])(\d{{1,2}}))"
    rf"\.?[ªº°]?|(\d{{1,2}})\.?[ºª°])\.?"
)
_GROUND_DOOR = re.compile(rf"({'|'.join(sorted(_GROUND, key=len, reverse=True))})\.?(?:[ -]+(?:({_SIDE})|([a-z0-9])))?\.?")
_NEEDS_SIDE = frozenset({"st", "kl", "ss"})
# Behind the number of a house in a line without commas: only with the sign of an ordinal, or with a side.
_DOOR_BEHIND = re.compile(
    rf"(?<=\d)[a-z]?,? +((?:\d{{1,2}} ?\.?[ºª°] ?(?:{_SIDE}|[a-z]|\d{{1,2}}[ªº]?)?|\d{{1,2}}\.? (?:{_SIDE}))\.?)$"
)
_OTHER_UNIT = re.compile(r"(?:(\d{1,2} ?hoog)(?: (?:voor|achter))?|([hlku]\d{4})|/ ?(\d{1,4}[a-z]?)|m\.? ?(\d{1,4}[a-z]?))")
_ODD_DOOR = re.compile(r"(\d{1,2})\.?[ºª°] ?([a-z]{2,6})\.?")  # '7º iqz': a door all the same.

_ROMAN = r"[ivx]{1,5}"
_FLOOR_WORDS = (
    "floor|fl|stockwerk|stock|og|obergeschoss|etage|planta|piano|verdieping|andar|pietro|этаж|эт|em|emelet|trappor|tr|sal|"
    "etaj|kat"
)
_NTH_FLOOR = rf"(?:\d{{1,2}}(?:st|nd|rd|th|ieme|eme|er|re|e|o)?|{_ROMAN}(?=\.? ?em))(?:\.|º|ª|°)? ?(?:{_FLOOR_WORDS})"
_NAMED_FLOOR = (
    "erdgeschoss|dachgeschoss|hinterhaus|vorderhaus|seitenflugel|rez[- ]de[- ]chaussee|rdc|ground floor|first floor|"
    "second floor|third floor|top floor|lower ground floor|basement"
)
_FLOOR = re.compile(
    rf"(?:^|(?<=[ ,]))(?:(?:{_NTH_FLOOR}|{_NAMED_FLOOR})\.?(?: (?:links|rechts|mitte|li|re)\b)?(?![a-z])"
    rf"(?!,? (?:{_SIDE}))|"
    r"(?:floor|level|fl|planta|piano|kat|et|etaj|etage|eta|andar) ?[.:]? ?\d{1,2})(?![a-z\u0430-\u044f])[,.]?"
)
_FLOOR_SIGNS = re.compile(_FLOOR_WORDS + "|geschoss|haus|flugel|rdc|rez|level|floor|kat|et|basement")

_GOES_ON = re.compile(r" ?(?!apt|flat|unit|porte|app)[a-z]")  # '8 Piano Lane' is a house in a street that sounds like a storey.


def plain(text: str) -> str:
    """The line in lower case without accents, as long as the line."""
    if text.isascii():
        return text.lower()
    low = text.translate(_PLAIN).lower()
    return low if len(low) == len(text) else text


def glued(values: list[str]) -> str | None:
    """Write several values of one home as one: '8' and 'a' are '8a', '3' and '14' are '3-14'."""
    found = ""
    for value in values:
        written = value.replace(" ", "")
        found += f"-{written}" if found and found[-1].isdecimal() and written[:1].isdecimal() else written
    return found or None


def door(piece: str) -> str | None:
    """A piece that is nothing but a door: '3º izq', '2ºb', '2 B', '2. tv', 'bajo A', 'r/c dto', 'H0201', 'm. 7', '/7'."""
    if match := _DOOR.fullmatch(piece):
        storey, side, *doors = match.groups()
        return glued([part for part in (storey, _SIDES.get(side or ""), *doors) if part])
    if (match := _GROUND_DOOR.fullmatch(piece)) and (match[2] or match[1] not in _NEEDS_SIDE):
        return "".join(part for part in (_GROUND[match[1]], _SIDES.get(match[2] or ""), match[3]) if part)
    if match := _OTHER_UNIT.fullmatch(piece):
        return next(value for value in match.groups() if value).replace(" ", "")
    if len(piece) == 1 and piece.isalpha():
        return piece
    if match := _ODD_DOOR.fullmatch(piece):
        return match[1] + match[2]
    return None


def take_floors(line: str) -> list[tuple[int, int]]:
    """The places of storeys in a plain line: they say nothing of the house and differ in writing."""
    if not _FLOOR_SIGNS.search(line):
        return []
    return [match.span() for match in _FLOOR.finditer(line) if match.start() or not _GOES_ON.match(line, match.end())]


def take_units(line: str, hash_is_number: bool = False) -> tuple[list[str], list[tuple[int, int]]]:
    """The values of a plain line's units in order, and their places."""
    values: list[str] = []
    spans: list[tuple[int, int]] = []
    patterns = [_NTH_UNIT, _UNIT] if not _FIRST_WORDS.isdisjoint(_words(line)) else []
    if "#" in line and not hash_is_number:
        patterns.append(_HASH)
    for pattern in patterns:
        for match in pattern.finditer(line):
            overlaps = any(start < match.end() and match.start() < end for start, end in spans)
            if not overlaps and not (pattern is _HASH and values) and not _is_name(line, match.start(), spans):
                values.append("".join(part for part in match.groups() if part))
                spans.append(match.span())
    behind = None if spans else _DOOR_BEHIND.search(line)
    if behind and (found := door(behind[1])):
        return [found], [behind.span(1)]
    return values, spans


_WORD = re.compile(r"[a-z\u0430-\u044f]+")


def _words(line: str) -> list[str]:
    return _WORD.findall(line)


def _is_name(line: str, start: int, spans: list[tuple[int, int]]) -> bool:
    """Say whether the word at a place is part of a street's name: 'Via della Scala 5', 'Rua da Torre 12'."""
    before = line[:start].split()
    if not before or line[:start].rstrip().endswith((",", ";")) or any(0 <= start - end <= 1 for _, end in spans):
        return False
    word = before[-1].strip(".")
    return word in STOP_WORDS or (len(before) == 1 and word in TYPE_FIRST and len(word) > 1)


@lru_cache(maxsize=16_384)
def read_unit(text: str) -> str | None:
    """The unit that a field of its own holds, without the words around it; None when no form is known."""
    line = plain(text).strip(" ,;/-")
    if found := door(line):
        return found
    if (flat := korean_flat(line)) and flat[1] == (0, len(line)):
        return flat[0]
    values, spans = take_units(line)
    rest = "".join(sign for place, sign in enumerate(line) if not any(start <= place < end for start, end in spans))
    for start, end in take_floors(rest):
        rest = rest[:start] + " " * (end - start) + rest[end:]
    rest = rest.strip(" ,;/-.")
    if values and not rest:
        return glued(values)
    if values and (found := door(rest)):
        return glued([*values, found])
    return None
