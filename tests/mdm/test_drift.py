"""How far two pictures differ, told from chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm import drift
from mdm.drift import Moved, Picture

COUNTS = st.lists(st.integers(0, 10_000), min_size=10, max_size=10)


@given(COUNTS, COUNTS)
def test_the_index_is_never_negative_and_the_same_both_ways(one: list[int], other: list[int]) -> None:
    assert drift.index(one, other) == pytest.approx(drift.index(other, one))
    assert drift.index(one, other) >= 0
    assert drift.index(one, one) == 0


def test_a_known_index() -> None:
    """(0.5 - 0.25) · ln(2) twice, to the half pair that is added to each band."""
    assert drift.index([50_000, 50_000], [25_000, 75_000]) == pytest.approx(0.25 * (0.6931 + 0.4055), abs=1e-3)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param((900, 1_000), (700, 1_000), True, id="far"),
        pytest.param((900, 1_000), (850, 1_000), False, id="near"),
        pytest.param((900, 1_000), (140, 200), True, id="far of few"),
        pytest.param((900, 1_000), (139, 199), False, id="of too few"),
        pytest.param((5, 10), (140, 200), False, id="chance: the snapshot was of ten"),
        pytest.param((0, 0), (140, 200), False, id="of nothing"),
        pytest.param((0, 1_000), (0, 1_000), False, id="never"),
    ],
)
def test_a_share_has_moved_when_it_is_far_and_chance_does_not_make_it(
    before: drift.Part, now: drift.Part, expected: bool
) -> None:
    assert drift.is_beyond(before, now, 0.10) is expected


def test_each_figure_is_told_and_what_is_of_nothing_is_left_out() -> None:
    before = Picture((0, 900, *[0] * 7, 100), (100, 1_000), {"pos.emails": (800, 1_000), "crm.emails": (1, 1)}, {"pos": (9, 10)})
    now = Picture((0, 100, *[0] * 7, 900), (120, 1_000), {"pos.emails": (200, 1_000), "new.emails": (1, 1)}, {"pos": (0, 0)})
    assert Picture.of(before.body()) == before
    found = {(one.what, one.name): one for one in drift.moved(before, now)}
    bands = [key for key in found if key[0] == "band"]
    assert found.keys() - set(bands) == {("weights", ""), ("reviews", ""), ("complete", "pos.emails")}
    assert [name for _, name in bands] == list(drift.BAND_NAMES)
    assert found["band", "0 to 4"] == Moved("band", "0 to 4", 0.9, 0.1, pytest.approx(0.8), 1_000, False)
    assert found["band", "from 32"] == Moved("band", "from 32", 0.1, 0.9, pytest.approx(0.8), 1_000, False)
    assert found["weights", ""].is_beyond
    assert not found["reviews", ""].is_beyond
    assert found["complete", "pos.emails"] == Moved("complete", "pos.emails", 0.8, 0.2, pytest.approx(0.6), 1_000, True)


def test_of_few_pairs_no_index_is_beyond() -> None:
    before, now = Picture((1_000, *[0] * 9)), Picture((0, 499, *[0] * 8))
    assert [one.is_beyond for one in drift.moved(before, now) if one.what == "weights"] == [False]
