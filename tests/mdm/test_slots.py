"""Slots: one in every period, the latest never later than now, the next never now."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm import slots

TIMES = st.one_of(
    st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)), st.builds("*:{:02}".format, st.integers(0, 59))
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone.


@pytest.mark.parametrize(
    ("at", "now", "latest", "following"),
    [
        ("02:00", "2026-03-04T02:00:00", "2026-03-04T02:00:00", "2026-03-05T02:00:00"),
        ("02:00", "2026-03-04T01:59:59", "2026-03-03T02:00:00", "2026-03-04T02:00:00"),
        ("23:50", "2026-01-01T00:00:00", "2025-12-31T23:50:00", "2026-01-01T23:50:00"),
        ("*:10", "2026-03-04T00:05:00", "2026-03-03T23:10:00", "2026-03-04T00:10:00"),
    ],
)
def test_slots_by_example(at: str, now: str, latest: str, following: str) -> None:
    moment = datetime.fromisoformat(f"{now}+00:00")
    assert slots.latest(at, moment) == datetime.fromisoformat(f"{latest}+00:00")
    assert slots.following(at, moment) == datetime.fromisoformat(f"{following}+00:00")


@given(TIMES, MOMENTS)
def test_now_lies_between_two_slots_that_are_a_period_apart(at: str, now: datetime) -> None:
    begun, coming = slots.latest(at, now), slots.following(at, now)
    assert begun <= now < coming
    assert coming - begun == slots.period(at)
    assert slots.latest(at, coming) == coming
    assert slots.latest(at, coming - timedelta(microseconds=1)) == begun
