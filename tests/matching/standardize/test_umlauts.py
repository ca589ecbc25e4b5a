"""Umlauts that were written out are the umlauts; letters that only stand beside each other are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.standardize.name_repairs import fold_name
from matching.standardize.umlauts import without_pairs


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Özdemir", "Oezdemir"), ("Müller", "Mueller"), ("Müller-Lüdenscheidt", "Mueller-Lüdenscheidt"), ("Jörg", "Joerg"),
        ("Gündoğan", "Guendogan"), ("Bräuer", "Braeuer"), ("Mühlbauer", "Muehlbauer"), ("Büyük", "Bueyuek"),
        ("Öztürk", "OEZTÜRK"),
    ],
)  # fmt: skip
def test_both_spellings_fold_to_one(one: str, other: str) -> None:
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize(
    "name", ["Fuentes", "Rodriguez", "Bauer", "de Boer", "Raphael", "Michael", "Ueda", "Noel", "Joel", "Monroe", "Oe", "Samuel"]
)
def test_letters_that_only_stand_beside_each_other_stay(name: str) -> None:
    assert fold_name(name) == name.lower()


@given(st.text("aeouzmlr ", max_size=12).map(str.strip))
def test_applied_again_it_changes_nothing(folded: str) -> None:
    once = without_pairs(folded)
    assert without_pairs(once) == once
