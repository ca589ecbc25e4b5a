"""Preferences: what is one, which counts, and that neither order nor merge and split change what was said."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import preferences
from consent.preferences import Key, Preference

DAY = datetime(2026, 3, 1, tzinfo=UTC)
RECORDS = [uuid.UUID(int=one) for one in range(3)]


def act(number: int, key: Key = Key.LANGUAGE, value: Any = "es", day: int | None = 0, brand: str | None = None) -> Preference:
    at = None if day is None else DAY + timedelta(days=day)
    records = frozenset({RECORDS[number % len(RECORDS)]})
    return Preference(uuid.UUID(int=number), key, value, DAY + timedelta(days=number), at, brand, records=records)


@pytest.mark.parametrize(
    ("key", "value", "usable"),
    [
        (Key.LANGUAGE, "es", True),
        (Key.LANGUAGE, "pt-BR", True),
        (Key.LANGUAGE, "Spanish please", False),
        (Key.FREQUENCY, "weekly", True),
        (Key.FREQUENCY, "often", False),
        (Key.TOPICS, ["shoes", "kids-wear"], True),
        (Key.TOPICS, ["shoes", "shoes"], False),
        (Key.TOPICS, "shoes", False),
        (Key.TOPICS, [{}], False),
        (Key.STORE, "Madrid 4", True),
        (Key.STORE, "", False),
        (Key.CONTACT_WINDOW, {"from": "09:00", "to": "18:00", "days": ["mon"], "timezone": "Europe/Madrid"}, True),
        (Key.CONTACT_WINDOW, {"from": "18:00", "to": "09:00"}, True),
        (Key.CONTACT_WINDOW, {"from": "9", "to": "18:00"}, False),
        (Key.CONTACT_WINDOW, {"from": "09:00", "to": "18:00", "timezone": "Mars/Olympus"}, False),
        (Key.CONTACT_WINDOW, {"from": "09:00", "to": "18:00", "days": ["noday"]}, False),
        (Key.CONTACT_WINDOW, {"from": "09:00"}, False),
        (Key.STORE, None, True),
    ],
)
def test_what_is_a_value_of_a_key(key: Key, value: Any, usable: bool) -> None:
    assert preferences.is_usable(key, value) is usable


def test_the_latest_act_counts_whenever_it_was_recorded() -> None:
    early, late, unknown = act(3, value="de", day=1), act(1, value="es", day=2), act(5, value="fr", day=None)
    assert [one.value for one in preferences.effective([early, late, unknown])] == ["es"]
    assert preferences.effective([late, act(2, value=None, day=3)]) == []


def test_what_was_said_of_a_brand_is_nearer_than_what_is_for_all() -> None:
    counting = preferences.effective([act(1, value="es", day=5), act(2, value="de", day=1, brand="main")])
    assert preferences.of_brand(counting, "main")[Key.LANGUAGE].value == "de"
    assert preferences.of_brand(counting, "other")[Key.LANGUAGE].value == "es"


ACTS = st.lists(
    st.builds(act, st.integers(0, 30), st.sampled_from(Key), st.sampled_from(["a", "b", None]), st.none() | st.integers(0, 3),
              st.sampled_from([None, "main"])),
    max_size=6, unique_by=lambda one: one.preference_id,
)  # fmt: skip


@given(ACTS)
def test_order_does_not_matter_and_a_merge_chooses_among_the_parts(acts: list[Preference]) -> None:
    whole = preferences.effective(acts)
    for order in itertools.permutations(acts[:5]):
        assert preferences.effective([*acts[5:], *order]) == whole
    parts = [preferences.effective([one for one in acts if record in one.records]) for record in RECORDS]
    assert set(whole) <= {one for part in parts for one in part}
