"""The hot read side: golden records and crosswalk by id, with few prepared statements on the async pool.

Every answer that holds personal data is audited before it is handed out: the audit row is committed on the connection that read,
and when that fails nothing is returned. Reads that come together share a statement and an audit insert. Never resolves.
"""

import asyncio
import weakref
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from kernel import audit, db
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.errors import MdmError, Unavailable
from mdm.gather import Gatherer

Connection = psycopg.AsyncConnection[Any]
Row = tuple[Any, ...]

# Only whoever asks for flags pays for them: is a steward asked about it, does a record of it wait to be resolved?
GOLDEN = """
SELECT golden_id::text, status, redirect_to::text, version, body::text,
       (SELECT timeline_id::text FROM timeline ORDER BY started_at DESC LIMIT 1),
       golden_id = ANY(%(flagged)s::uuid[])
         AND EXISTS (SELECT FROM task t WHERE t.state = 'open' AND t.golden_ids @> ARRAY[golden.golden_id]),
       golden_id = ANY(%(flagged)s::uuid[])
         AND EXISTS (SELECT FROM crosswalk c JOIN pending_record p USING (record_id) WHERE c.golden_id = golden.golden_id)
FROM golden WHERE golden_id = ANY(%(ids)s::uuid[])
"""

# A row of pending_record says that the present answer may change; one that is quarantined waits for a human.
CROSSWALK = """
SELECT c.source, c.source_key, c.record_id::text, c.state, c.golden_id::text,
       p.record_id IS NOT NULL, p.quarantined_at IS NOT NULL
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS asked (source, source_key)) asked
JOIN crosswalk c ON c.source = asked.source AND c.source_key = asked.source_key
LEFT JOIN pending_record p ON p.record_id = c.record_id
"""

TIMELINE = "SELECT timeline_id::text FROM timeline ORDER BY started_at DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Held:
    """What a golden id answers: the id it lives by and its body as the JSON text of the database. Unknown: no `golden_id`.

    `in_review`: a steward is asked about it; `is_settling`: a record of it waits to be resolved. Read only when asked for.
    """

    requested_id: str
    timeline_id: str
    status: str = "unknown"
    golden_id: str | None = None
    version: int = 0
    body: str = "{}"
    in_review: bool = False
    is_settling: bool = False


@dataclass(frozen=True, slots=True)
class Crossed:
    """Where a source record stands: resolved, pending, quarantined, shadow, deleted or unknown.

    A pending one may have a golden id from before.
    """

    resolution: str = "unknown"
    record_id: str | None = None
    golden_id: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """One golden id that somebody reads, and what the audit row will say of it."""

    caller: Principal
    golden_id: str
    action: str
    with_flags: bool = False


async def timeline(connection: Connection) -> str:
    """The id of the present timeline."""
    row = await (await connection.execute(TIMELINE)).fetchone()
    return str(row[0]) if row else ""


async def golden(caller: Principal, golden_id: str, action: str = "golden.read", with_flags: bool = False) -> Held:
    """Read one golden record; reads of the same row scope that come together share a statement. Raises: Unavailable."""
    return await _gatherer().ask(caller.scope, Read(caller, golden_id, action, with_flags))


async def goldens(
    caller: Principal, golden_ids: Collection[str], action: str = "golden.read", with_flags: bool = False
) -> dict[str, Held]:
    """Read golden records by id, one answer for each id asked. Two to four statements. Raises: Unavailable."""
    reads = [Read(caller, golden_id, action, with_flags) for golden_id in dict.fromkeys(golden_ids)]
    return {held.requested_id: held for held in await _read(caller.scope, reads)}


_gatherers: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Gatherer[db.Scope, Read, Held]]" = weakref.WeakKeyDictionary()


def _gatherer() -> "Gatherer[db.Scope, Read, Held]":
    loop = asyncio.get_running_loop()
    found = _gatherers.get(loop)
    if found is None:
        found = _gatherers[loop] = Gatherer(_read)
    return found


async def _read(scope: db.Scope, reads: Sequence[Read]) -> list[Held]:
    flagged = {read.golden_id for read in reads if read.with_flags}
    async with db.hot_connection(scope) as connection:
        held = await _held_goldens(connection, {read.golden_id for read in reads}, flagged)
        found = [held[read.golden_id] for read in reads]
        await audited(connection, _entries(reads, found))
    return found


def _entries(reads: Iterable[Read], found: Iterable[Held]) -> list[Entry]:
    return [
        Entry(
            read.caller.actor,
            read.action,
            "golden",
            held.golden_id,
            detail={"requested_id": held.requested_id} if held.requested_id != held.golden_id else None,
        )
        for read, held in zip(reads, found, strict=True)
        if held.golden_id is not None
    ]


async def audited(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write the audit rows of what is about to be handed out. Raises: Unavailable when they cannot be written."""
    try:
        await audit.record_all_async(connection, entries)
    except MdmError:
        raise
    except psycopg.Error as error:
        detail = "A read of personal data that cannot be audited is refused. Try again."
        raise Unavailable("The read could not be audited", code="audit_unavailable", detail=detail) from error


async def _held_goldens(connection: Connection, golden_ids: Collection[str], flagged: Collection[str]) -> dict[str, Held]:
    """Read golden records, one answer for each id. A second statement only when some are merged away."""
    rows = await _rows(connection, golden_ids, flagged)
    targets = {row[2]: golden_id in flagged for golden_id, row in rows.items() if row[2] and row[2] not in rows}
    lives = {**rows, **(await _rows(connection, targets, [one for one, wanted in targets.items() if wanted]) if targets else {})}
    timeline_id = next((row[5] for row in rows.values()), None) or await timeline(connection)
    return {golden_id: _held(golden_id, rows, lives, timeline_id) for golden_id in golden_ids}


async def _rows(connection: Connection, golden_ids: Collection[str], flagged: Collection[str]) -> dict[str, Row]:
    cursor = await connection.execute(GOLDEN, {"ids": list(golden_ids), "flagged": list(flagged)})
    return {row[0]: row for row in await cursor.fetchall()}


def _held(golden_id: str, rows: dict[str, Row], lives: dict[str, Row], timeline_id: str) -> Held:
    asked = rows.get(golden_id)
    now = lives.get(asked[2] or golden_id) if asked else None
    if asked is None or now is None:
        return Held(golden_id, timeline_id)
    if now[1] == "erased":
        return Held(golden_id, timeline_id, "erased", now[0], now[3])
    return Held(golden_id, timeline_id, asked[1] if now[1] == "live" else now[1], now[0], now[3], now[4], now[6], now[7])


async def crosswalk(caller: Principal, keys: Sequence[tuple[str, str]]) -> tuple[str, list[Crossed]]:
    """Find records by source and source key: the timeline, and one answer each, in the order asked. Audited as one act."""
    async with db.hot_connection(caller.scope) as connection:
        cursor = await connection.execute(CROSSWALK, [[source for source, _ in keys], [key for _, key in keys]])
        found = {(row[0], row[1]): Crossed(resolution(*row[3:]), row[2], row[4]) for row in await cursor.fetchall()}
        timeline_id = await timeline(connection)
        await audited(
            connection,
            [Entry(caller.actor, "crosswalk.lookup", "crosswalk", "", detail={"asked": len(keys), "found": len(found)})],
        )
    return timeline_id, [found.get(key, Crossed()) for key in keys]


def resolution(state: str, _golden_id: str | None, is_pending: bool, is_quarantined: bool) -> str:
    """Say in one word where a record stands: what is still owed outweighs what its crosswalk row says."""
    if is_quarantined:
        return "quarantined"
    return "pending" if is_pending else state
