"""How urgent a question is: doubt, what hangs on it, how many records."""

import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.questions import Question, QuestionKind
from stewardship import priority
from stewardship.priority import Stake, of, uncertainty

bits = st.floats(-500, 500)


def question(weight: float | None, records: int = 2) -> Question:
    ids = tuple(uuid.UUID(int=number) for number in range(records))
    return Question(QuestionKind.PAIR, "a:b", ids[:2], ids, weight, "weight", ("acme",), ("",))


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        pytest.param(0.0, 1.0, id="even odds"),
        pytest.param(None, 1.0, id="not weighed"),
        pytest.param(1.0, 2 / 3, id="two to one"),
        pytest.param(-1.0, 2 / 3, id="one to two"),
        pytest.param(40.0, 0.1, id="all but sure"),
    ],
)
def test_doubt_is_greatest_at_even_odds(weight: float | None, expected: float) -> None:
    assert uncertainty(weight) == pytest.approx(expected)


@given(bits, bits)
def test_the_nearer_to_even_odds_the_more_urgent(one: float, other: float) -> None:
    nearer, farther = sorted((one, other), key=abs)
    assert uncertainty(nearer) >= uncertainty(farther) > 0


@given(bits, st.integers(2, 5_000), st.integers(0, 10_000), st.integers(0, 50))
def test_more_at_stake_is_never_less_urgent(weight: float, records: int, activities: int, accounts: int) -> None:
    figure = of(question(weight, records), Stake(activities, accounts)).figure
    assert 0 < figure <= priority.MOST_URGENT
    assert of(question(weight, records + 1), Stake(activities, accounts)).figure >= figure
    assert of(question(weight, records), Stake(activities + 1, accounts)).figure >= figure
    assert of(question(weight, records), Stake(activities, accounts + 1)).figure >= figure


def test_two_unknown_strangers_in_even_doubt_are_a_hundred() -> None:
    made = of(question(0.0), Stake())
    assert (made.figure, made.parts["records"], made.parts["blast_radius"]) == (100.0, 2, 1.0)


def test_every_kind_of_question_has_its_time() -> None:
    assert {priority.within(kind) > timedelta(0) for kind in QuestionKind} == {True}
