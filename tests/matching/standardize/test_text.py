"""Cleaning and folding text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.standardize.text import LONGEST_VALUE, clean, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("O'Brien", "obrien"),
        ("D\u2019Arcy", "darcy"),
        ("Anne-Marie", "anne marie"),
        ("Straße", "strasse"),
        ("Łódź", "lodz"),
        ("Ærø", "aero"),
        ("İstanbul", "istanbul"),
        ("Щербаков", "shcherbakov"),
        ("Παπαδοπούλου", "papadopoulou"),
        ("\uff21\uff22\uff23", "abc"),
        ("a\u200bb", "ab"),
        ("👍", None),
        ("  ", None),
        ("...", None),
        ("ﬁn", "fin"),
        ("№ 5", "no 5"),
    ],
)
def test_folding(text: str, folded: str | None) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_is_idempotent_and_ascii(text: str) -> None:
    folded = fold(text)
    assert folded is None or (folded.isascii() and fold(folded) == folded)


@given(st.text())
def test_cleaning_is_idempotent_and_storable(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned is None or (cleaned.encode() and "\x00" not in cleaned)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (5.0, "5"),
        (1.5, "1.5"),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**5000, None),
        ([], None),
        ({}, None),
        ("x" * LONGEST_VALUE, "x" * LONGEST_VALUE),
        ("x" * (LONGEST_VALUE + 1), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_cleaning_takes_any_scalar(value: object, text: str | None) -> None:
    assert clean(value) == text
