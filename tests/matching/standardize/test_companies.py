"""Companies: the table, and that a key is never empty and never changes."""

from typing import Any

import pytest
from hypothesis import given as fed
from hypothesis import settings

from matching.standardize.companies import company_evidence, read_company
from matching.standardize.text import clean

from .tables import rows
from .test_assemble import EXAMPLES
from .test_parties import company_texts


@pytest.mark.parametrize(("name", "expected"), rows("companies"))
def test_companies(name: str, expected: list[Any]) -> None:
    shown, key, form, _ = read_company(name)
    assert [key, form] == expected
    assert shown == name


def test_the_table_is_wide() -> None:
    assert len(rows("companies")) + len(rows("parties")) >= 200


@fed(company_texts)
@settings(max_examples=EXAMPLES)
def test_a_company_keeps_its_name_and_a_key(text: str) -> None:
    name, key, form, codes = read_company(text)
    assert name == clean(text)
    assert key != ""
    assert read_company(name or "") == (name, key, form, codes)
    assert key is None or len(key) < 3 or len(set(key)) > 1
    assert company_evidence(text) in (None, "legal_form", "native_form", "company_word")
