"""Joined values have one first, and no others do, whatever the order of joins."""

from hypothesis import given
from hypothesis import strategies as st

from matching.union import Union

JOINS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20)


def connected(joins: list[tuple[int, int]]) -> dict[int, frozenset[int]]:
    """The slow definition: neighbours of neighbours until nothing is added."""
    groups = {value: frozenset((value,)) for value in range(13)}
    for one, other in joins:
        together = groups[one] | groups[other]
        groups |= dict.fromkeys(together, together)
    return groups


@given(JOINS)
def test_what_is_joined_hangs_together_and_nothing_else(joins: list[tuple[int, int]]) -> None:
    union = Union[int]()
    for one, other in joins:
        union.join(one, other)
    found = {value: frozenset(other for other in range(13) if union.first(other) == union.first(value)) for value in range(13)}
    assert found == connected(joins)


def test_who_stood_for_the_first_stands_for_both() -> None:
    union = Union[str]()
    union.join("a", "b")
    union.join("c", "d")
    union.join("b", "d")
    assert {union.first(one) for one in "abcd"} == {"a"}
    assert union.first("e") == "e"
