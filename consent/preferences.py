"""Preferences: how somebody wants to be dealt with where they may be at all. Never a permission; values only, pure.

Of one key and brand the latest act counts. What forbids (a do-not-call list, a GPC signal, a death, a minor) is no preference but
an entry of the ledger, where it outweighs.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from consent.entries import Method, Origin

MOST_TOPICS = 50
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_TOPIC = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_STORE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}")
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Key(StrEnum):
    """What a preference is about."""

    LANGUAGE = "language"
    FREQUENCY = "frequency"
    TOPICS = "topics"
    STORE = "store"
    CONTACT_WINDOW = "contact_window"


class Frequency(StrEnum):
    """How often somebody wants to hear something, the most often first."""

    AS_IT_COMES = "as_it_comes"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    RARELY = "rarely"


@dataclass(frozen=True, slots=True)
class Preference:
    """One act. No value: what was preferred is taken back. No brand: for all of them. `records`: of which it may speak."""

    preference_id: UUID
    key: Key
    value: Any
    recorded_at: datetime
    occurred_at: datetime | None = None
    brand: str | None = None
    origin: Origin = Origin.SYSTEM
    method: Method = Method.API
    source: str | None = None
    recorded_by: str = ""
    records: frozenset[UUID] = frozenset()

    @property
    def place(self) -> tuple[datetime, datetime, UUID]:
        """The later the greater. An act of an unknown time is before all that are known; of one time, the later recorded."""
        return (self.occurred_at or _BEGINNING, self.recorded_at, self.preference_id)


def is_usable(key: Key, value: Any) -> bool:
    """Whether a value is one of its key; None takes back, and is one of each."""
    return value is None or _CHECKS[key](value)


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None


def _is_frequency(value: Any) -> bool:
    return isinstance(value, str) and value in set(Frequency)


def _are_topics(value: Any) -> bool:
    if not isinstance(value, list) or len(value) > MOST_TOPICS:
        return False
    return all(isinstance(one, str) and _TOPIC.fullmatch(one) for one in value) and len(set(value)) == len(value)


def _is_store(value: Any) -> bool:
    return isinstance(value, str) and _STORE.fullmatch(value) is not None


def _is_window(value: Any) -> bool:
    """From and to as HH:MM, the days, and the time zone that they are meant in."""
    if not isinstance(value, Mapping) or not {"from", "to"} <= value.keys() <= {"from", "to", "days", "timezone"}:
        return False
    days = value.get("days", [])
    if not isinstance(days, list) or not all(one in DAYS for one in days) or len(set(days)) < len(days):
        return False
    return all(map(_is_time, (value["from"], value["to"]))) and _is_zone(value.get("timezone", "UTC"))


def _is_time(text: Any) -> bool:
    try:
        return isinstance(text, str) and time.fromisoformat(text).isoformat("minutes") == text
    except ValueError:
        return False


def _is_zone(name: Any) -> bool:
    try:
        return isinstance(name, str) and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


_CHECKS = {
    Key.LANGUAGE: _is_language, Key.FREQUENCY: _is_frequency, Key.TOPICS: _are_topics, Key.STORE: _is_store,
    Key.CONTACT_WINDOW: _is_window,
}  # fmt: skip


def effective(acts: Iterable[Preference]) -> list[Preference]:
    """What counts: of each key and brand the latest, unless it takes back; by key and brand, what is for all brands first."""
    latest: dict[tuple[Key, str], Preference] = {}
    for one in acts:
        of = (one.key, one.brand or "")
        if of not in latest or latest[of].place < one.place:
            latest[of] = one
    return [one for _, one in sorted(latest.items()) if one.value is not None]


def of_brand(counting: Iterable[Preference], brand: str | None) -> dict[Key, Preference]:
    """What counts for a brand: what was said of it, else what is for all brands."""
    found: dict[Key, Preference] = {}
    for one in counting:
        if one.brand is None or one.brand == brand:
            found[one.key] = one
    return found
