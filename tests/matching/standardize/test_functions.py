"""The functions that other kinds are made of: total on any text, and what they return is the same when it comes back."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize import Context, as_input, standardize
from matching.standardize.addresses import PARTS, read_address
from matching.standardize.companies import company_evidence, read_company
from matching.standardize.countries import country_code
from matching.standardize.localities import read_locality
from matching.standardize.names import read_full_name, read_name
from matching.standardize.nicknames import nickname_keys
from matching.standardize.scalars import read_gender, read_language, read_number
from matching.standardize.streets import read_street_line
from matching.standardize.text import clean, fold

from .strategies import EXAMPLES, texts

cleaned = texts.map(clean).filter(bool)
countries = st.sampled_from([None, "AU", "BR", "DE", "ES", "FR", "GB", "HU", "IT", "JP", "NL", "PL", "US"])
ONE_TEXT = (company_evidence, country_code, read_company, read_full_name, read_gender, read_language, read_number)
WITH_COUNTRY = (read_full_name, read_locality, read_street_line)


@pytest.mark.parametrize("function", ONE_TEXT, ids=lambda function: function.__name__)
@given(text=cleaned)
@settings(max_examples=EXAMPLES)
def test_any_text_is_taken_and_gives_the_same_each_time(function: Callable[[str], object], text: str) -> None:
    assert function(text) == function(text)


@pytest.mark.parametrize("function", WITH_COUNTRY, ids=lambda function: function.__name__)
@given(text=cleaned, country=countries)
@settings(max_examples=EXAMPLES)
def test_any_text_is_taken_for_any_country(function: Callable[[str, str | None], object], text: str, country: str | None) -> None:
    assert function(text, country) == function(text, country)


@given(st.dictionaries(st.sampled_from(PARTS), cleaned, max_size=4), countries)
@settings(max_examples=EXAMPLES)
def test_any_address_is_taken_and_its_keys_are_ascii(parts: dict[str, str], country: str | None) -> None:
    address, _ = read_address(parts, country)
    keys = (address.street_key, address.place_key, address.city_key, address.postal_key) if address else ()
    assert all(key is None or (key and key.isascii()) for key in keys)


@given(st.one_of(st.none(), cleaned), st.one_of(st.none(), cleaned), st.one_of(st.none(), cleaned))
@settings(max_examples=EXAMPLES)
def test_any_three_names_are_taken_and_fold_to_ascii(given_name: str | None, middle: str | None, surname: str | None) -> None:
    name, _ = read_name(given_name, middle, surname)
    folded = (name.given_folded, name.middle_folded, name.surname_folded) if name else ()
    assert all(part is None or (part.isascii() and fold(part) == part) for part in folded)


@given(texts.map(fold).filter(bool))
@settings(max_examples=EXAMPLES)
def test_nickname_keys_are_sorted_and_distinct(text: str) -> None:
    keys = nickname_keys(text)
    assert list(keys) == sorted(set(keys))


@pytest.mark.parametrize("function", [read_number, read_language, country_code], ids=lambda function: function.__name__)
@given(text=cleaned)
@settings(max_examples=EXAMPLES)
def test_what_is_canonical_stays(function: Callable[[str], str | None], text: str) -> None:
    value = function(text)
    assert value is None or function(value) == value


@pytest.mark.parametrize("attribute", ["name", "company_name", "surname", "gender", "language"])
@given(text=texts, country=countries)
@settings(max_examples=EXAMPLES)
def test_one_attribute_by_itself_is_the_same_when_it_comes_back(attribute: str, text: str, country: str | None) -> None:
    context = Context(country)
    record = standardize({attribute: text}, context)
    again = standardize(as_input(record), context)
    assert (again.name, again.company_key, again.gender, again.language) == (
        record.name,
        record.company_key,
        record.gender,
        record.language,
    )


@given(st.lists(texts, min_size=1, max_size=3), countries)
@settings(max_examples=EXAMPLES)
def test_address_lines_by_themselves_are_the_same_when_they_come_back(lines: list[str], country: str | None) -> None:
    context = Context(country)
    parts = {f"line{number}": line for number, line in enumerate(lines, 1)}
    record = standardize({"addresses": [parts]}, context)
    assert standardize(as_input(record), context).addresses == record.addresses
