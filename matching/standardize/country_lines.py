"""A street's line beside its plain twin, and the units that only one country writes so: cut out of both together."""

import re

from matching.standardize.country_rules import UNIT_AFTER_SLASH, UNIT_BEFORE_HYPHEN, UNIT_BEFORE_SLASH
from matching.standardize.korean_flats import korean_flat

EDGES = " ,;/-()"
_APART = re.compile(r" ?[,;]+ ?|(?<!\d) - | - (?!\d{1,4}[a-z]?(?:$|[ ,]))| \(")
_QUARTER = re.compile(r"(.+? (?:mahallesi|mah|mh)\.?),? (?=\S)")
_ANYWHERE = re.compile(r"(?<=\d)[a-z]?(?P<cut>,? ?m\.? ?(?P<unit>\d{1,4}[a-z]?))$")  # 5 m. 7: a Polish flat, its country not said
_BEHIND_SLASH = re.compile(r"(?:\d[a-z]?|^|, ?)(?P<cut> ?/ ?(?P<unit>\d{1,4}[a-z]?(?:/\d{1,4}[a-z]?)?))(?!\S)")

# country: how it writes a unit (or what else is cut), and what stands there afterwards
_HABITS: dict[str, tuple[re.Pattern[str], str]] = {
    "FI": (re.compile(r" \d{1,4}(?P<cut> (?P<unit>[a-z] ?\d{1,3}))$"), " , "),
    "NL": (re.compile(r"(?<=\d)[a-z]?(?P<cut>[- ](?P<unit>i{1,3}|iv|hs|huis|bg|\d ?hoog))$"), " , "),
    "TR": (re.compile(r"(?<=\d)[a-z]?(?P<cut>,? ?d ?[:.] ?(?P<unit>\d{1,4}[a-z]?))$"), " , "),
}
_HABITS |= dict.fromkeys(
    UNIT_BEFORE_SLASH, (re.compile(r"^(?P<cut>(?:u(?:nit)? ?)?(?P<unit>\d{1,4}[a-z]?) ?/ ?)(?=\d{1,5}[a-z]? )"), "")
)
_HABITS |= dict.fromkeys(UNIT_BEFORE_HYPHEN, (re.compile(r"^(?P<cut>(?P<unit>\d{1,4}[a-z]?) ?- ?)(?=\d{1,5}[a-z]? )"), ""))
_HABITS |= dict.fromkeys(("CZ", "SK"), (re.compile(r"^(?P<cut>c\. ?(?:p|ev)\. ?)(?=\d)(?P<unit>)"), ""))
_HABITS |= dict.fromkeys(  # The second building of house 5 is house 5k2.
    ("RU", "UA", "BY", "KZ"), (re.compile(r"(?<=\d)(?P<cut>,? ?(?:корпус|корп|korpus|korp|к|k)\.? ?)(?=\d)(?P<unit>)"), "k")
)


class Line:
    """A line and its plain twin, from which parts are cut together."""

    __slots__ = ("plain", "text")

    def __init__(self, text: str, line: str) -> None:
        self.text, self.plain = text, line

    def cut(self, start: int, end: int, filler: str = " , ") -> None:
        self.text = f"{self.text[:start]}{filler}{self.text[end:]}"
        self.plain = f"{self.plain[:start]}{filler}{self.plain[end:]}"

    def pieces(self) -> list[tuple[str, str]]:
        found, start = [], 0
        for match in (*_APART.finditer(self.plain), None):
            end = match.start() if match else len(self.plain)
            raw = self.plain[start:end]
            left = start + len(raw) - len(raw.lstrip(EDGES))
            right = max(left, start + len(raw.rstrip(EDGES)))
            if left < right:
                found.append((" ".join(self.text[left:right].split()), " ".join(self.plain[left:right].split())))
            start = match.end() if match else end
        return found


def take_unit(line: Line, country: str | None) -> tuple[str | None, str | None]:
    """The quarter and the unit as the country writes them, cut out of the line."""
    quarter = None
    if country == "TR" and (match := _QUARTER.match(line.plain)):
        quarter = line.text[: match.end(1)].strip(EDGES)
        line.cut(0, match.end(), "")
    if (country == "KR" or (country is None and "호" in line.plain)) and (flat := korean_flat(line.plain)):
        line.cut(*flat[1])
        return quarter, flat[0]
    pattern, filler = _HABITS.get(country or "", (_ANYWHERE, " , "))
    unit = _cut(line, pattern, filler)
    if unit is None and country in UNIT_AFTER_SLASH:
        unit = _cut(line, _BEHIND_SLASH, " , ")
    return quarter, unit.replace("/", "-").replace(" ", "") if unit else None


def _cut(line: Line, pattern: re.Pattern[str], filler: str) -> str | None:
    match = pattern.search(line.plain)
    if match is None:
        return None
    line.cut(*match.span("cut"), filler)
    return match["unit"] or None
