"""The line of a street: the short ways give what the long way gives, and numbers are written one way."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize.country_rules import RULES
from matching.standardize.flats import door, plain, read_unit
from matching.standardize.street_keys import has_street_type, street_key
from matching.standardize.streets import _read, read_street_line, standard_number, standard_unit

from .strategies import EXAMPLES
from .tables import FOLDER

ROWS = yaml.safe_load((FOLDER / "addresses.yaml").read_text(encoding="utf-8"))
LINES = sorted({str(value) for row in ROWS for name, value in row["in"].items() if name in {"line1", "line2", "street", "unit"}})
lines = st.one_of(st.sampled_from(LINES), st.lists(st.sampled_from(LINES), max_size=3).map(", ".join), st.text(max_size=30))


@pytest.mark.parametrize("country", [None, "DE", "ES", "US", "NL", "PL"])
def test_the_short_way_reads_what_the_long_way_reads(country: str | None) -> None:
    short = [line for line in LINES if read_street_line(line, country) != _read(line, plain(line), country)]
    assert short == []


@given(lines, st.sampled_from([None, *RULES]))
@settings(max_examples=EXAMPLES)
def test_any_line_is_read_and_its_parts_are_written_one_way(text: str, country: str | None) -> None:
    line = read_street_line(text, country)
    assert standard_number(line.house_number) == line.house_number
    assert standard_number(line.unit) == line.unit


@given(st.one_of(lines, st.text("0123456789abis ./-:#nro", max_size=12)))
@settings(max_examples=EXAMPLES)
def test_a_number_or_unit_written_one_way_stays(text: str) -> None:
    assert standard_number(standard_number(text)) == standard_number(text)
    assert standard_number(standard_unit(text)) == standard_unit(text)


@given(lines)
@settings(max_examples=EXAMPLES)
def test_the_plain_line_is_as_long_as_the_line(text: str) -> None:
    assert len(plain(text)) == len(text)


@given(lines)
@settings(max_examples=EXAMPLES)
def test_a_key_is_empty_only_where_nothing_is_written(text: str) -> None:
    key = street_key(text)
    assert key is None or key.strip() == key != ""
    assert not has_street_type(text) or key


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12 A", "12a"), ("Nr. 12", "12"), ("No 12-14", "12-14"), ("12 - 14", "12-14"), ("12.0", "12"), ("12bis", "12"),
        ("12 ter", "12"), ("5 / B", "5/b"), ("5\u0430", "5a"), ("000", None),
        ("0BIS:", None), ("-", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_numbers(text: str | None, number: str | None) -> None:
    assert standard_number(text) == number


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Flat 2C", "2c"), ("2c", "2c"), ("#5", "5"), ("Bât C appt 9", "c9"), ("3.º Esq.", "3esq"), ("Piso 8 Puerta 2", "8-2"),
        ("2 hoog", "2hoog"), ("st. th.", "stth"), ("Stiege 3 Top 14", "3-14"), ("Scala B", "b"), ("кв. 12", "12"),
        ("the garden flat", "thegardenflat"),
    ],
)  # fmt: skip
def test_units(text: str, unit: str) -> None:
    assert standard_unit(text) == unit


def test_what_is_no_door_is_none() -> None:
    assert [door(text) for text in ("12", "high street", "", "5 mill lane")] == [None] * 4
    assert read_unit("the garden") is None
