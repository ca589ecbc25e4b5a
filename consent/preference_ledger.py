"""Appends preferences and reads them back. Never changes one, and never says which counts.

A preference has the id of what it says, so that the same act is one however often it is sent.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from consent import ledger
from consent.entries import Method, Origin
from consent.preferences import Key, Preference

_APPEND = sa.text("SELECT * FROM preference_append(CAST(:entries AS json))")
_READ = sa.text("SELECT * FROM preferences_of(CAST(:records AS uuid[]))")
_NAMES = (
    "preference_id", "key", "value", "brand", "occurred_at", "recorded_at", "origin", "method", "source", "recorded_by",
)  # fmt: skip


def named(one: Preference, *subject: object) -> Preference:
    """The same under the id of what it says, of whom, and when. Of an unknown time: since when it is known."""
    said = ("preference", *subject, one.key, one.value, one.brand, one.occurred_at or one.recorded_at, one.origin)
    return replace(one, preference_id=ledger.entry_id(*said))


def append(session: Session, acts: Sequence[Preference]) -> set[UUID]:
    """Append acts, one statement whatever their number; the ids of those that were new. Idempotent."""
    if not acts:
        return set()
    document = json.dumps(
        [{**{name: getattr(one, name) for name in _NAMES}, "records": sorted(one.records)} for one in acts], default=str
    )
    return {row[0] for row in session.connection().execute(_APPEND, {"entries": document})}


def read(session: Session, records: Collection[UUID]) -> list[Preference]:
    """Read the preferences that may speak of records."""
    found = session.connection().execute(_READ, {"records": [str(one) for one in records]})
    return [
        Preference(
            id_, Key(key), value, recorded_at, occurred_at, brand, Origin(origin), Method(method), source, by, frozenset(of)
        )
        for id_, key, value, brand, occurred_at, recorded_at, origin, method, source, by, of in found
    ]
