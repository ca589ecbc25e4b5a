"""Values shown to somebody who sees them masked: with a reason, audited one by one, and so many in an hour.

Two transactions: one counts, holding the caller's turn, and the other, in the caller's row scope, audits and reads within it.
What cannot be audited is not revealed, and what is refused is not counted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from kernel import audit, clock, db
from kernel.actor import CLEAR, REVEAL, Principal
from kernel.errors import Invalid, TooMany
from kernel.settings import settings
from mdm import history, lookup, sql
from stewardship import customers
from stewardship.settle import checked_reason

ACTION = "golden.revealed"
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Revealed:
    """A golden record's values as they are, without provenance."""

    golden_id: UUID
    values: Mapping[str, Any]


def reveal(caller: Principal, golden_id: UUID, attributes: Collection[str], reason: str) -> Revealed:
    """Read values as they are, of some attributes or (none named) all, within the caller's scope.

    Raises: Forbidden; TooMany; NotFound, Gone; Invalid for a reason that says nothing or an attribute without value.
    """
    caller.require(REVEAL)
    why = checked_reason(reason)
    with db.transaction() as counting:
        _count(counting, caller)
        with db.transaction(db.Role.APP, caller.scope) as session:
            return _read(session, caller, golden_id, attributes, why)


def _count(session: Session, caller: Principal) -> None:
    """Count one more. Two requests at once come one after the other, so that they do not both find the last one left."""
    now = clock.now()
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended('reveal:' || %s, 0))", [caller.actor])
    sql.run(session, "DELETE FROM reveal WHERE actor = %s AND at <= %s", [caller.actor, now - HOUR])
    ((done, first),) = sql.rows(session, "SELECT count(*), min(at) FROM reveal WHERE actor = %s", [caller.actor])
    if done >= settings().reveals_per_hour:
        after = ((first or now) + HOUR - now).total_seconds()
        detail = f"One caller may reveal {settings().reveals_per_hour:,} golden records in an hour."
        raise TooMany.asked("reveals_used_up", "Too many values were revealed", after, detail)
    sql.run(session, "INSERT INTO reveal (actor, at) VALUES (%s, %s)", [caller.actor, now])


def _read(session: Session, caller: Principal, golden_id: UUID, attributes: Collection[str], why: str) -> Revealed:
    live_id, _ = history.living(session, golden_id)
    found = customers.read(session, as_clear(caller), [live_id])
    if not found:
        raise lookup.unknown(golden_id, history.timeline(session))
    if caller.scope != db.Scope():
        history.require_within(session, [one.record_id for one in found[0].members])
    values = found[0].plain
    if set(attributes) - values.keys():
        raise Invalid("It has no value of an attribute that was named", code="unknown_attribute", extra={"known": sorted(values)})
    shown = {name: value for name, value in values.items() if not attributes or name in attributes}
    audit.record(session, caller.actor, ACTION, "golden", str(live_id), purpose=why, detail={"attributes": sorted(shown)})
    return Revealed(live_id, shown)


def as_clear(caller: Principal) -> Principal:
    """The same caller, seeing what was revealed to them."""
    return replace(caller, scopes=caller.scopes | {CLEAR})
