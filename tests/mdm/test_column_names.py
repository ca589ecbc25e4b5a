"""Columns are known by their names in several languages, and near misses are found."""

import pytest

from mdm.column_names import attribute_of, fold, near


def test_names_are_folded() -> None:
    assert [fold(name) for name in ("FirstName", "E-Mail", "Prénom ", "Straße/Nr.")] == [
        "first_name",
        "e_mail",
        "prenom",
        "strasse_nr",
    ]


@pytest.mark.parametrize(
    ("column", "attribute"),
    [("E-Mail", "emails"), ("Person.Vorname", "given_name"), ("phones", "phones"), ("Lieblingsfarbe", None)],
)
def test_a_column_is_called_like_an_attribute(column: str, attribute: str | None) -> None:
    assert attribute_of(column) == attribute


def test_near_names_are_found_whatever_their_case() -> None:
    assert near("jmenoo", ["id", "Jmeno", "prijmeni"]) == ["Jmeno"]
    assert near("shoe", ["id", "name"]) == []
