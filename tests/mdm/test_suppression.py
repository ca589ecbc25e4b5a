"""When a name or a birth date tells somebody from an erased person who shares a contact point, and what hashes give away."""

import pytest

from mdm import suppression
from mdm.suppression import Facts, facts_of


@pytest.mark.parametrize(
    ("one", "other", "contradicts"),
    [
        ({"given_folded": "maria", "surname_folded": "garcia"}, {"given_folded": "maria"}, False),
        ({"given_folded": "maria"}, {"given_folded": "carlos"}, True),
        ({"given_folded": "maria"}, {}, False),
        ({"given_folded": "m", "surname_folded": "garcia"}, {"given_folded": "maria", "surname_folded": "garcia"}, False),
        ({"given_folded": "c"}, {"given_folded": "maria"}, True),
        ({"given_folded": "garcia", "surname_folded": "maria"}, {"given_folded": "maria", "surname_folded": "garcia"}, False),
        ({"given_folded": "maria", "surname_folded": "garcia"}, {"given_folded": "maria", "surname_folded": "weber"}, False),
        ({"surname_folded": "garcia"}, {"surname_folded": "weber"}, True),
        ({"given_folded": "pepe", "nicknames": ["jose"]}, {"given_folded": "jose", "nicknames": ["jose"]}, False),
    ],
)
def test_names_that_contradict(one: dict[str, str], other: dict[str, str], contradicts: bool) -> None:
    left, right = facts_of({"name": one}), facts_of({"name": other})
    assert (left.contradicts(right), right.contradicts(left)) == (contradicts, contradicts)


def test_a_father_and_his_son_of_one_name_are_told_apart() -> None:
    father, son = ({"name": {"given_folded": "juan"}, "birth_date": {"text": born}} for born in ("1950-01-02", "1980-03-04"))
    assert facts_of(father).contradicts(facts_of(son))
    assert not facts_of(father).contradicts(facts_of({"name": {"given_folded": "juan"}, "birth_date": {"text": "1950"}}))


def test_a_birth_date_that_is_nobodys_tells_nobody_apart() -> None:
    """1900-01-01 is what a till sends of whoever says none: with it an erased person would be let in again."""
    erased = facts_of({"name": {"given_folded": "juan"}, "birth_date": {"text": "1950-01-02"}})
    again = facts_of({"name": {"given_folded": "juan"}, "birth_date": {"text": "1900-01-01", "identifying": False}})
    assert not erased.contradicts(again)


def test_a_hash_says_nothing_without_its_digest(database: str) -> None:
    """The same name of two people is stored as two texts, so that nobody counts how often it occurs."""
    hasher, facts = suppression.Hasher(), Facts(given=frozenset({"maria"}))
    assert hasher.hashed(facts, b"1").given.isdisjoint(hasher.hashed(facts, b"2").given)
