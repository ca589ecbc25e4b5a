"""Names: the table, nicknames in both directions, phonetic keys, and that no text whatever breaks or changes them."""

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given as fed
from hypothesis import settings
from hypothesis import strategies as st

from matching.standardize.households import split_household
from matching.standardize.name_orders import split_name
from matching.standardize.name_repairs import fold_name, repaired
from matching.standardize.names import is_placeholder, read_full_name, read_name
from matching.standardize.native_names import is_east_asian, split_east_asian
from matching.standardize.nicknames import _groups, nickname_keys
from matching.standardize.text import clean

from .strategies import texts
from .tables import FOLDER, shown
from .test_assemble import EXAMPLES

TABLE = yaml.safe_load((FOLDER / "names.yaml").read_text(encoding="utf-8"))
FIELDS = ("given", "middle", "surname", "prefix", "suffix", "maiden")
WORDS = (FOLDER / "name_pieces.txt").read_text(encoding="utf-8").split()
name_texts = st.one_of(texts, st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(" ".join)).map(clean).filter(bool)
countries = st.sampled_from([None, "DE", "ES", "BR", "HU", "VN", "RU", "CN", "JP", "FR", "CZ", "TR", "AR", "IT", "NL"])


@pytest.mark.parametrize("row", [pytest.param(row, id=row["why"]) for row in TABLE])
def test_names(row: dict[str, Any]) -> None:
    country = row.get("country")
    name, codes = read_full_name(row["in"], country) if isinstance(row["in"], str) else read_name(*row["in"], country=country)
    assert name is not None
    assert shown(name, row["out"]) == row["out"]
    assert set(row.get("codes", ())) <= set(codes)


def test_the_table_is_wide() -> None:
    assert len(TABLE) >= 300
    assert len({row.get("country") for row in TABLE}) > 25
    assert len({row["why"] for row in TABLE}) == len(TABLE)


@fed(name_texts, countries)
@settings(max_examples=EXAMPLES)
def test_a_parsed_name_stays_as_it_is(text: str, country: str | None) -> None:
    name, _ = read_full_name(text, country)
    assert name is not None
    again, _ = read_name(*(getattr(name, field) for field in FIELDS), country=country)
    assert again == name


@fed(st.tuples(*[st.none() | name_texts] * 6), countries)
@settings(max_examples=EXAMPLES)
def test_a_structured_name_stays_as_it_is(parts: tuple[str | None, ...], country: str | None) -> None:
    name, codes = read_name(*parts, country=country)
    if name is None:
        assert not any(parts)
        return
    again, _ = read_name(*(getattr(name, field) for field in FIELDS), country=country)
    assert again == name
    assert name.identifying is not bool({"placeholder", "not_a_name", "no_name"} & set(codes))


@fed(name_texts, countries)
@settings(max_examples=EXAMPLES)
def test_no_letter_is_invented(text: str, country: str | None) -> None:
    """Every letter of the parts stands in the text; only the sign between two people is ours."""
    parts = split_household(text, country) or split_name(text, country)
    letters = [char for part in parts if part for char in part if char.isalnum()]
    left = list(text)
    for char in letters:
        left.remove(char)


@fed(texts)
@settings(max_examples=EXAMPLES)
def test_repairs_and_folding_are_fixed_points(text: str) -> None:
    assert repaired(repaired(text)) == repaired(text)
    folded = fold_name(text)
    assert folded is None or (folded.isascii() and fold_name(folded) == folded)


@fed(st.text(alphabet="王小明山田太郎佐々木김철수남궁민수ジョン・スミス様님 先生A", min_size=1, max_size=8), countries)
@settings(max_examples=EXAMPLES)
def test_signs_are_parted_and_never_lost(text: str, country: str | None) -> None:
    if not is_east_asian(text):
        return
    parts = split_east_asian(text, country)
    kept = "".join(part for part in parts if part)
    assert sorted(char for char in kept if char not in "・ ") == sorted(char for char in text if char not in "・ ")


@fed(name_texts)
@settings(max_examples=EXAMPLES)
def test_who_is_nobody_has_no_key(text: str) -> None:
    name, _ = read_full_name(text)
    assert name is not None
    if not name.identifying:
        assert replace(name, given=None, middle=None, surname=None, identifying=True) == type(name)()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob", "robert"),
        ("bill", "william"),
        ("peggy", "margaret"),
        ("pepe", "jose"),
        ("paco", "francisco"),
        ("hans", "johannes"),
        ("sepp", "josef"),
        ("manu", "emmanuel"),
        ("pino", "giuseppe"),
        ("ze", "jose"),
        ("sasha", "aleksandr"),
        ("misha", "mikhail"),
        ("kasia", "katarzyna"),
        ("gosia", "malgorzata"),
        ("juan", "john"),
        ("jean baptiste", "jb"),
        ("fco", "francisco"),
        ("ma", "maria"),
        ("jupp", "josef"),
        ("juergen", "jurgen"),
        ("mohammed", "mhmd"),
        ("muhammad", "mohamed"),
        ("abdul rahman", "abdelrahman"),
        ("giorgos", "georgios"),
        ("lupita", "guadalupe"),
        ("zeca", "jose"),
        ("xico", "francisco"),
        ("dima", "dmitriy"),
        ("zhenya", "evgenij"),
        ("tolya", "anatoliy"),
        ("basia", "barbara"),
        ("pista", "istvan"),
        ("honza", "jan"),
        ("teun", "antonius"),
        ("lasse", "lars"),
        ("wm", "william"),
    ],
)
def test_nicknames_share_a_group(one: str, other: str) -> None:
    assert set(nickname_keys(one)) & set(nickname_keys(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bob", "william"),
        ("maria", "john"),
        ("peter", "paul"),
        ("anna", "olga"),
        ("hans", "karl"),
        ("jose", "juan"),
        ("ivan", "igor"),
        ("pierre", "jean"),
        ("kasia", "gosia"),
        ("giuseppe", "giovanni"),
    ],
)
def test_strangers_share_no_nickname_group(one: str, other: str) -> None:
    assert not set(nickname_keys(one)) & set(nickname_keys(other))


def test_nicknames_are_many_to_many() -> None:
    assert {"albert", "robert", "herbert"} <= set(nickname_keys("bert"))
    assert len({key for keys in _groups().values() for key in keys}) >= 800


def test_sounds_survive_spelling() -> None:
    (one, _), (other, _) = read_name("Jon", None, "Smyth"), read_name("John", None, "Smith")
    assert one is not None
    assert other is not None
    assert (one.given_phonetic, one.surname_phonetic) == (other.given_phonetic, other.surname_phonetic)


def test_a_name_is_a_placeholder_only_as_a_whole() -> None:
    assert is_placeholder("Guest")
    assert not is_placeholder("Guest Smith")


def test_the_country_tells_the_order() -> None:
    hungarian, _ = read_full_name("Nagy János", "HU")
    spanish, _ = read_full_name("José García López", "ES")
    assert hungarian is not None
    assert (hungarian.given, hungarian.surname) == ("János", "Nagy")
    assert spanish is not None
    assert (spanish.given, spanish.surname) == ("José", "García López")
