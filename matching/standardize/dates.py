"""Birth dates: a strict parser that never guesses silently. Ambiguous dates keep both readings, partial ones their precision.

Reads no clock: what is plausible depends on the version of the standardizer only, so that any record can be standardized again.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import replace
from functools import lru_cache

from matching.record import BirthDate
from matching.standardize.date_tables import BUDDHIST_YEARS, ISLAMIC_YEARS, OTHER_CALENDARS, PLACEHOLDERS, named_months
from matching.standardize.text import clean, fold

REFERENCE_YEAR = 2026
LATEST_YEAR = REFERENCE_YEAR + 10  # A deployment outlives its standardizer; births after that are implausible.
EARLIEST_YEAR = 1875
OLDEST_TWO_DIGIT_AGE = 12  # A two-digit year that would make a younger child is more often a centenarian: keep both.

Codes = tuple[str, ...]
Read = tuple[BirthDate | None, Codes]

_ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ]\d{2}:?\d{2}.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\.0|T?\d{4,6})?")
_YEAR = re.compile(r"\d{4}(?:\.0)?")
_YEAR_MONTH = re.compile(r"(\d{4})[./ ](\d{1,2})|(\d{1,2})[./ -](\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[./ ](\d{1,2})[./ ](\d{1,2})(?:[T ]\d{2}:?\d{2}.*)?")
_YEAR_LAST = re.compile(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{4}|\d{2})(?:[T ]\d{2}:?\d{2}.*)?")
_EAST_ASIAN = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월](?: ?(\d{1,2}) ?[日일])?")
_LATE = re.compile(r"(?:\d{4}|[./-]\d{1,2})[T ](?!00:?00)\d{2}:?\d{2}")  # A time that is not midnight, and no year after a month.
_SERIAL = re.compile(r"(\d{4,5})(?:\.(\d+))?")
_SERIAL_ZERO = dt.date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 3_654, 49_674  # 1910 to 2035.
_TOKENS = re.compile(r"\d+|[a-z]+")
_ORDINALS = frozenset({"st", "nd", "rd", "th", "of", "de", "del", "the", "o", "er", "a"})


@lru_cache(maxsize=65_536)
def read_birth_date(text: str, order: str = "DMY") -> Read:
    """Read a birth date as written, with the date order its source declares.

    A day that no calendar has (19450230) keeps year and month, and what was written in `written`; a date that cannot be read at
    all gives None. Codes: ambiguous_order, invalid_day, invalid_month, swapped_day_month, two_digit_year, partial, placeholder,
    implausible_year, time_ignored, serial_number (read only with a time of day, when it can be nothing else), unreadable; and
    buddhist_calendar, islamic_calendar, japanese_calendar: refused, or not identifying when only the year tells.
    """
    text = clean(text) or ""
    read, codes = _read(text, order)
    return read, (*codes, "time_ignored") if len(text) > 10 and read and _LATE.search(text) else codes


def in_their_time(read: BirthDate | None, codes: Codes, earliest: int | None) -> Read:
    """Take a date before `EARLIEST_YEAR` for what it says, from the year on in which a source's oldest people were born."""
    if read is None or earliest is None or not earliest <= read.year < EARLIEST_YEAR or "placeholder" in codes:
        return read, codes
    said = tuple(code for code in codes if code not in {"implausible_year", "islamic_calendar"})
    return replace(read, identifying=True), said


def _read(text: str, order: str) -> Read:
    if (match := _COMPACT.fullmatch(text)) and not _is_plausible(int(match[1])) and _is_plausible(int(text[4:8])):
        return _year_last(text[:2], text[2:4], text[4:8], order=order)
    if (match := _ISO.fullmatch(text)) or (match := _COMPACT.fullmatch(text)) or (match := _YEAR_FIRST.fullmatch(text)):
        year, first, second = match.groups()
        return _year_first(int(year), int(first), int(second) if second else None, order)
    if match := _YEAR_LAST.fullmatch(text):
        return _year_last(*match.groups(), order=order)
    return _partial(text) or _unusual(text)


def _partial(text: str) -> Read | None:
    if _YEAR.fullmatch(text):
        return _built(int(text[:4]), None, None)
    if match := _YEAR_MONTH.fullmatch(text):
        year, month = (match[1], match[2]) if match[1] else (match[4], match[3])
        return _built(int(year), int(month), None)
    return None


def _unusual(text: str) -> Read:
    if match := _EAST_ASIAN.fullmatch(unicodedata.normalize("NFKC", text)):
        return _built(int(match[1]), int(match[2]), int(match[3]) if match[3] else None)
    if match := _SERIAL.fullmatch(text):
        return _serial(int(match[1]), match[2] or "")
    return _other_calendar(text) or _with_month_name(text)


def _serial(days: int, time_of_day: str) -> Read:
    """A spreadsheet's days since 1899-12-30. A bare number may as well be a postal code, or a date without its zero."""
    if not _FIRST_SERIAL <= days <= _LAST_SERIAL:
        return None, ("unreadable",)
    if not time_of_day.strip("0"):
        return None, ("serial_number",)
    day = _SERIAL_ZERO + dt.timedelta(days)
    built, codes = _built(day.year, day.month, day.day)
    return built, (*codes, "serial_number")


def _other_calendar(text: str) -> Read | None:
    lowered = text.casefold()
    for code, marks in OTHER_CALENDARS.items():
        if any(mark in lowered for mark in marks):
            return None, (code,)
    return None


def _is_plausible(year: int) -> bool:
    return EARLIEST_YEAR <= year <= LATEST_YEAR


def birth_date_of_parts(year: str | None, month: str | None, day: str | None) -> Read:
    """Build a birth date from separate fields; a part that is no number is left out."""
    if year is None:
        return None, ("unreadable",)
    numbers = [int(part) if part and part.isdecimal() and len(part) <= 4 else None for part in (year, month, day)]
    if numbers[1] is None and month:
        numbers[1] = named_months().get(fold(month) or "")
    if numbers[0] is None:
        return None, ("unreadable",)
    if len(year) <= 2:
        built, codes = _two_digit(numbers[0], numbers[1], numbers[2])
        return built, codes
    return _built(numbers[0], numbers[1], numbers[2])


def _year_first(year: int, first: int, second: int | None, order: str) -> Read:
    """Year, month, day; only when that is no date and year, day, month is one, that."""
    if second is not None and not _exists(year, first, second) and _exists(year, second, first) and order != "YMD":
        built, codes = _built(year, second, first)
        return built, (*codes, "swapped_day_month")
    return _built(year, first, second)


def _year_last(first: str, second: str, year: str, *, order: str) -> Read:
    one, two = int(first), int(second)
    month, day = (one, two) if order == "MDY" else (two, one)
    codes: Codes = ()
    if not _exists_any_year(month, day) and _exists_any_year(day, month):
        month, day = day, month
        codes = ("swapped_day_month",)
    if len(year) == 2:
        if order == "YMD" or one > 31:  # 85-03-12: a source that writes the year first, or no other reading.
            month, day = two, int(year)
            if order != "YMD" and not _exists_any_year(month, day) and _exists_any_year(day, month):
                month, day = day, month
            return _two_digit(one, month, day)
        built, more = _two_digit(int(year), month, day)
        return built, (*more, *codes)
    built, more = _built(int(year), month, day)
    if built and not codes and month != day and _exists_any_year(day, month) and built.day:
        other = f"{int(year):04}-{day:02}-{month:02}"
        return _with_alternative(built, other), (*more, "ambiguous_order")
    return built, (*more, *codes)


def _two_digit(year: int, month: int | None, day: int | None) -> Read:
    """A two-digit year lies in the hundred years before the reference year; a young child may also be a centenarian."""
    recent = 2000 + year
    full = recent if recent <= REFERENCE_YEAR else 1900 + year
    built, codes = _built(full, month, day)
    if built and built.day and full >= REFERENCE_YEAR - OLDEST_TWO_DIGIT_AGE and _exists(full - 100, built.month or 1, built.day):
        built = _with_alternative(built, f"{full - 100:04}{built.text[4:]}")
    return built, (*codes, "two_digit_year")


def _with_month_name(text: str) -> Read:
    """Read '12 March 1985', 'March 12, 1985', '12-Mar-68', 'March 1985': the month is told by its name."""
    tokens = [token for token in _TOKENS.findall(fold(text) or "") if token not in _ORDINALS]
    known = named_months()
    months = [known[token] for token in tokens if token in known]
    numbers = [token for token in tokens if token.isdecimal()]
    words = sum(1 for token in tokens if not token.isdecimal())
    if len(months) != 1 or words != 1 or not 1 <= len(numbers) <= 2 or any(len(number) > 4 for number in numbers):
        return None, ("unreadable",)
    years = [number for number in numbers if len(number) >= 3]
    if len(numbers) == 1:
        return _built(int(years[0]), months[0], None) if years else (None, ("unreadable",))
    year = years[0] if years else numbers[1]
    day = numbers[1] if numbers[0] == year and years else numbers[0]
    if len(year) == 2:
        return _two_digit(int(year), months[0], int(day))
    return _built(int(year), months[0], int(day))


def _built(year: int, month: int | None, day: int | None) -> Read:
    """The longest honest reading: full, year and month, or year. What was written stays when it is no calendar day."""
    if not 1 <= year <= 9999:
        return (None, ("placeholder",)) if year == 0 else (None, ("unreadable",))
    # A part of three digits was no month or day as written, and read again it would not even be a date.
    in_form = month is not None and day is not None and max(month, day) <= 99
    written = f"{year:04}-{month:02}-{day:02}" if in_form else None
    codes: Codes = ()
    if month is not None and not 1 <= month <= 12:
        month, day, codes = None, None, ("invalid_month",)
    elif month is None:
        day = None
    if day is not None and not _exists(year, month or 1, day):
        day, codes = None, ("invalid_day",)
    if not codes and day is None:
        codes = ("partial",)
    text = "-".join(part for part in (f"{year:04}", f"{month:02}" if month else "", f"{day:02}" if day else "") if part)
    is_placeholder = text in PLACEHOLDERS or written in PLACEHOLDERS
    is_plausible = _is_plausible(year)
    codes += ("placeholder",) * is_placeholder + ("implausible_year",) * (not is_plausible)
    codes += ("buddhist_calendar",) * (year in BUDDHIST_YEARS) + ("islamic_calendar",) * (year in ISLAMIC_YEARS)
    is_identifying = not is_placeholder and is_plausible
    return BirthDate(text, year, month, day, None, is_identifying, written if written != text else None), codes


def _with_alternative(built: BirthDate, other: str) -> BirthDate:
    return BirthDate(built.text, built.year, built.month, built.day, other, built.identifying, built.written)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def _exists_any_year(month: int, day: int) -> bool:
    return _exists(2000, month, day)


def iso_date(text: str) -> str | None:
    """Return the ISO text of a date that is not a birth date (attributes of the user's own); None when it is not a full one."""
    read, _ = read_birth_date(text, "YMD")
    return read.text if read and read.day else None
