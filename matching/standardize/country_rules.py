"""How each country writes an address: where number and postal code stand, the form of the code, what a slash or hyphen parts.

Data only. A country that is not here is read by rules that suit most; nothing here says that an address is in a country.
"""

import re
from dataclasses import dataclass

# country, where the house number stands, where the postal code stands beside the city, masks of the code (9 digit, A letter,
# first the usual one), leading zeros that a spreadsheet may have eaten
_RULES = """
AE first after  -                                          0
AR last  before 9999|A9999AAA                              0
AT last  before 9999                                       0
AU first after  9999                                       1
BE last  before 9999                                       0
BG last  before 9999                                       0
BR last  after  99999-999                                  1
CA first after  A9A 9A9                                    0
CH last  before 9999                                       0
CL last  before 9999999|999-9999                           0
CN first after  999999                                     0
CO last  after  999999                                     1
CZ last  before 999 99                                     0
DE last  before 99999                                      1
DK last  before 9999                                       1
EE last  before 99999                                      0
ES last  before 99999                                      1
FI last  before 99999                                      2
FR first before 99999                                      1
GB first after  A9 9AA|A99 9AA|AA9 9AA|AA99 9AA|A9A 9AA|AA9A 9AA 0
GR last  before 999 99                                     0
HR last  before 99999                                      0
HU last  before 9999                                       0
IE first after  A99 ****|A9A ****                          0
IL first after  9999999|99999                              0
IN first after  999999                                     0
IS last  before 999                                        0
IT last  before 99999                                      2
JP first after  999-9999                                   1
KR first after  99999                                      1
LT last  before 99999                                      1
LU first before 9999                                       0
LV last  after  9999                                       0
MA first before 99999                                      0
MX last  before 99999                                      1
NL last  before 9999 AA                                    0
NO last  before 9999                                       1
NZ first after  9999                                       1
PE last  before 99999                                      1
PL last  before 99-999                                     2
PT last  before 9999-999|9999                              0
RO last  before 999999                                     1
RS last  before 99999                                      0
RU last  before 999999                                     0
SE last  before 999 99                                     0
SG first after  999999                                     1
SI last  before 9999                                       0
SK last  before 999 99                                     1
TR last  before 99999                                      1
UA last  before 99999                                      1
US first after  99999|99999-9999                           2
ZA first after  9999                                       1
"""


@dataclass(frozen=True, slots=True)
class CountryRule:
    """How one country writes. `masks` are the forms of its postal code; `zeros` how many leading ones may have been lost."""

    number_first: bool
    code_first: bool
    masks: tuple[str, ...]
    zeros: int

    @property
    def digits(self) -> int:
        """How many digits its usual code has."""
        return self.masks[0].count("9") if self.masks else 0


def _rule(words: list[str]) -> CountryRule:
    number, code, *masks, zeros = words
    joined = " ".join(masks)
    return CountryRule(number == "first", code == "before", () if joined == "-" else tuple(joined.split("|")), int(zeros))


RULES = {line[:2]: _rule(line[2:].split()) for line in _RULES.strip().splitlines()}
# Countries of the generic rules whose house number comes first all the same.
_MORE_NUMBER_FIRST = frozenset({"TN", "DZ", "MY", "PH", "TH", "PK", "NG", "KE", "HK", "LK", "BD", "SN", "CI"})
NUMBER_FIRST = frozenset(code for code, rule in RULES.items() if rule.number_first) | _MORE_NUMBER_FIRST

UNIT_BEFORE_SLASH = frozenset({"AU", "NZ"})  # 3/12 Kent Street
UNIT_BEFORE_HYPHEN = frozenset({"CA"})  # 12-345 Main Street
UNIT_AFTER_SLASH = frozenset({"PL", "AT", "TR"})  # Długa 5/7; elsewhere both numbers may name the house
SIDES_BEFORE_STREET = frozenset({"US", "CA"})  # The E of '12 E 45th St' is the east side, no letter of the number.
HASH_IS_NUMBER = frozenset({"CO", "VE", "EC"})  # Calle 5 # 10-20

# Codes whose form no other country shares, so that they tell how to read a text whose country is not said.
_SHAPES = {
    "GB": r"[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}", "CA": r"[a-z]\d[a-z] ?\d[a-z]\d", "BR": r"\d{5}-\d{3}", "PT": r"\d{4}-\d{3}",
    "PL": r"\d{2}-\d{3}", "JP": r"\d{3}-\d{4}", "NL": r"\d{4} ?[a-z]{2}", "IE": r"(?:[a-z]\d{2}|d6w) ?(?=[a-z0-9]*\d)[a-z0-9]{4}",
}  # fmt: skip
_ANY_SHAPE = re.compile(
    "(?:^|[ ,])(?:" + "|".join(f"(?P<{country}>{shape})" for country, shape in _SHAPES.items()) + ")(?=$|,| [^ ,]+)",
    re.IGNORECASE,
)


def country_of_shape(text: str) -> str | None:
    """The country by whose rules a text is to be read, judged by the unmistakable form of a postal code in it."""
    match = _ANY_SHAPE.search(text)
    return match.lastgroup if match else None
