"""Tables for dates: month names of the languages we meet, folded, and dates that mean 'not known'."""

from babel import Locale

from matching.standardize.text import fold

_LANGUAGES = (
    "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sv", "da", "nb", "fi", "ru", "uk", "tr", "el", "ro", "hu",
)  # fmt: skip

PLACEHOLDERS = frozenset({
    "0001-01-01", "1111-11-11", "1753-01-01", "1800-01-01", "1899-12-30", "1899-12-31", "1900-01-00", "1900-01-01", "1901-01-01",
    "1904-01-01", "1970-01-01", "2099-12-31", "2222-02-22", "9999-01-01", "9999-12-31", "9999-99-99", "9999",
})  # fmt: skip


def _month_names() -> dict[str, int]:
    """Names that two languages give to different months are left out: they cannot be read without knowing the language."""
    meanings: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        months = Locale(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[context][width].items():
                    if (folded := fold(name)) and not folded.isdecimal():
                        meanings.setdefault(folded.replace(" ", ""), set()).add(int(number))
    return {name: numbers.pop() for name, numbers in meanings.items() if len(numbers) == 1}


MONTHS = _month_names() | {"sept": 9}
