"""Whom a decision speaks of: golden records or single records, as a steward names them, read into two sets of records.

Read past the row scope of the application, so everything found is held against the caller's scope before anything is told.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel.db import Scope
from kernel.errors import Conflict, Invalid, NotFound
from mdm import history, lookup, sql

MOST_RECORDS = 1_000
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Side:
    """A golden record, some records by (source, key), or both: those of the golden record's records that are named."""

    golden_id: uuid.UUID | None = None
    records: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    record_id: uuid.UUID
    key: Key


@dataclass(frozen=True, slots=True)
class Standing:
    """A golden id: the one it lives by, what became of the one that was asked, and the records there; of an ended one, none."""

    golden_id: uuid.UUID
    status: str
    records: frozenset[uuid.UUID]


def read(session: Session, scope: Scope, left: Side, right: Side) -> tuple[frozenset[uuid.UUID], frozenset[uuid.UUID]]:
    """Read both sides. Two sides of one golden record part it: one names records of it, the other is the rest.

    Raises: NotFound for what is unknown within the scope; Gone for an erased golden record; Conflict for one that ended; Invalid
    when a side is empty, the sides share a record, or a named record lives elsewhere than its side says.
    """
    sides = [_side(session, scope, one) for one in (left, right)]
    if left.golden_id is not None and left.golden_id == right.golden_id and bool(left.records) != bool(right.records):
        named, whole = (0, 1) if left.records else (1, 0)
        sides[whole] -= sides[named]
    if not all(sides):
        raise Invalid("A side of the decision has no record", code="empty_side")
    if sides[0] & sides[1]:
        detail = "Nothing is told from itself or matched with itself: name two golden records, or records of them."
        raise Invalid("Both sides name the same record", code="same_record", detail=detail)
    if len(sides[0] | sides[1]) > MOST_RECORDS:
        raise Invalid(f"A decision speaks of at most {MOST_RECORDS:,} records", code="too_many_records")
    return frozenset(sides[0]), frozenset(sides[1])


def _side(session: Session, scope: Scope, side: Side) -> set[uuid.UUID]:
    members = _living(session, scope, side.golden_id)[1] if side.golden_id is not None else None
    if not side.records:
        return {one.record_id for one in members or ()}
    named = _named(session, scope, side.records)
    if members is not None:
        known = {one.record_id for one in members}
        strangers = [one.key for one in named if one.record_id not in known]
        if strangers:
            detail = "Name only records that live under the golden id of their side: see its members."
            extra = {"records": [{"source": source, "key": key} for source, key in strangers]}
            raise Invalid("Records of another golden record are named", code="records_of_another", detail=detail, extra=extra)
    return {one.record_id for one in named}


def members(session: Session, scope: Scope, golden_id: uuid.UUID) -> tuple[uuid.UUID, frozenset[uuid.UUID]]:
    """Read the live id of a golden record, and its records. Raises: as `read`."""
    stands, _ = _living(session, scope, golden_id)
    return stands.golden_id, stands.records


def standing(session: Session, scope: Scope, golden_id: uuid.UUID) -> Standing:
    """The same of one that may have ended. Raises: NotFound, Gone."""
    return _members(session, scope, golden_id)[0]


def live_together(session: Session, record_ids: Collection[uuid.UUID]) -> bool:
    """Whether all of the records live under one golden id."""
    rows = sql.rows(session, "SELECT DISTINCT golden_id FROM crosswalk WHERE record_id = ANY(%s)", [list(record_ids)])
    return len(rows) == 1 and rows[0][0] is not None


def _living(session: Session, scope: Scope, golden_id: uuid.UUID) -> tuple[Standing, list[_Found]]:
    stands, found = _members(session, scope, golden_id)
    if not found:
        detail = "All its records were deleted at their sources. Its id stays, and lives again when one of them returns."
        extra = {"golden_id": str(golden_id), "status": stands.status, "timeline_id": history.timeline(session)}
        raise Conflict("The golden record has ended", code="golden_ended", detail=detail, extra=extra)
    return stands, found


def _members(session: Session, scope: Scope, golden_id: uuid.UUID) -> tuple[Standing, list[_Found]]:
    rows = sql.rows(
        session,
        """SELECT live.golden_id, CASE WHEN live.status = 'live' THEN g.status ELSE live.status END, live.brands, live.regions,
             c.record_id, c.source, c.source_key
           FROM golden g JOIN golden live ON live.golden_id = coalesce(g.redirect_to, g.golden_id)
           LEFT JOIN crosswalk c ON c.golden_id = live.golden_id WHERE g.golden_id = %s""",
        [golden_id],
    )
    if not rows or not is_within(scope, rows[0][2], rows[0][3]):
        raise lookup.unknown(golden_id, history.timeline(session))
    live_id, status = rows[0][:2]
    if status == "erased":
        raise lookup.erased(golden_id, history.timeline(session))
    found = [_Found(record_id, (source, key)) for *_, record_id, source, key in rows if record_id is not None]
    return Standing(live_id, status, frozenset(one.record_id for one in found)), found


def _named(session: Session, scope: Scope, keys: Sequence[Key]) -> list[_Found]:
    rows = sql.rows(
        session,
        """SELECT c.record_id, c.source, c.source_key, ARRAY[c.brand], ARRAY[c.region]
           FROM unnest(%s::text[], %s::text[]) AS asked (source, source_key) JOIN crosswalk c USING (source, source_key)
           WHERE c.state <> 'deleted'""",
        [[source for source, _ in keys], [key for _, key in keys]],
    )
    found = [_Found(row[0], (row[1], row[2])) for row in rows if is_within(scope, row[3], row[4])]
    missing = set(keys) - {one.key for one in found}
    if missing:
        extra = {"records": [{"source": source, "key": key} for source, key in sorted(missing)]}
        raise NotFound("There are no such records", code="unknown_record", extra=extra)
    return found


def is_within(scope: Scope, brands: Sequence[str], regions: Sequence[str]) -> bool:
    """Whether whoever has the scope may see all of it: a decision about what one sees in part moves what one does not see."""
    return (scope.brands is None or set(brands) <= set(scope.brands)) and (
        scope.regions is None or set(regions) <= set(scope.regions)
    )


def all_within(session: Session, scope: Scope, record_ids: Collection[uuid.UUID]) -> bool:
    """Whether every one of the records may be seen by whoever has the scope."""
    rows = sql.rows(session, "SELECT DISTINCT brand, region FROM crosswalk WHERE record_id = ANY(%s)", [list(record_ids)])
    return all(is_within(scope, [brand], [region]) for brand, region in rows)
