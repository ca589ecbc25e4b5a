"""Ten attempts over 75 hours and a half; an endpoint that fails is left in peace for longer and longer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks import schedule

CHANCES = st.floats(0, 1, exclude_max=True)


def test_ten_attempts_span_75_hours_and_a_half() -> None:
    pauses = [schedule.pause_seconds(attempt, 0.5) for attempt in range(1, 11)]
    assert pauses[-1] is None
    assert sum(one for one in pauses if one) == pytest.approx(75 * 3600 + 35 * 60 + 5)


@given(st.integers(1, 9), CHANCES, st.none() | st.floats(0, 10**9))
def test_a_pause_lies_a_fifth_around_its_base_and_is_at_most_doubled(attempts: int, chance: float, asked: float | None) -> None:
    base, pause = schedule.RETRY_SECONDS[attempts - 1], schedule.pause_seconds(attempts, chance, asked)
    assert pause is not None
    plain = schedule.pause_seconds(attempts, chance)
    assert plain is not None
    assert 0.8 * base <= plain <= 1.2 * base
    assert plain <= pause <= 2 * plain
    if asked is not None and plain <= asked <= 2 * plain:
        assert pause == asked


def test_an_endpoint_is_tried_as_usual_until_it_failed_ten_times() -> None:
    assert [schedule.open_seconds(n) for n in (0, 9, 10, 11, 14, 1_000)] == [0, 0, 30, 60, 600, 600]


def test_a_redirect_is_no_delivery() -> None:
    assert [schedule.is_delivered(status) for status in (199, 200, 204, 299, 301, 307, 410, 500)] == [False, True, True, True] + [
        False
    ] * 4
