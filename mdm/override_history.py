"""Which values set by hand a golden record began or ceased to show between two of its versions, who said so and why.

Only reads. What a version shows is in the provenance of its values; author, reason and expiry are the decision's, which is never
edited.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from mdm import sql

_SAID = """SELECT d.decision_id, s.attribute, d.author, d.reason, s.expires_at, d.superseded_at
           FROM decision d JOIN steward_record s ON s.record_id = d.decision_id WHERE d.decision_id = ANY(%s)
           ORDER BY s.attribute, d.decision_id"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A value set by hand that a version begins or ceases to show. `change`: set, withdrawn, expired, or outdone.

    Outdone: a later one rules, or the records it was said of went elsewhere. Set also when it comes back.
    """

    override_id: uuid.UUID
    change: str
    attribute: str
    author: str
    reason: str | None
    expires_at: datetime | None


def between(session: Session, was: Mapping[str, Any], becomes: Mapping[str, Any], at: datetime) -> tuple[Shown, ...]:
    """Compare the bodies of two versions, the later of a time; by attribute."""
    before, after = set(_named(was.get("values"))), set(_named(becomes.get("values")))
    if before == after:
        return ()
    rows = sql.rows(session, _SAID, [sorted(map(uuid.UUID, before ^ after))])
    return tuple(Shown(row[0], _change(str(row[0]) in after, at, *row[4:]), *row[1:5]) for row in rows)


def _named(values: Any) -> Iterator[str]:
    """Find the overrides that won a value, whichever shape its provenance has; those that lost are not shown."""
    if isinstance(values, Mapping):
        if isinstance(values.get("override_id"), str):
            yield values["override_id"]
        for name, part in values.items():
            if name not in ("value", "runners_up"):
                yield from _named(part)
    elif isinstance(values, list):
        for part in values:
            yield from _named(part)


def _change(is_shown: bool, at: datetime, expires_at: datetime | None, withdrawn_at: datetime | None) -> str:
    if is_shown:
        return "set"
    if withdrawn_at is not None and withdrawn_at <= at:
        return "withdrawn"
    return "expired" if expires_at is not None and expires_at <= at else "outdone"
