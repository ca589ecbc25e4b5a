"""Lines from what policy asks: expectations are sums that can be done by hand, lines rise, what is left apart is counted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.calibration import (
    NO_TARGETS,
    Kind,
    Targets,
    WeighedPair,
    count_weights,
    curve,
    expected,
    forecast,
    lines_for,
    outgrown_bits,
    weighed_from,
)
from matching.model import MOST_LINE_WEIGHT, Lines

LINES = Lines(component=-6.0, guard=0.0, merge=10.0)
# Two chains of records: 1-2-3 asked twice, and one more question than its two joins would make.
PAIRS = [
    WeighedPair(1, 2, Kind.MERGEABLE, 20.1),
    WeighedPair(2, 3, Kind.MERGEABLE, 4.1),
    WeighedPair(1, 3, Kind.MERGEABLE, 3.1),
    WeighedPair(4, 5, Kind.ASKED, 12.1),
    WeighedPair(6, 7, Kind.ASKED, -2.1),
    WeighedPair(6, 8, Kind.VETOED, 11.0),
    WeighedPair(7, 8, Kind.DISTANT, -20.0),
]
WEIGHED = count_weights(8, PAIRS)
pairs = st.lists(
    st.builds(
        WeighedPair,
        st.integers(0, 30),
        st.integers(31, 60),
        st.sampled_from(list(Kind)),
        st.floats(-5.9, 40, allow_nan=False),
    ),
    max_size=60,
)


def test_what_lines_come_to_is_a_sum_over_pairs() -> None:
    found = expected(WEIGHED, LINES)
    assert (found.merged, found.asked, found.apart) == (1, 4, 1)  # 4.1, 3.1, 12.1 and the vetoed 11.0 are asked; -2.1 is apart.
    assert found.false_merges == pytest.approx(1 / (1 + 2**20.25))
    assert found.missed == pytest.approx(1 / (1 + 2**2.25))
    assert found.false_merge_rate == found.false_merges


@pytest.mark.parametrize(("lines", "asked"), [(Lines(), 2), (Lines(guard=12.0), 1), (Lines(merge=14.0), 0)])
def test_a_veto_is_counted_as_asked_from_the_line_at_which_it_is(lines: Lines, asked: int) -> None:
    vetoed = [WeighedPair(n, n + 1, Kind.VETOED, weight) for n, weight in ((1, 6.7), (3, 10.1), (5, 12.6))]
    found = expected(count_weights(6, vetoed), lines)
    assert (found.asked, found.questions) == (asked, asked)


def test_pairs_between_two_parts_are_one_question() -> None:
    assert expected(WEIGHED, LINES).questions == 3  # 1-2 with 3 (once), 4 with 5, 6 with 8.
    alone = count_weights(3, [WeighedPair(a, b, Kind.MERGEABLE, 5.0) for a, b in ((1, 2), (2, 3), (1, 3))])
    assert expected(alone, LINES).questions == 2


def test_counts_survive_the_report() -> None:
    report = json.loads(json.dumps({"records": 8, "weights": WEIGHED.as_json()}))
    assert weighed_from(report) is not None
    assert expected(weighed_from(report) or WEIGHED, LINES) == expected(WEIGHED, LINES)
    assert weighed_from({"records": 8}) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("joins"),
        lambda weights: weights.update(pairs=["many"]),
        lambda weights: weights["pairs"].pop(Kind.ASKED),
        lambda weights: weights["pairs"][Kind.ASKED].pop("counts"),
        lambda weights: weights["pairs"][Kind.ASKED].update(counts=["many"]),
        lambda weights: weights["pairs"][Kind.ASKED].update(counts=[-1]),
        lambda weights: weights["pairs"][Kind.ASKED].update(from_bin=10**9, counts=[1]),
        lambda weights: weights["pairs"][Kind.ASKED].update(from_bin=-(10**9)),
    ],
)
def test_counts_that_nobody_can_have_counted_are_as_none(change: Callable[[Any], object]) -> None:
    weights = json.loads(json.dumps(WEIGHED.as_json()))
    assert weighed_from({"records": 8, "weights": weights}) is not None
    change(weights)
    assert weighed_from({"records": 8, "weights": weights}) is None


@pytest.mark.parametrize(("rate", "line"), [(0.001, 10.0), (0.01, 7.0), (0.05, 4.5), (1e-6, 20.0)])
def test_no_merge_is_more_doubtful_than_the_target(rate: float, line: float) -> None:
    assert lines_for(WEIGHED, LINES, Targets(rate)).lines.merge == line


def test_a_rate_that_no_line_gives_is_said() -> None:
    found = lines_for(WEIGHED, LINES, Targets(1e-12))
    assert (found.lines.merge, found.out_of_reach) == (MOST_LINE_WEIGHT, True)


def test_a_budget_moves_the_guard_line_and_counts_who_is_left_apart() -> None:
    """8 records a day ask 3 questions; with a budget of 2 the one about record 3 is not asked: guard above its 4.1 bits."""
    found = lines_for(WEIGHED, LINES, Targets(reviews_per_day=2, records_per_day=8))
    assert found.lines.guard == 4.5
    assert (found.inflow_per_day, found.over_budget) == (2.0, False)
    assert found.moved_apart == 2
    assert found.moved_missed == pytest.approx(sum(1 / (1 + 2**-at) for at in (4.25, 3.25)))


def test_a_budget_that_suffices_moves_nothing() -> None:
    found = lines_for(WEIGHED, LINES, Targets(reviews_per_day=4, records_per_day=8))
    assert (found.lines, found.moved_apart, found.backlog_days) == (LINES, 0, 3.0)


def test_a_small_budget_moves_the_guard_line_above_the_merge_line() -> None:
    """Of 12.1 bits without grounds and a veto at 11.0 only the first is asked; 4.1 bits merge at a line of 4 all the same."""
    found = lines_for(WEIGHED, Lines(component=-6.0, guard=0.0, merge=4.0), Targets(reviews_per_day=1, records_per_day=8))
    assert (found.lines.guard, found.lines.merge, found.over_budget) == (11.5, 4.0, False)
    assert (found.expected.merged, found.expected.asked, found.moved_apart) == (2, 1, 1)


def test_what_must_be_asked_is_over_budget_and_said_so() -> None:
    certain = count_weights(2, [WeighedPair(1, 2, Kind.ASKED, 60.0)])
    found = lines_for(certain, LINES, Targets(reviews_per_day=0.5, records_per_day=2))
    assert (found.lines.guard, found.over_budget, found.backlog_days) == (MOST_LINE_WEIGHT, True, float("inf"))


def test_without_records_a_day_nothing_is_known_and_nothing_moves() -> None:
    found = lines_for(WEIGHED, LINES, Targets(reviews_per_day=0.1))
    assert (found.lines, found.inflow_per_day, found.backlog_days) == (LINES, None, None)
    assert forecast(WEIGHED, LINES, NO_TARGETS).lines == LINES


@given(pairs, st.floats(1e-9, 0.05), st.floats(0, 50), st.floats(1, 200))
def test_lines_rise_and_keep_what_was_asked_or_say_that_they_cannot(
    given_pairs: list[WeighedPair], rate: float, reviews: float, records: float
) -> None:
    weighed = count_weights(61, given_pairs)
    found = lines_for(weighed, LINES, Targets(rate, reviews, records))
    assert found.lines.component <= min(found.lines.guard, found.lines.merge)
    assert found.expected.false_merge_rate <= rate
    assert found.over_budget == ((found.inflow_per_day or 0.0) > reviews)
    assert found.moved_apart >= 0
    assert not found.over_budget or found.lines.guard == MOST_LINE_WEIGHT
    near = sum(one.kind in {Kind.MERGEABLE, Kind.ASKED} for one in given_pairs)
    vetoed = found.expected.merged + found.expected.asked + found.expected.apart - near
    assert 0 <= vetoed <= sum(one.kind is Kind.VETOED for one in given_pairs)  # No pair is lost between the lines.


@given(pairs)
def test_questions_never_outnumber_the_pairs_asked_nor_the_joins_of_a_forest(given_pairs: list[WeighedPair]) -> None:
    found = expected(count_weights(61, given_pairs), LINES)
    assert found.questions <= found.asked
    named = {record for one in given_pairs for record in (one.a, one.b)}
    vetoed = sum(one.kind is Kind.VETOED for one in given_pairs)
    assert found.questions <= max(len(named) - 1, 0) + vetoed


def test_a_curve_passes_through_the_lines_that_rule() -> None:
    found = curve(WEIGHED, LINES)
    assert dict(found.by_merge)[10.0] == expected(WEIGHED, LINES)
    assert dict(found.by_guard)[0.0] == expected(WEIGHED, LINES)


@pytest.mark.parametrize(
    ("report", "records", "bits"),
    [
        ({"records": 1_000}, 9_999, None),
        ({"records": 1_000}, 10_000, pytest.approx(3.32, abs=0.01)),
        ({"records": 1_000}, 1_024_000, 10.0),
        ({"records": 0}, 1_000_000, None),
        ({}, 1_000_000, None),
        ({"records": 1_000_000}, 10, None),
    ],
)
def test_a_model_is_outgrown_by_ten_times_the_records(report: dict[str, int], records: int, bits: float | None) -> None:
    assert outgrown_bits(report, records) == bits
