"""Phone numbers: the table, extensions, types."""

from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize.phone_types import region_and_type
from matching.standardize.phones import phone_key, read_phones

from .strategies import EXAMPLES, texts
from .tables import rows

COUNTRIES = ["AR", "AU", "BR", "DE", "FR", "GB", "IT", "JP", "MX", "RU", "US", "VN"]
NAMES = {
    phonenumbers.PhoneNumberType.FIXED_LINE: "fixed",
    phonenumbers.PhoneNumberType.MOBILE: "mobile",
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    phonenumbers.PhoneNumberType.TOLL_FREE: "toll_free",
    phonenumbers.PhoneNumberType.PREMIUM_RATE: "premium",
    phonenumbers.PhoneNumberType.SHARED_COST: "shared_cost",
    phonenumbers.PhoneNumberType.VOIP: "voip",
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: "personal",
    phonenumbers.PhoneNumberType.PAGER: "pager",
    phonenumbers.PhoneNumberType.UAN: "company_wide",
    phonenumbers.PhoneNumberType.VOICEMAIL: "voicemail",
    phonenumbers.PhoneNumberType.UNKNOWN: None,
}
digits_and_signs = st.text("0123456789+-()/ x.,;", max_size=24)


@pytest.mark.parametrize(("field", "expected"), rows("phones"))
def test_phones(field: list[Any], expected: list[Any]) -> None:
    read, _ = read_phones(field[0], tuple(field[1]))
    assert [[value, key, list(flags)] for value, key, _, _, _, flags in read] == expected


def test_an_extension_is_apart_and_not_in_the_key() -> None:
    ((value, key, extension, country, _, _),), _ = read_phones("(415) 555-2671 ext. 5", ("US",))
    assert (value, key, extension, country) == ("+14155552671", "+14155552671", "5", "US")


@pytest.mark.parametrize(("text", "kind"), [("0412345699", "mobile"), ("(02) 9374 4000", "fixed")])
def test_the_type_is_told(text: str, kind: str) -> None:
    assert read_phones(text, ("AU",))[0][0][4] == kind


def test_one_number_in_many_spellings_has_one_key() -> None:
    spellings = ["0412 345 699", "(0412) 345-699", "+61 412 345 699", "0061412345699", "+61 (0)412 345 699"]
    assert {phone_key(text, "AU") for text in spellings} == {"+61412345699"}


@given(st.one_of(texts, digits_and_signs), st.lists(st.sampled_from(COUNTRIES), max_size=2, unique=True).map(tuple))
@settings(max_examples=EXAMPLES)
def test_reading_is_total_and_idempotent(text: str, countries: tuple[str, ...]) -> None:
    read, _ = read_phones(text, countries)
    for value, key, extension, *rest, flags in read:
        shown = f"{value};ext={extension}" if extension else value
        assert read_phones(shown, countries)[0] == ((value, key, extension, *rest, flags),)


def test_the_ignored_rest_of_a_field_is_noted_and_no_flag_of_the_number() -> None:
    """It would be gone from the number's standard form, which then would not be its own."""
    for text in ("(02) 9374 4000 / 4001", "1000000;0"):
        ((*_, flags),), codes = read_phones(text, ("AU",))
        assert "rest_ignored" in codes
        assert "rest_ignored" not in flags


@pytest.mark.parametrize("text", ["4111/1111/1111/1111", "(5555) 5555-5555-4444", "3782,822463,10005", "3056/930902/5904"])
def test_what_passes_as_a_card_is_left_out_and_noted(text: str) -> None:
    """The mask keeps what may be two phones, as 4111/1111 is; the standard record would show it as one piece again."""
    assert read_phones(text) == ((), ("card_number",))


def test_region_and_type_are_the_librarys_own() -> None:
    compared = 0
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in NAMES:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            for national in (number.national_number, number.national_number + 7, number.national_number * 10 + 3):
                one = phonenumbers.PhoneNumber(number.country_code, national, italian_leading_zero=number.italian_leading_zero)
                wanted = phonenumbers.region_code_for_number(one), NAMES[phonenumbers.number_type(one)]
                assert region_and_type(one) == wanted
                compared += 1
    assert compared > 3_000


@pytest.mark.parametrize(
    ("text", "country", "extension"),
    [
        ("(415) 555-2671 ext. 5", "US", "5"),
        ("415-555-2671 x123", "US", "123"),
        ("415-555-2671 extension 9", "US", "9"),
        ("415-555-2671, ext 5", "US", "5"),
        ("415-555-2671;ext=5", "US", "5"),
        ("415-555-2671 #77", "US", "77"),
        ("030 2270 Durchwahl 12", "DE", "12"),
        ("01 42 92 81 00 poste 314", "FR", "314"),
        ("91 335 35 35 anexo 4", "ES", "4"),
        ("(61) 3411-1200 ramal 12", "BR", "12"),
        ("8 495 606 36 02 доб. 105", "RU", "105"),
        ("03-3581-0101 内線 210", "JP", "210"),
    ],
)
def test_extensions_in_many_languages(text: str, country: str, extension: str) -> None:
    ((_, _, found, *_, flags),), _ = read_phones(text, (country,))
    assert (found, flags) == (extension, ())


@pytest.mark.parametrize(
    ("text", "country", "kind"),
    [
        ("030 2270", "DE", "fixed"),
        ("0151 23456781", "DE", "mobile"),
        ("202-456-1414", "US", "fixed_or_mobile"),
        ("0800 729 0722", "BR", "toll_free"),
        ("0900 5 123456", "DE", "premium"),
        ("0848 800 800", "CH", "shared_cost"),
        ("056 1234 5671", "GB", "voip"),
        ("070 1234 5671", "GB", "personal"),
        ("0345 850 9502", "GB", "company_wide"),
    ],
)
def test_types(text: str, country: str, kind: str) -> None:
    assert read_phones(text, (country,))[0][0][4] == kind


def test_two_numbers_are_noted() -> None:
    assert read_phones("0412 345 699 0298 374 000", ("AU",))[1] == ("several_values",)
