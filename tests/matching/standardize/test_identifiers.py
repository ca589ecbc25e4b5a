"""Identifiers: the table, and the card numbers that may not be kept."""

from typing import Any

import pytest

from matching.standardize import Context, standardize
from matching.standardize.identifiers import is_card_number, read_identifier, standard_name

from .tables import rows


@pytest.mark.parametrize(("text", "expected"), rows("identifiers"))
def test_identifiers(text: str, expected: list[Any]) -> None:
    value, key, codes = read_identifier(text)
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


def test_types_and_issuers_have_one_spelling() -> None:
    assert standard_name("National ID") == standard_name("national_id") == "national_id"


def test_an_identifier_without_a_type_is_noted() -> None:
    record = standardize({"identifiers": [{"value": "A123"}]}, Context())
    assert record.identifiers == ()
    assert "type_missing" in {note.code for note in record.notes}
