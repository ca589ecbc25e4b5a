"""Localities: postal codes as their countries write them, cities under one key, and what else a field may hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize.cities import city_key
from matching.standardize.country_rules import RULES
from matching.standardize.localities import country_in_line, read_city, read_locality, region_code
from matching.standardize.postal_codes import read_postal_code
from matching.standardize.region_tables import REGIONS

from .strategies import EXAMPLES

countries = st.sampled_from([None, *RULES])


@pytest.mark.parametrize(
    ("country", "written", "shown", "key"),
    [
        ("GB", "sw1a2aa", "SW1A 2AA", "SW1A2AA"), ("GB", "m1 1ae", "M1 1AE", "M11AE"), ("CA", "k1a0b1", "K1A 0B1", "K1A0B1"),
        ("IE", "d6wxy00", "D6W XY00", "D6WXY00"), ("NL", "1011-ab", "1011 AB", "1011AB"), ("PL", "00950", "00-950", "00950"),
        ("PT", "1000205", "1000-205", "1000205"), ("PT", "1000", "1000", "1000"), ("BR", "01310100", "01310-100", "01310100"),
        ("SE", "SE-11122", "111 22", "11122"), ("CZ", "11000", "110 00", "11000"), ("GR", "10563", "105 63", "10563"),
        ("JP", "1040061", "104-0061", "1040061"), ("US", "787011234", "78701-1234", "78701"), ("US", "2138", "02138", "02138"),
        ("US", "501", "00501", "00501"),
        ("DE", "1067", "01067", "01067"), ("IT", "187", "00187", "00187"), ("NO", "155", "0155", "0155"),
        ("FI", "FI-00100", "00100", "00100"), ("AR", "c1043aaz", "C1043AAZ", "C1043AAZ"), ("LV", "LV-1010", "1010", "1010"),
        ("IN", "560 001", "560001", "560001"), ("CL", "8320000", "8320000", "8320000"), ("CH", "CH-8001", "8001", "8001"),
    ],
)  # fmt: skip
def test_postal_codes(country: str, written: str, shown: str, key: str) -> None:
    assert read_postal_code(written, country) == (shown, key, True)


@pytest.mark.parametrize(
    ("country", "written"), [("DE", "123456"), ("GB", "12345"), ("CA", "M5V"), ("NL", "10115"), ("AT", "99999")]
)
def test_a_code_of_another_form_is_kept_as_written(country: str, written: str) -> None:
    shown, _, is_usual = read_postal_code(written, country)
    assert (shown, is_usual) == (written, False)


@pytest.mark.parametrize("written", ["00000", "99999", "XXXXX", "0000", "-"])
def test_a_code_that_no_place_has_is_no_key(written: str) -> None:
    assert read_postal_code(written, "DE")[1] is None


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[A-Z]{0,2}[ -]?[0-9]{2,5}[ -]?[A-Z0-9]{0,4}", fullmatch=True)), countries)
@settings(max_examples=EXAMPLES)
def test_a_code_as_shown_is_shown_again(text: str, country: str | None) -> None:
    shown, key, _ = read_postal_code(text, country)
    assert read_postal_code(shown, country)[:2] == (shown, key)


@pytest.mark.parametrize(
    "names",
    [
        ("Köln", "Koeln", "COLOGNE"), ("München", "Munich", "Muenchen"), ("Wien", "Vienna", "Wien 3"),
        ("Bruxelles", "Brussel", "Brussels"),
        ("Den Haag", "'s-Gravenhage", "The Hague"), ("Lisboa", "Lisbon"), ("Praha", "Praha 2", "Prague"), ("Warszawa", "Warsaw"),
        ("København", "Copenhagen", "København V"), ("Москва", "Moscow", "Moskva"), ("Αθήνα", "Athens"), ("Київ", "Kyiv", "Kiev"),
        ("Paris", "Paris 11e", "PARIS CEDEX 11"), ("St Albans", "Saint Albans"), ("Ciudad de México", "CDMX", "Mexico City"),
        ("Sevilla", "Seville"), ("Torino", "Turin"), ("Genève", "Geneva", "Genf"), ("Göteborg", "Gothenburg"),
        ("Helsinki", "Helsingfors"),
        ("Bengaluru", "Bangalore"), ("București", "Bucharest"), ("Dublin", "Dublin 2"), ("Budapest", "Budapest XIII."),
    ],
)  # fmt: skip
def test_one_city_has_one_key(names: tuple[str, ...]) -> None:
    assert len({city_key(name) for name in names}) == 1


@pytest.mark.parametrize(
    "names", [("Frankfurt am Main", "Frankfurt (Oder)"), ("Halle", "Hall"), ("York", "New York"), ("Leon", "Lyon")]
)
def test_two_cities_have_two_keys(names: tuple[str, str]) -> None:
    assert city_key(names[0]) != city_key(names[1])


@given(st.text(max_size=20))
@settings(max_examples=EXAMPLES)
def test_the_key_of_a_city_is_its_own_key(text: str) -> None:
    key = city_key(text)
    assert key is None or city_key(key) == key


@given(st.text(max_size=30), countries)
@settings(max_examples=EXAMPLES)
def test_any_text_is_read(text: str, country: str | None) -> None:
    assert all(read_city(text, country).values()) or not text
    found = read_locality(text, country)
    assert found is None or found["postal_code"]


@pytest.mark.parametrize(("country", "most"), [("US", 53), ("CA", 13), ("AU", 8), ("BR", 27), ("IT", 107)])
def test_every_region_of_a_coded_country_is_known(country: str, most: int) -> None:
    assert len(set(REGIONS[country].values())) >= most
    assert all(region_code(name, country) == code == region_code(str(code), country) for name, code in REGIONS[country].items())


@pytest.mark.parametrize(
    ("text", "sure", "unsure"),
    [("Deutschland", "DE", "DE"), ("USA", "US", "US"), ("Georgia", None, "GE"), ("DE", None, None), ("Ely", None, None)],
)  # fmt: skip
def test_a_line_names_a_country_only_in_full(text: str, sure: str | None, unsure: str | None) -> None:
    assert (country_in_line(text), country_in_line(text, is_sure=False)) == (sure, unsure)
