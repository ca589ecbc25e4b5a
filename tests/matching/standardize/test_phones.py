"""Phone numbers: the table, extensions, types."""

from typing import Any

import pytest

from matching.standardize.phones import phone_key, read_phones

from .tables import rows


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
