"""Columns are known by their names in several languages, and near misses are found."""

from importlib import resources

import pytest
import yaml

from mdm.column_names import attribute_of, fold, near, perhaps_attribute_of


def test_names_are_folded() -> None:
    assert [fold(name) for name in ("FirstName", "E-Mail", "Prénom ", "Straße/Nr.")] == [
        "first_name",
        "e_mail",
        "prenom",
        "strasse_nr",
    ]


@pytest.mark.parametrize(
    ("column", "attribute"),
    [
        ("E-Mail", "emails"),
        ("Person.Vorname", "given_name"),
        ("phones", "phones"),
        ("Lieblingsfarbe", None),
        ("Kd-Nr", "key"),
        ("Geb.-Datum", "birth_date"),
        ("PLZ/Ort", "city"),
        ("Bonuskarte", "loyalty_accounts"),
        ("vor", "given_name"),
        ("nach", "surname"),
        ("geb", "birth_date"),
        ("Tel. privat", "phones"),
        ("Straße/Nr.", "line1"),
        ("No. client", "key"),
        ("Příjmení", "surname"),
        ("氏", "surname"),
        ("市", None),
        ("電話番号", "phones"),
        ("Дата рождения", "birth_date"),
        ("ДатаРождения", "birth_date"),
        ("Επώνυμο", "surname"),
        ("תאריך לידה", "birth_date"),
        ("soc_sec_id", "identifiers.national_id"),
        ("Tax-ID", "identifiers.tax_number"),
        ("company_id", None),
        ("document_number", None),
        ("yob", "birth_year"),
        ("", None),
        ("_", None),
    ],
)
def test_a_column_is_called_like_an_attribute(column: str, attribute: str | None) -> None:
    assert attribute_of(column) == attribute


@pytest.mark.parametrize(
    ("column", "attribute"),
    [("fname_c1", "given_name"), ("sex_code", "gender"), ("res_city_desc", "city"), ("party_cd", None), ("voter_id", None)],
)
def test_a_part_of_a_columns_name_says_what_it_may_be(column: str, attribute: str | None) -> None:
    assert perhaps_attribute_of(column) == attribute


def test_near_names_are_found_whatever_their_case() -> None:
    assert near("jmenoo", ["id", "Jmeno", "prijmeni"]) == ["Jmeno"]
    assert near("shoe", ["id", "name"]) == []


def test_no_word_means_two_attributes() -> None:
    text = resources.files("mdm").joinpath("column_words.yaml").read_text(encoding="utf-8")
    meant: dict[str, set[str]] = {}
    for attribute, words in yaml.safe_load(text).items():
        for word in words:
            meant.setdefault(word.replace("_", ""), set()).add(attribute)
    assert {word: found for word, found in meant.items() if len(found) > 1} == {}
