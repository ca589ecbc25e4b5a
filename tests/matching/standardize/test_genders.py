"""Of which gender a name says its bearer is, and where it says nothing."""

import pytest

from matching.standardize import Context, standardize
from matching.standardize.forms import form_hash
from matching.standardize.genders import gender_of_title, genders_of_given, genders_of_name
from matching.standardize.nicknames import is_full_name
from matching.standardize.word_lists import words

F, M, BOTH = ("female",), ("male",), ("female", "male")


@pytest.mark.parametrize(
    ("given", "genders"),
    [
        ("julie", F), ("mustafa", M), ("luca", M), ("andrea", BOTH), ("sasha", BOTH), ("kasia", F), ("bob", M), ("jose maria", M),
        ("jean", BOTH), ("ali", BOTH), ("leo", BOTH), ("jean pierre", M), ("rauel", ()), ("xyzzy", ()),
    ],
)  # fmt: skip
def test_a_given_name_says_the_genders_of_those_who_bear_it(given: str, genders: tuple[str, ...]) -> None:
    assert genders_of_given(given) == genders


@pytest.mark.parametrize(
    ("given", "middle", "surname", "title", "told", "genders"),
    [
        ("binh", "thi", "tran", None, None, F), ("binh", "van", "tran", None, None, M), ("thi binh", None, "tran", None, None, F),
        ("bart", "van", "dijk", None, None, M), ("rembrandt", "van", "rijn", None, None, ()),
        ("harpreet", "kaur", "sandhu", None, None, F), ("nur iman", None, "binti razak", None, None, F),
        ("sasha", "petrovna", "volkova", None, None, F), ("sasha", None, "volkova", None, None, F),
        ("toni", None, "wallner", "Herr Dr.", None, M), ("toni", None, "wallner", "Mr & Mrs", None, BOTH),
        ("julie", None, "martin", "Mr", "male", F), ("sasha", None, "kim", None, "female", F), 
        ("xyzzy", None, "park", None, None, ()),
    ],
)  # fmt: skip
def test_what_stands_beside_goes_first_then_the_name_then_what_is_filled_in(
    given: str, middle: str | None, surname: str, title: str | None, told: str | None, genders: tuple[str, ...]
) -> None:
    assert genders_of_name(given, middle, surname, title, told) == genders


@pytest.mark.parametrize(
    ("title", "gender"), [("Frau Dr.", "female"), ("M.", "male"), ("Dr.", None), (None, None), ("Mr Mrs", None)]
)
def test_a_title_says_a_gender_or_none(title: str | None, gender: str | None) -> None:
    assert gender_of_title(title) == gender


def test_every_full_name_of_the_table_stands_under_one_gender_or_either() -> None:
    listed = [words("genders.txt", title) for title in ("female", "male", "either")]
    assert all(map(is_full_name, frozenset().union(*listed)))
    assert sum(map(len, listed)) == len(frozenset().union(*listed))


def test_a_title_is_evidence_only_where_the_name_leaves_it_open() -> None:
    def hashed(name: str) -> bytes:
        return form_hash(standardize({"name": name}, Context("GB")))

    assert hashed("Herr Toni Wallner") != hashed("Frau Toni Wallner")
    assert hashed("Mr John Smith") == hashed("John Smith")


def test_an_extension_is_evidence() -> None:
    one, other = (standardize({"phones": [f"+49 89 2170 4400 ext {extension}"]}, Context("DE")) for extension in (118, 340))
    assert form_hash(one) != form_hash(other)
