"""Tables for dates: month names of the languages we meet, folded, and dates that mean 'not known'."""

from collections.abc import Mapping
from functools import cache

from babel import Locale

from matching.standardize.text import fold

_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sk", "sv", "da", "nb", "fi", "ru", "uk", "tr", "el", "ro", "hu",
    "sl", "bg", "et", "lv", "lt", "ca", "id",
)  # fmt: skip

PLACEHOLDERS = frozenset({
    "0001-01-01", "1111-11-11", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-00", "1900-01-01", "1901-01-01",
    "1904-01-01", "1970-01-01", "2099-12-31", "2222-02-22", "9999-01-01", "9999-12-31", "9999-99-99", "9999",
})  # fmt: skip


# The first of January of these years is typed where only the year, or nothing, is known.
PLACEHOLDER_YEARS = (1900, 1910, 1920, 1930, 1940, 1950, 1960, 1970, 1980, 1990, 2000)
PLACEHOLDERS |= {f"{year}-01-01" for year in PLACEHOLDER_YEARS}

# Eras and calendars whose years are not ours: refused, for a year that is wrong by 543 or 622 looks like one that is right.
OTHER_CALENDARS = {
    "buddhist_calendar": ("พ.ศ", "พศ", "b.e.", " be"),
    "islamic_calendar": ("هـ", " ah", "a.h.", "hijri", "muharram", "safar", "ramadan", "shawwal", "rajab", "sha'ban", "dhu "),
    "japanese_calendar": ("昭和", "平成", "令和", "大正", "明治"),
}  # fmt: skip
BUDDHIST_YEARS = range(2418, 2580)  # 1875 to 2036 of ours.
ISLAMIC_YEARS = range(1292, 1461)  # 1875 to 2039 of ours.
# Austria's, and spellings without umlauts.
OTHER_MONTHS = {"sept": 9, "janner": 1, "jaenner": 1, "feber": 2, "maerz": 3, "mrz": 3}


@cache
def named_months() -> Mapping[str, int]:
    """Give the number of each month by its folded names, at the first date that has one: reading the tables takes 0.3 s.

    Names that two languages give to different months are left out: they cannot be read without knowing the language.
    """
    meanings: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        named = Locale(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in named[context][width].items():
                    if (folded := fold(name)) and not folded.isdecimal():
                        meanings.setdefault(folded.replace(" ", ""), set()).add(int(number))
    return {name: numbers.pop() for name, numbers in meanings.items() if len(numbers) == 1} | OTHER_MONTHS
