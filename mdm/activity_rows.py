"""Stores activities: once for each key of a source, the later update in place of the earlier. Their only writer.

Set-based: a handful of statements whatever the size of the batch. Asks for no resolution, since nothing is matched on.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel import clock
from kernel.actor import Principal
from mdm import record_rows, refusing, sql
from mdm.activities import Activity, Said
from mdm.mapping_values import Problem

Key = tuple[str, str]  # Of an activity or a record: the source and the key there.
COLUMNS = {
    "source": "text", "activity_key": "text", "record_key": "text", "kind": "text", "status": "text",
    "occurred_at": "timestamptz", "store": "text", "amount": "numeric", "currency": "text", "updated_at": "timestamptz",
    "brand": "text",
}  # fmt: skip
_NAMES = ", ".join(COLUMNS)
_SENT = f"unnest({', '.join(f'%s::{kind}[]' for kind in COLUMNS.values())}) AS sent ({_NAMES})"
# In the order of keys, so that two batches never wait for each other in a circle.
INSERT = f"""
INSERT INTO activity ({_NAMES}, received_at, received_by) SELECT sent.*, %s, %s FROM {_SENT} ORDER BY source, activity_key
ON CONFLICT DO NOTHING RETURNING source, activity_key
"""
STORED = """
SELECT a.source, a.activity_key, a.record_key, a.kind, a.status, a.occurred_at, a.store, a.amount, a.currency, a.updated_at
FROM (SELECT * FROM unnest(%s::text[], %s::text[]) AS k (source, activity_key) ORDER BY 1, 2) AS asked
CROSS JOIN LATERAL (SELECT * FROM activity WHERE source = asked.source AND activity_key = asked.activity_key OFFSET 0) AS a
"""
LOCKED = f"{STORED} FOR UPDATE OF a"
UPDATE = f"""
UPDATE activity a SET received_at = %s, received_by = %s, {", ".join(f"{name} = sent.{name}" for name in COLUMNS)}
FROM {_SENT} WHERE a.source = sent.source AND a.activity_key = sent.activity_key
"""
KNOWN = """
SELECT DISTINCT r.source, r.source_key FROM unnest(%s::text[], %s::text[]) AS asked (source, key)
CROSS JOIN LATERAL (SELECT * FROM source_record WHERE source = asked.source AND source_key = asked.key OFFSET 0) AS r
"""
UNKNOWN_RECORD = Problem("record_not_known", "record_key")
FOREIGN = Problem("outside_scope", "record_key")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery: created, changed, same, superseded or rejected (then `problem` says why)."""

    status: str
    problem: Problem | None = None
    notes: tuple[Problem, ...] = ()


def put_all(session: Session, brands: Mapping[str, str], deliveries: Sequence[Activity], principal: Principal) -> list[Outcome]:
    """Take in activities of any sources; one outcome each, in order. Idempotent. `brands`: of each source.

    Whether the record is known is only noted: it is attached when it comes. Locks the activities, in the order of keys.
    """
    foreign = _foreign(session, principal, {(one.source, one.said.record_key) for one in deliveries})
    erased = refusing.erased_keys(session, {(one.source, one.said.record_key) for one in deliveries})
    usable = [one for one in deliveries if (one.source, one.said.record_key) not in foreign | erased]
    first: dict[Key, Activity] = {}
    for one in usable:
        first.setdefault((one.source, one.key), one)
    inserted = {(source, key) for source, key in _write(session, INSERT, first.values(), brands, principal)}
    stored = _locked(session, [key for key in first if key not in inserted])
    hidden = _foreign(session, principal, {(one.source, one.said.record_key) for one in stored.values()})
    now = {key: first[key] for key in inserted}
    now |= {key: one for key, one in stored.items() if (one.source, one.said.record_key) not in hidden}
    fresh, before = set(inserted), dict(now)
    outcomes = [
        Outcome("rejected", refusing.ERASED)
        if (one.source, one.said.record_key) in erased
        else Outcome("rejected", FOREIGN)
        if (one.source, one.said.record_key) in foreign or (one.source, one.key) not in now
        else _arrive(now, fresh, one)
        for one in deliveries
    ]
    _write(session, UPDATE, [one for key, one in now.items() if one is not before[key]], brands, principal)
    known = _known(session, {(one.source, one.said.record_key) for one in usable})
    return [_noted(outcome, one, known) for outcome, one in zip(outcomes, deliveries, strict=True)]


def _arrive(now: dict[Key, Activity], fresh: set[Key], one: Activity) -> Outcome:
    """Hold a delivery against what is known by now; the newer stays."""
    place = (one.source, one.key)
    if place in fresh:  # This very delivery was inserted.
        fresh.discard(place)
        return Outcome("created")
    known = now[place]
    if one.replaces(known):
        now[place] = one
    if one.said == known.said:
        return Outcome("same")
    return Outcome("changed" if now[place] is one else "superseded")


def _noted(outcome: Outcome, one: Activity, known: Collection[Key]) -> Outcome:
    is_attached = outcome.problem is not None or (one.source, one.said.record_key) in known
    return outcome if is_attached else Outcome(outcome.status, notes=(UNKNOWN_RECORD,))


def _foreign(session: Session, principal: Principal, keys: Collection[Key]) -> set[Key]:
    """Keys of records that are another region's."""
    if principal.scope.regions is None:
        return set()
    by_source: dict[str, list[str]] = {}
    for source, key in keys:
        by_source.setdefault(source, []).append(key)
    return {(source, key) for source, own in by_source.items() for key in record_rows.out_of_scope(session, source, own)}


def _locked(session: Session, keys: Sequence[Key]) -> dict[Key, Activity]:
    if not keys:
        return {}
    found = sql.rows(session, LOCKED, [[source for source, _ in keys], [key for _, key in keys]])
    return {row[:2]: Activity(row[0], row[1], Said(*row[2:9]), row[9]) for row in found}


def _known(session: Session, keys: Collection[Key]) -> set[Key]:
    found = sql.rows(session, KNOWN, [[source for source, _ in keys], [key for _, key in keys]])
    return {(source, key) for source, key in found}


def _write(
    session: Session, statement: str, activities: Collection[Activity], brands: Mapping[str, str], principal: Principal
) -> list[sql.Row]:
    if not activities:
        return []
    columns = zip(*(_row(one, brands[one.source]) for one in activities), strict=True)
    with sql.cursor(session) as opened:
        opened.execute(statement, [clock.now(), principal.name, *map(list, columns)])
        return opened.fetchall() if opened.description else []


def _row(one: Activity, brand: str) -> tuple[object, ...]:
    said = one.said
    about = (said.record_key, said.kind, said.status, said.occurred_at, said.store, said.amount, said.currency)
    return (one.source, one.key, *about, one.updated_at, brand)
