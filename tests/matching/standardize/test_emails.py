"""E-mail addresses: the table, and what one field may hold."""

from typing import Any

import pytest

from matching.standardize.emails import LONGEST_LIST, email_key, read_emails

from .tables import rows


@pytest.mark.parametrize(("field", "expected"), rows("emails"))
def test_emails(field: str, expected: list[Any]) -> None:
    read, _ = read_emails(field)
    assert [[value, key, list(flags)] for value, key, flags in read] == expected


def test_a_distribution_list_is_cut_and_said_so() -> None:
    read, codes = read_emails(";".join(f"a{number}@b.de" for number in range(LONGEST_LIST + 1)))
    assert len(read) == LONGEST_LIST
    assert "too_many_values" in codes


def test_the_key_of_a_field_is_its_first_address() -> None:
    assert email_key("J.Smith@gmail.com, info@acme.de") == "jsmith@gmail.com"
    assert email_key("info@acme.de") is None
    assert email_key("") is None
