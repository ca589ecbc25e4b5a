"""Addresses: the table, and what never may happen to an address."""

import time
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.record import Address
from matching.standardize import Context, as_input, standardize
from matching.standardize.addresses import PARTS, read_address
from matching.standardize.countries import country_code
from matching.standardize.country_rules import RULES
from matching.standardize.text import clean

from .strategies import EXAMPLES
from .tables import FOLDER, rows, shown

ROWS = yaml.safe_load((FOLDER / "addresses.yaml").read_text(encoding="utf-8"))
_texts = sorted({str(value) for row in ROWS for value in row["in"].values()})
_pieces = sorted({piece for text in _texts for piece in text.split()} | {",", " - ", "(", "/", "#"})
_made_up = st.builds(str.join, st.sampled_from([" ", ", ", "", " - "]), st.lists(st.sampled_from(_pieces), max_size=5))
_values = st.one_of(st.sampled_from(_texts), _made_up, _made_up, st.text(max_size=20))
addresses = st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, _values))


def read(parts: dict[str, Any], default_country: str | None = None) -> Any:
    return read_address({name: text for name, value in parts.items() if (text := clean(value))}, default_country)[0]


@pytest.mark.parametrize(("parts", "expected"), rows("addresses"))
def test_addresses(parts: dict[str, Any], expected: dict[str, Any]) -> None:
    cleaned = {name: text for name, value in parts.items() if (text := clean(value))}
    address, codes = read_address(cleaned)
    fields = {name: value for name, value in expected.items() if name != "codes"}
    assert shown(address, fields) == fields
    assert set(expected.get("codes", ())) <= set(codes)


def test_the_table_is_broad() -> None:
    read_in = {country_code(str(row["in"].get("country", ""))) for row in ROWS} - {None}
    assert len(ROWS) >= 400
    assert len(read_in) >= 45


@given(addresses, st.sampled_from([None, *RULES]))
@settings(max_examples=EXAMPLES)
def test_reading_is_total_and_a_standard_form_stays(parts: dict[str, Any], country: str | None) -> None:
    record = standardize({"addresses": [parts]}, Context(country))
    again = standardize(as_input(record), Context(country))
    assert replace(again, notes=()) == replace(record, notes=())


SAY_AUSTRIA = ("austria", "sterreich", "at", "a-")


@given(addresses)
@settings(max_examples=EXAMPLES)
def test_no_country_comes_from_nowhere(parts: dict[str, Any]) -> None:
    """The default country says how to read and is never filled in; before a postal code `A-` says it, as in "A-1010 Wien"."""
    address = read(parts, "AT")
    said = " ".join(str(value) for value in parts.values())
    assert address is None or address.country != "AT" or any(name in said.casefold() for name in SAY_AUSTRIA)


@given(addresses)
@settings(max_examples=EXAMPLES)
def test_lines_are_kept_in_their_order(parts: dict[str, Any]) -> None:
    received = [text for name in ("line1", "line2", "line3") if (text := clean(parts.get(name)))]
    address = read(parts) or Address()
    assert list(address.lines[: len(received)]) == received


@pytest.mark.parametrize(
    "text", ["1/" * 500, "apt 1 " * 160, "123 " * 250, "a, " * 333, "2\u00ba " * 330, "1 a " * 250, "x - " * 250]
)
def test_the_longest_texts_take_no_longer_than_their_length(text: str) -> None:
    started = time.process_time()
    for country in (None, "US", "ES", "IS", "TR"):
        for name in ("line1", "street", "city", "postal_code", "unit"):
            read({name: text, "country": country} if country else {name: text})
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("number", ["\u0430\u0300-5", "5b \u0323"])
def test_a_house_number_is_composed_when_it_comes_back(number: str) -> None:
    address = read({"street": "Main St", "house_number": number})
    assert address is not None
    again = read({"street": "Main St", "house_number": address.house_number})
    assert again is not None
    assert again.house_number == address.house_number


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
        ("Österreich", "AT"),
        ("Magyarország", "HU"),
        ("Ελλάδα", "GR"),
        ("Россия", "RU"),
        ("Česko", "CZ"),
        ("Suomi", "FI"),
        ("Eesti", "EE"),
        ("الإمارات العربية المتحدة", "AE"),
        ("Norge", "NO"),
        ("BRA", "BR"),
        ("UKR", "UA"),
        ("Germany (DE)", "DE"),
        ("CH / Schweiz", "CH"),
        ("Germany / France", None),
        ("Guinea-Bissau", "GW"),
        ("Timor-Leste", "TL"),
        ("EE. UU.", "US"),
        ("Russian Federation", "RU"),
        ("Korea, Republic of", "KR"),
        ("한국", "KR"),
        ("대한민국", "KR"),
        ("США", "US"),
        ("РФ", "RU"),
        ("\uff24\uff25", "DE"),
        ("SS", "SS"),
        ("ß", None),
        ("Æ", None),
        ("Þ", None),
        ("ﬁ", None),
        ("Ш", None),
        ("马", None),
        ("ß.", None),
        ("ẞ / ß", None),
        ("Northern Atlantis", None),
        ("Atlantis", None),
        ("XX", None),
        ("", None),
        (None, None),
    ],
)
def test_countries(text: str | None, code: str | None) -> None:
    assert country_code(text) == code


def test_one_sign_is_never_a_country() -> None:
    signs = [chr(code) for code in range(0x20, 0x10000) if chr(code).isprintable()]
    assert not [sign for sign in signs if country_code(sign)]
