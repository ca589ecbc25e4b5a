"""Birth dates: the table, dates from parts, dates of extra attributes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize.dates import birth_date_of_parts, in_their_time, iso_date, read_birth_date

from .strategies import EXAMPLES, texts
from .tables import rows, shown


@pytest.mark.parametrize(
    ("text", "earliest", "counts"),
    [
        ("1745-10-02", 1700, True), ("1745-10-02", None, False), ("1745-10-02", 1800, False), ("1800-01-01", 1700, False),
        ("2745-10-02", 1700, False), ("1980-10-02", 1700, True),
    ],
)  # fmt: skip
def test_people_of_the_past_count_from_the_year_that_their_source_names(text: str, earliest: int | None, counts: bool) -> None:
    read, codes = in_their_time(*read_birth_date(text), earliest)
    assert read is not None
    assert read.identifying is counts
    assert ("implausible_year" in codes) is not counts


looking_like_dates = st.from_regex(r"[0-9]{1,4}[-./ ]?[0-9]{1,2}[-./ ]?[0-9]{0,4}([T .][0-9]{2}:?[0-9]{2})?", fullmatch=True)


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


@given(st.one_of(texts, looking_like_dates), st.sampled_from(["DMY", "MDY", "YMD"]))
@settings(max_examples=EXAMPLES)
def test_reading_is_total_and_idempotent(text: str, order: str) -> None:
    read, codes = read_birth_date(text, order)
    assert read is not None or codes
    if read is not None:
        again, _ = read_birth_date(read.written or read.text, order)
        assert again is not None
        assert replace(again, alternative=read.alternative) == read


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("12/03/1985", ("ambiguous_order",)),
        ("1985", ("partial",)),
        ("1985-02-30", ("invalid_day",)),
        ("1985-13-30", ("invalid_month",)),
        ("03/25/1985", ("swapped_day_month",)),
        ("12/03/85", ("two_digit_year",)),
        ("1900-01-01", ("placeholder",)),
        ("1066-10-14", ("implausible_year",)),
        ("1985-03-11T23:00:00Z", ("time_ignored",)),
        ("31118.75", ("serial_number",)),
        ("31118", ("serial_number",)),
        ("12/03/2528", ("implausible_year", "buddhist_calendar", "ambiguous_order")),
        ("1405-06-20", ("implausible_year", "islamic_calendar")),
        ("20 Ramadan 1405", ("islamic_calendar",)),
        ("昭和60年3月12日", ("japanese_calendar",)),
        ("yesterday", ("unreadable",)),
    ],
)
def test_notes(text: str, codes: tuple[str, ...]) -> None:
    assert read_birth_date(text, "DMY")[1] == codes


@pytest.mark.parametrize("text", ["1 January 1985", "5 de mayo de 1977", "January 15 1985"])
def test_a_year_after_a_written_month_is_no_time(text: str) -> None:
    assert read_birth_date(text, None)[1] == ()
