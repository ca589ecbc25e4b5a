"""Automatic merging on hold: what would newly be merged without a human waits, untouched, until the hold is lifted.

A hold is no part of the version set and changes no outcome, only when it comes: nothing that is merged comes apart, whoever joins
nobody is resolved as ever, and what waits is owed like every pending record. So the customers of the end are the same with a hold
or without one (P2), and `mdm verify` judges no unit that waits.
"""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlmodel import Session

from kernel import audit, clock, outbox
from kernel.errors import Conflict, NotFound
from matching.cluster import Join, JoinKind
from mdm import pending, sql
from mdm.closure import RecordHead
from mdm.evaluation import Evaluation
from mdm.pending import Claim

Id = uuid.UUID
HELD, RESUMED = "merging.held", "merging.resumed"
WAITS = "automatic_merging_on_hold"  # Why a record is pending.
LIFTED = "merging_resumed"
# Two who begin the same hold must not both; the number is arbitrary and never changes.
LOCK = 7_301_884_563_117
_READ = """
SELECT hold_id, began_at, held_by, reason, sources, figures, ended_at, ended_by, end_reason FROM merge_hold """


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, in force until it has ended. `sources`: only merges of a record of the one with a record of the other (they may be
    the same); None: all automatic merges. `figures` says by what it was judged, if it was."""

    hold_id: Id
    began_at: datetime
    held_by: str
    reason: str
    sources: tuple[str, str] | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None
    ended_by: str | None = None
    end_reason: str | None = None


def in_force(session: Session) -> tuple[Hold, ...]:
    """The holds that nobody has lifted, the oldest first."""
    return _read(session, "WHERE ended_at IS NULL ORDER BY began_at, hold_id")


def listed(session: Session, most: int = 100) -> tuple[Hold, ...]:
    """The latest holds, the newest first."""
    return _read(session, "ORDER BY began_at DESC, hold_id LIMIT %s", [most])


def _read(session: Session, which: str, given: Sequence[Any] = ()) -> tuple[Hold, ...]:
    return tuple(_hold(*row) for row in sql.rows(session, _READ + which, list(given)))


def _hold(hold_id: Id, began_at: datetime, held_by: str, reason: str, sources: Sequence[str] | None, *rest: Any) -> Hold:
    return Hold(hold_id, began_at, held_by, reason, None if sources is None else _pair(sources), *rest)


def begin(
    session: Session, by: str, reason: str, sources: Iterable[str] | None = None, figures: Mapping[str, Any] | None = None
) -> Hold:
    """Hold automatic merges, all or those between two sources. What is being written at this moment may still be written.

    Raises: Conflict when the same is on hold already.
    """
    sql.rows(session, "SELECT pg_advisory_xact_lock(%s)", [LOCK])
    pair = None if sources is None else _pair(sources)
    if any(one.sources == pair for one in in_force(session)):
        raise Conflict("These merges are on hold already", code="already_on_hold")
    made = Hold(clock.uuid7(), clock.now(), by, reason, pair, figures or {})
    sql.run(
        session,
        """INSERT INTO merge_hold (hold_id, began_at, held_by, reason, sources, figures)
           VALUES (%s, %s, %s, %s, %s, %s::jsonb)""",
        [made.hold_id, made.began_at, by, reason, None if pair is None else list(pair), json.dumps(dict(made.figures))],
    )
    audit.record(session, by, HELD, "merge_hold", str(made.hold_id), detail={"sources": pair, **made.figures})
    outbox.emit(session, _event(HELD, made, 1))
    return made


def lift(session: Session, hold_id: Id, by: str, reason: str) -> int:
    """Lift a hold: what waits is owed at once, and what another hold still bars waits again. How many records were let go.

    Raises: NotFound; Conflict when it has ended already.
    """
    found = _read(session, "WHERE hold_id = %s FOR UPDATE", [hold_id])
    if not found:
        raise NotFound("There is no such hold", code="unknown_hold")
    if found[0].ended_at is not None:
        raise Conflict("The hold has ended already", code="hold_ended", extra={"ended_at": found[0].ended_at.isoformat()})
    said = [clock.now(), by, reason, hold_id]
    sql.run(session, "UPDATE merge_hold SET ended_at = %s, ended_by = %s, end_reason = %s WHERE hold_id = %s", said)
    audit.record(session, by, RESUMED, "merge_hold", str(hold_id), after=reason)
    outbox.emit(session, _event(RESUMED, found[0], 2))
    waiting = [row[0] for row in sql.rows(session, "SELECT record_id FROM pending_record WHERE reason = %s", [WAITS])]
    return pending.request(session, waiting, LIFTED, fresh=False)


def waiting(session: Session) -> int:
    """How many records wait for a hold to be lifted."""
    return int(sql.rows(session, "SELECT count(*) FROM pending_record WHERE reason = %s", [WAITS])[0][0])


def barred(holds: Collection[Hold], evaluations: Iterable[Evaluation]) -> set[Id]:
    """Name all records of the units in which something would newly be merged that is on hold. A unit waits as a whole."""
    return {record for one in evaluations if holds and _is_barred(holds, one) for record in one.records}


def park(session: Session, claims: Mapping[Id, Claim], record_ids: Iterable[Id], owner: str) -> None:
    """Let claimed records wait for the end of the hold. One that was asked for again meanwhile is due again instead."""
    mine = [claims[record] for record in sorted(record_ids) if record in claims]
    if not mine:
        return
    sql.run(
        session,
        """WITH held AS (
             SELECT p.record_id FROM pending_record p
             JOIN unnest(%(ids)s::uuid[], %(numbers)s::bigint[]) AS c (record_id, request_no) USING (record_id, request_no)
             WHERE p.lease_owner = %(owner)s ORDER BY p.record_id FOR UPDATE OF p)
           UPDATE pending_record p SET reason = %(reason)s, available_at = 'infinity', lease_owner = NULL, lease_until = NULL,
             rung_at = NULL
           FROM held WHERE p.record_id = held.record_id""",
        {
            "ids": [one.record_id for one in mine],
            "numbers": [one.request_no for one in mine],
            "owner": owner,
            "reason": WAITS,
        },
    )
    pending.release(session, [one.record_id for one in mine], owner)


def _pair(sources: Iterable[str]) -> tuple[str, str]:
    named = sorted(sources)
    if not named or len(named) > 2:
        raise ValueError("a hold is of one source, of a pair, or of all")
    return named[0], named[-1]


def _is_barred(holds: Collection[Hold], unit: Evaluation) -> bool:
    return any(_bars(hold, join, unit.records) for join in unit.joins if join.kind is not JoinKind.STEWARD for hold in holds)


def _bars(hold: Hold, join: Join[Id], records: Mapping[Id, RecordHead]) -> bool:
    """Whether a step puts together what no golden record holds together yet, and the hold speaks of it."""
    lives = {records[record].golden_id or record for part in join.parts for record in part}
    if len(lives) == 1:
        return False
    if hold.sources is None:
        return True
    named = [{records[record].source for record in part} for part in join.parts]
    one, other = hold.sources
    return any((one in a and other in b) or (other in a and one in b) for a, b in combinations(named, 2))


def _event(type_: str, hold: Hold, version: int) -> outbox.Event:
    """Tell it, without figures and words of people, to whoever may see all."""
    about = list(hold.sources) if hold.sources else None
    return outbox.Event(type_, hold.hold_id, version, {"sources": about, "by_budget": bool(hold.figures)})
