"""Names: the table, nicknames in both directions, phonetic keys."""

from typing import Any

import pytest

from matching.standardize.names import is_placeholder, read_full_name, read_name
from matching.standardize.nicknames import _groups, nickname_keys

from .tables import rows, shown


@pytest.mark.parametrize(("given", "expected"), rows("names"))
def test_names(given: Any, expected: dict[str, Any]) -> None:
    name, _ = read_full_name(given) if isinstance(given, str) else read_name(*given)
    assert name is not None
    assert shown(name, expected) == expected


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
    ],
)
def test_nicknames_share_a_group(one: str, other: str) -> None:
    assert set(nickname_keys(one)) & set(nickname_keys(other))


@pytest.mark.parametrize(("one", "other"), [("bob", "william"), ("maria", "john"), ("peter", "paul"), ("anna", "olga")])
def test_strangers_share_no_nickname_group(one: str, other: str) -> None:
    assert not set(nickname_keys(one)) & set(nickname_keys(other))


def test_nicknames_are_many_to_many() -> None:
    assert {"albert", "robert", "herbert"} <= set(nickname_keys("bert"))
    assert len({key for keys in _groups().values() for key in keys}) >= 600


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
