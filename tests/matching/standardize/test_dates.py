"""Birth dates: the table, dates from parts, dates of extra attributes."""

from typing import Any

import pytest

from matching.standardize.dates import birth_date_of_parts, iso_date, read_birth_date

from .tables import rows, shown


@pytest.mark.parametrize(("field", "expected"), rows("dates"))
def test_dates(field: list[str], expected: dict[str, Any] | None) -> None:
    read, codes = read_birth_date(*field)
    assert (shown(read, expected) if read and expected else read) == expected
    assert read is not None or codes


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("1985", "3", "12"), "1985-03-12"),
        (("1985", None, None), "1985"),
        (("1985", "March", None), "1985-03"),
        (("85", "3", "12"), "1985-03-12"),
        (("1985", None, "12"), "1985"),
        (("1985", "2", "30"), "1985-02"),
        (("1985", "3", "100"), "1985-03"),
    ],
)
def test_dates_of_parts(parts: tuple[str | None, ...], text: str) -> None:
    read, _ = birth_date_of_parts(*parts)
    assert read is not None
    assert read.text == text
    again, _ = read_birth_date(read.written or read.text, "YMD")
    assert again == read


def test_a_day_without_a_year_is_no_date() -> None:
    assert birth_date_of_parts(None, "3", "12")[0] is None


def test_dates_of_extras_are_full_or_nothing() -> None:
    assert iso_date("2024-05-06") == "2024-05-06"
    assert iso_date("2024-05") is None
