"""An activity that can be stored says what was sent; whatever else is sent is a problem with a code, and never an error."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mdm import activities, policy
from mdm.activities import Activity, Said
from mdm.activity_reading import text_of
from mdm.mapping_values import Problem

SOURCE = policy.parse("sources: {pos: {channel_kind: pos, brand: main, timezone: Europe/Madrid}}").sources["pos"]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SENT: dict[str, Any] = {
    "key": "r1", "record_key": "17", "kind": "order", "at": "2026-03-01T12:00", "store": "", "amount": 129.9, "currency": "EUR",
    "status": "completed", "updated_at": None,
}  # fmt: skip
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.text()),
    st.datetimes().map(str),
    st.decimals().map(str),
)


def prepare(**more: Any) -> Activity | Problem:
    return activities.prepare("pos", SOURCE, {**SENT, **more}, NOW)


def test_a_time_without_zone_is_the_sources_own_and_stands_for_the_update() -> None:
    at = datetime(2026, 3, 1, 11, tzinfo=UTC)
    said = Said("17", "order", "completed", at, None, Decimal("129.9"), "EUR")
    assert prepare() == Activity("pos", "r1", said, at)


def test_a_visit_needs_no_amount_and_a_day_ahead_is_taken() -> None:
    made = prepare(kind="visit", amount=None, currency=None, at="2026-06-02")
    assert isinstance(made, Activity)
    assert (made.said.amount, made.said.currency) == (None, None)


@given(st.decimals(0, 10**14, places=4, allow_nan=False))
def test_an_amount_is_what_was_written(amount: Decimal) -> None:
    made = prepare(amount=format(amount, "f"))
    assert isinstance(made, Activity)
    assert made.said.amount == amount
    assert Decimal(text_of(made.said.amount) or "") == amount
    assert "E" not in (text_of(made.said.amount) or "")


@given(st.dictionaries(st.sampled_from(sorted(SENT)), ANYTHING, min_size=1))
def test_whatever_is_sent_is_taken_or_refused_with_the_field(wrong: dict[str, Any]) -> None:
    made = prepare(**wrong)
    assert isinstance(made, Activity) or made.field in SENT
