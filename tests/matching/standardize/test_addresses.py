"""Addresses: the table, and what never may happen to an address."""

from typing import Any

import pytest

from matching.standardize.addresses import read_address
from matching.standardize.countries import country_code
from matching.standardize.text import clean

from .tables import rows, shown


def read(parts: dict[str, Any], default_country: str | None = None) -> Any:
    return read_address({name: text for name, value in parts.items() if (text := clean(value))}, default_country)[0]


@pytest.mark.parametrize(("parts", "expected"), rows("addresses"))
def test_addresses(parts: dict[str, Any], expected: dict[str, Any]) -> None:
    cleaned = {name: text for name, value in parts.items() if (text := clean(value))}
    address, codes = read_address(cleaned)
    fields = {name: value for name, value in expected.items() if name != "codes"}
    assert shown(address, fields) == fields
    assert set(expected.get("codes", ())) <= set(codes)


def test_the_country_of_the_source_is_not_filled_in() -> None:
    assert read({"line1": "123 Main St", "city": "Austin"}, "US").country is None


def test_flats_of_one_house_stay_apart() -> None:
    two, three = (read({"line1": f"Flat {number}, 10 High Street", "city": "Ely"}) for number in (2, 3))
    assert (two.street_key, two.house_number) == (three.street_key, three.house_number)
    assert two.unit != three.unit


def test_lines_stay_as_received() -> None:
    address = read({"line1": "Musterstr. 12 a", "line2": "10115 Berlin"})
    assert address.lines == ("Musterstr. 12 a", "10115 Berlin")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"),
        ("U.S.", "US"),
        ("Deutschland", "DE"),
        ("España", "ES"),
        ("日本", "JP"),
        ("Turkey", "TR"),
        ("türkiye", "TR"),
        ("gb", "GB"),
        ("DEU", "DE"),
        ("Holland", "NL"),
        ("Atlantis", None),
        ("XX", None),
        ("", None),
        (None, None),
    ],
)
def test_countries(text: str | None, code: str | None) -> None:
    assert country_code(text) == code
