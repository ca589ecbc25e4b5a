"""What a golden id answered at any time, and what changed from one answer to the next, with what brought records in. Only reads.

Every version is kept as it was stored, so this is what was believed then, never what is computed about it today. Read past the
application's row scope: whoever asks must be allowed to see the golden record as it stands now (`visible`).
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from kernel import clock
from kernel.errors import Forbidden, Invalid, NotFound
from mdm import lookup, override_history, sql, undone_imports
from mdm.changes import Status
from mdm.override_history import Shown
from mdm.undone_imports import UndoneImport

_COLUMNS = "golden_id, version, computed_at, status, redirect_to, cause, members, body"
Key = tuple[str, str]
OUTSIDE_SCOPE = "outside_scope"


@dataclass(frozen=True, slots=True)
class Version:
    """One answer of a golden id. `computed_at`: since when; until the next one."""

    golden_id: uuid.UUID
    version: int
    computed_at: datetime
    status: str
    redirect_to: uuid.UUID | None
    cause: str
    members: frozenset[uuid.UUID]
    body: Mapping[str, Any]

    @property
    def keys(self) -> dict[uuid.UUID, Key]:
        """The records that it was made of, by source and source key."""
        return {uuid.UUID(one["record_id"]): (one["source"], one["source_key"]) for one in self.body.get("members", ())}

    @property
    def values(self) -> dict[str, Any]:
        """Its values by attribute, without their provenance."""
        return {name: held["value"] for name, held in self.body.get("values", {}).items()}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a record joined: the strongest decision then about it and a record that stayed. `weight`: None for a steward's."""

    record: Key
    beside: Key
    author: str
    verdict: str
    reason_code: str
    weight: float | None
    decision_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Step:
    """From one version to the next; `before` None: the id was issued. `values` holds the attributes that differ, what they were
    and became; None: not known.

    `undone`: imports that were undone in between and changed what a record of it says.
    """

    version: Version
    joined: tuple[Key, ...]
    left: tuple[Key, ...]
    values: Mapping[str, tuple[Any, Any]]
    because: tuple[Reason, ...]
    overrides: tuple[Shown, ...] = ()
    undone: tuple[UndoneImport, ...] = ()
    before: Version | None = None


def visible(session: Session, golden_id: uuid.UUID) -> None:
    """Check in a session of the caller's row scope that the golden record is theirs to see. Raises: NotFound, Gone."""
    found = sql.rows(session, "SELECT status FROM golden WHERE golden_id = %s", [golden_id])
    if not found:
        raise lookup.unknown(golden_id, timeline(session))
    if found[0][0] == Status.ERASED:
        raise lookup.erased(golden_id, timeline(session))


def require_within(session: Session, record_ids: Collection[uuid.UUID]) -> None:
    """Check in a session of the caller's row scope that none of some records is beyond it. Raises: Forbidden.

    For what is kept whole, as a past version is: no view of it is computed from some of its records.
    """
    asked = sorted(set(record_ids))
    ((seen,),) = sql.rows(session, "SELECT count(*) FROM crosswalk WHERE record_id = ANY(%s)", [asked])
    if seen < len(asked):
        detail = "Some records of this customer are beyond your brands or regions, and this is told of all of them or not at all."
        raise Forbidden("This is not all within your scope", code=OUTSIDE_SCOPE, detail=detail)


def living(session: Session, golden_id: uuid.UUID) -> tuple[uuid.UUID, str]:
    """The id that a golden id lives by now and what became of the one asked; as `visible`, of both. Raises: NotFound, Gone."""
    visible(session, golden_id)
    asked = "SELECT coalesce(redirect_to, golden_id), status FROM golden WHERE golden_id = %s"
    ((live_id, status),) = sql.rows(session, asked, [golden_id])
    visible(session, live_id)
    return live_id, status


def at(session: Session, golden_id: uuid.UUID, as_of: datetime) -> tuple[Version, Version]:
    """Read what an id answered at a time: its own version then, and that of the id it lived by (the same when it was live).

    Raises: Invalid for a time to come; NotFound for one before the id was issued, with the time of its first version.
    """
    if as_of > clock.now():
        raise Invalid("That time is still to come", code="as_of_in_future")
    asked = _version_at(session, golden_id, as_of)
    if asked is None:
        first = sql.rows(session, "SELECT min(computed_at) FROM golden_version WHERE golden_id = %s", [golden_id])[0][0]
        extra = {"golden_id": str(golden_id), "timeline_id": timeline(session), "issued_at": first and first.isoformat()}
        raise NotFound("The golden id was not issued yet", code="not_issued_yet", extra=extra)
    lived = _version_at(session, asked.redirect_to, as_of) if asked.redirect_to else asked
    return asked, lived or asked


def _version_at(session: Session, golden_id: uuid.UUID, as_of: datetime) -> Version | None:
    found = sql.rows(
        session,
        f"SELECT {_COLUMNS} FROM golden_version WHERE golden_id = %s AND computed_at <= %s ORDER BY version DESC LIMIT 1",
        [golden_id, as_of],
    )
    return _version(found[0]) if found else None


def _version(row: sql.Row) -> Version:
    golden_id, version, computed_at, status, redirect_to, cause, members, body = row
    return Version(golden_id, version, computed_at, status, redirect_to, cause, frozenset(members), body)


def timeline(session: Session) -> str:
    """Read the id of the present timeline."""
    return str(sql.rows(session, lookup.TIMELINE)[0][0])


def steps(session: Session, golden_id: uuid.UUID, after: int, most: int) -> list[Step]:
    """Read what happened to an id after a version (0: from its issue), the earliest first, at most so many steps."""
    found = sql.rows(
        session,
        f"SELECT {_COLUMNS} FROM golden_version WHERE golden_id = %s AND version >= %s ORDER BY version LIMIT %s",
        [golden_id, after, most + 1 if after else most],
    )
    versions = [_version(row) for row in found]
    before: list[Version | None] = [None, *versions] if not after else [*versions]
    now = versions if not after else versions[1:]
    return [_step(session, was, becomes) for was, becomes in zip(before, now, strict=False)]


def _step(session: Session, was: Version | None, becomes: Version) -> Step:
    known = (was.keys if was else {}) | becomes.keys
    stayed = was.members if was else frozenset()
    joined, left = becomes.members - stayed, stayed - becomes.members
    old, new = (was.values if was else {}), becomes.values
    values = {name: (old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)}
    because = _reasons(session, joined, becomes, known) if len(becomes.members) > 1 else ()
    shown = override_history.between(session, was.body if was else {}, becomes.body, becomes.computed_at)
    undone = undone_imports.between(session, stayed | becomes.members, was.computed_at, becomes.computed_at) if was else ()
    return Step(becomes, _named(known, joined), _named(known, left), values, because, shown, undone, was)


def _named(known: Mapping[uuid.UUID, Key], records: Collection[uuid.UUID]) -> tuple[Key, ...]:
    return tuple(sorted(known[record] for record in records if record in known))


# Each look-up descends an index of its own: of the live decisions, of those that ended, and of the stewards'.
_PAIRS = """SELECT decision_id, author, verdict, reason_code, weight, record_a, record_b, NULL::uuid[] AS others
  FROM decision WHERE record_a IS NOT NULL AND {side} = j.record_id AND {when} OFFSET 0"""
_SETS = """SELECT decision_id, author, verdict, reason_code, weight, NULL::uuid, NULL::uuid, {other}
  FROM decision WHERE record_a IS NULL AND verdict = 'match' AND {side} @> ARRAY[j.record_id] AND {when} OFFSET 0"""
_WHEN = ("superseded_at IS NULL", "superseded_at IS NOT NULL AND superseded_at > %(at)s")
_ABOUT = " UNION ALL ".join(
    f"({text})"
    for when in _WHEN
    for text in (
        _PAIRS.format(side="record_a", when=when),
        _PAIRS.format(side="record_b", when=when),
        _SETS.format(side="left_records", other="right_records", when=when),
        _SETS.format(side="right_records", other="left_records", when=when),
    )
)
_REASONS = f"""
SELECT DISTINCT ON (j.record_id) j.record_id, o.record_id, d.author, d.verdict, d.reason_code, d.weight, d.decision_id
FROM unnest(%(joined)s::uuid[]) AS j (record_id) CROSS JOIN LATERAL ({_ABOUT}) AS d
CROSS JOIN LATERAL unnest(coalesce(d.others, ARRAY[d.record_a, d.record_b])) AS o (record_id)
WHERE o.record_id <> j.record_id AND o.record_id = ANY(%(members)s::uuid[])
ORDER BY j.record_id, d.others IS NULL, d.weight DESC, o.record_id
"""


def _reasons(
    session: Session, joined: Collection[uuid.UUID], becomes: Version, known: Mapping[uuid.UUID, Key]
) -> tuple[Reason, ...]:
    """Of each record that joined: a steward's match with another member, else the strongest of the model's decisions then."""
    found = sql.rows(session, _REASONS, {"joined": sorted(joined), "members": sorted(becomes.members), "at": becomes.computed_at})
    return tuple(Reason(known[row[0]], known[row[1]], *row[2:]) for row in found if row[0] in known and row[1] in known)
