"""Identifiers: the table, and the card numbers that may not be kept."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardize import Context, standardize
from matching.standardize import identifier_tables as tables
from matching.standardize.identifier_checks import check_schemes, check_vat
from matching.standardize.identifiers import is_card_number, read_identifier, schemes_of, standard_name

from .strategies import EXAMPLES, texts
from .tables import rows

KINDS = sorted({*tables.KIND_OF_TYPE, *tables.NAMED_SCHEMES, "passport", ""})
ISSUERS = sorted({"", "shop", *map(str.lower, tables.NATIONAL_SCHEMES), *map(str.lower, tables.VAT_SCHEMES)})
SCHEMES = sorted(
    {
        scheme
        for table in (tables.NATIONAL_SCHEMES, tables.COMPANY_SCHEMES, tables.MORE_TAX_SCHEMES)
        for each in table.values()
        for scheme in each
    }
    | {scheme for each in tables.NAMED_SCHEMES.values() for scheme in each}
    | set(tables.VAT_SCHEMES.values())
)
numbers = st.from_regex(r"[A-Z]{0,3}[0-9]{4,14}[A-Z0-9]{0,4}", fullmatch=True)


@pytest.mark.parametrize(("text", "expected"), rows("identifiers"))
def test_identifiers(text: str | list[str], expected: list[Any]) -> None:
    value, *rest = [text] if isinstance(text, str) else text
    value, key, codes = read_identifier(value, *map(standard_name, rest))
    assert [value, key, list(codes)] == expected


# Test numbers that card schemes publish.
@pytest.mark.parametrize(
    "number",
    ["4242424242424242", "5555555555554444", "2223003122003222", "371449635398431", "6011111111111117", "30569309025904"],
)
def test_card_numbers_of_every_scheme(number: str) -> None:
    assert is_card_number(number)
    assert sum(is_card_number(number[:-1] + digit) for digit in "0123456789") == 1


def test_a_card_number_reaches_no_record() -> None:
    record = standardize({"loyalty_accounts": [{"programme": "club", "number": "4111 1111 1111 1111"}]}, Context())
    assert record.loyalty_accounts == ()
    assert "card_number" in {note.code for note in record.notes}


def test_what_is_left_of_a_masked_card_is_nobodys_number() -> None:
    account, number = {"programme": "club", "number": "***5559"}, {"type": "customer_number", "value": "***5559"}
    record = standardize({"loyalty_accounts": [account], "identifiers": [number]}, Context())
    assert (record.loyalty_accounts, record.identifiers) == ((), ())
    assert [note.code for note in record.notes] == ["card_number", "card_number"]


def test_a_loyalty_number_of_an_old_visa_s_thirteen_digits_is_kept() -> None:
    record = standardize({"loyalty_accounts": [{"programme": "club", "number": "4006381333931"}]}, Context())
    assert [account.number for account in record.loyalty_accounts] == ["4006381333931"]


def test_types_and_issuers_have_one_spelling() -> None:
    assert standard_name("National ID") == standard_name("national_id") == "national_id"


def test_an_identifier_without_a_type_is_noted() -> None:
    record = standardize({"identifiers": [{"value": "A123"}]}, Context())
    assert record.identifiers == ()
    assert "type_missing" in {note.code for note in record.notes}


@given(st.one_of(texts, numbers), st.sampled_from(KINDS), st.sampled_from(ISSUERS))
@settings(max_examples=EXAMPLES)
def test_reading_is_total_and_idempotent(text: str, kind: str, issuer: str) -> None:
    value, key, codes = read_identifier(text, kind, issuer)
    assert value is not None or key is None
    assert value is None or read_identifier(value, kind, issuer) == (value, key, codes)


@given(st.one_of(numbers, texts), st.sampled_from(SCHEMES))
@settings(max_examples=EXAMPLES)
def test_every_scheme_takes_any_text_and_accepts_what_it_returns(text: str, scheme: str) -> None:
    found, number = check_schemes(text, [scheme])
    assert (found == "ok") == (number is not None)
    assert number is None or check_schemes(number, [scheme]) == ("ok", number)


@given(st.one_of(numbers, texts), st.sampled_from([None, *tables.VAT_SCHEMES]))
@settings(max_examples=EXAMPLES)
def test_a_vat_number_that_is_found_is_found_again_by_its_prefix(text: str, country: str | None) -> None:
    _, number = check_vat(text, country)
    assert number is None or check_vat(number, None)[1] == number


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_is_there_and_refuses_nonsense(scheme: str) -> None:
    assert check_schemes("9X9", [scheme])[1] is None


def test_a_name_that_two_countries_use_is_read_as_the_issuers() -> None:
    assert schemes_of("nif", "PT") == ("pt.nif",)
    assert schemes_of("nif", None) == ("es.nif", "pt.nif")


def test_a_failed_check_reaches_the_record_and_does_not_decide() -> None:
    record = standardize({"identifiers": [{"type": "National ID", "issuer": "PL", "value": "02070803629"}]}, Context())
    assert [(one.value, one.key, one.flags) for one in record.identifiers] == [("02070803629", None, ("check_failed",))]
    assert ("identifiers", "check_failed") in {(note.attribute, note.code) for note in record.notes}
