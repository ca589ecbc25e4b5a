"""The hot read side: golden records and crosswalk by id, with few prepared statements on the async pool.

Every answer that holds personal data is audited before it is handed out: the audit row is committed on the connection that read,
and when that fails nothing is returned. Reads that come together share a statement and an audit insert. Never resolves.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from kernel import audit, db
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.errors import Gone, NotFound, Unavailable
from mdm.gather import Gatherer, Gatherers

Connection = psycopg.AsyncConnection[Any]
Row = tuple[Any, ...]

# Whether no record of it is beyond the caller's brands and regions: what of it they may see is computed anew when one is.
WHOLE = """(current_setting('mdm.brands', true) = '*' OR brands <@ string_to_array(current_setting('mdm.brands', true), ','))
  AND (current_setting('mdm.regions', true) = '*' OR regions <@ string_to_array(current_setting('mdm.regions', true), ','))"""
# Only whoever asks for flags pays for them: is a steward asked about it, does a record of it wait to be resolved? That a merge is
# to be checked casts no doubt on it, for it was drawn by lot; nor does a value that expired on who it is.
FOUND = f"""
SELECT golden_id, status, redirect_to, version, split_into::text[] AS split_into, body::text AS body,
       golden_id = ANY(%(flagged)s::uuid[]) AND is_in_review(golden_id) AS in_review,
       golden_id = ANY(%(flagged)s::uuid[])
         AND EXISTS (SELECT FROM crosswalk c JOIN pending_record USING (record_id) WHERE c.golden_id = golden.golden_id)
         AS settling,
       EXISTS (SELECT FROM restriction) AND is_restricted(golden_id) AS restricted, {WHOLE} AS whole
FROM golden WHERE golden_id = ANY(%(ids)s::uuid[])
"""
ROWS = """
SELECT golden_id::text, status, redirect_to::text, version, body,
       (SELECT timeline_id::text FROM timeline ORDER BY started_at DESC LIMIT 1), in_review, settling, split_into,
       restricted, whole FROM found
"""
GOLDEN = f"WITH found AS ({FOUND}) {ROWS}"
# Reads and audits in one statement, which is one transaction and one round trip: rows come only when their audit is committed.
AUDITED_GOLDEN = f"""
WITH found AS ({FOUND}), audited AS (
  {audit.INSERT_READ}
  SELECT asked.actor, asked.action, 'golden',
         CASE WHEN redirect_to IS NULL THEN '{{}}' ELSE jsonb_build_object('requested_id', golden_id) END,
         coalesce(redirect_to, golden_id)::text
  FROM unnest(%(ids)s::uuid[], %(actors)s::text[], %(actions)s::text[]) AS asked (golden_id, actor, action)
  JOIN found USING (golden_id) WHERE status <> 'erased'
) {ROWS}
"""

# A row of pending_record says that the present answer may change; one that is quarantined waits for a human. Each key descends
# the index by itself (OFFSET 0, as in mdm.decisions): left free, PostgreSQL may join all records with the keys.
CROSSWALK = """
SELECT c.source, c.source_key, c.record_id::text, c.state, c.golden_id::text,
       p.record_id IS NOT NULL, p.quarantined_at IS NOT NULL
FROM (SELECT DISTINCT * FROM unnest(%s::text[], %s::text[]) AS asked (source, source_key)) asked
CROSS JOIN LATERAL (SELECT * FROM crosswalk WHERE source = asked.source AND source_key = asked.source_key OFFSET 0) AS c
LEFT JOIN pending_record p ON p.record_id = c.record_id
"""

# What became of ids, and nothing of whom they name.
STANDINGS = """
SELECT g.golden_id::text, CASE WHEN live.status IN ('ended', 'erased') THEN live.status ELSE g.status END,
       live.golden_id::text, live.version, g.split_into::text[]
FROM golden g JOIN golden live ON live.golden_id = coalesce(g.redirect_to, g.golden_id) WHERE g.golden_id = ANY(%s::uuid[])
"""
TIMELINE = "SELECT timeline_id::text FROM timeline ORDER BY started_at DESC LIMIT 1"


# What a golden id answers of which nothing may be used for the purpose that is asked for (`mdm.purposes`).
NOT_FOR_PURPOSE = "not_for_purpose"


def unknown(golden_id: object, timeline_id: str) -> NotFound:
    """The refusal of an id that was never issued, as far as the caller may see. The timeline tells a restore's id from a typing
    error."""
    about = {"golden_id": str(golden_id), "timeline_id": timeline_id}
    detail = "No golden record of this id is known on this timeline within the key's scope."
    return NotFound("There is no such golden record", code="unknown_golden", detail=detail, extra=about)


def erased(golden_id: object, timeline_id: str) -> Gone:
    """The refusal of an id whose customer was erased, with all that it ever said."""
    about = {"golden_id": str(golden_id), "timeline_id": timeline_id}
    detail = "Its values are gone for good, at the customer's request; forget the id."
    return Gone("The golden record was erased", code="golden_erased", detail=detail, extra=about)


@dataclass(frozen=True, slots=True)
class Held:
    """What a golden id answers: the id it lives by and its body as the JSON text of the database. Unknown: no `golden_id`.

    `split_into`: the live ids under which records live that the requested id was issued to, and that are not with it now.
    `activity`: what its records did, where `mdm.activity_reading` was asked.
    `is_restricted`: its customer asked that it be kept and not used.
    `is_whole`: none of its records is beyond the scope of whoever asked; else the body is not theirs to see as it is.
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
    split_into: tuple[str, ...] = ()
    activity: Mapping[str, Any] | None = None
    is_restricted: bool = False
    is_whole: bool = True

    @property
    def redirect_chain(self) -> tuple[str, ...]:
        """From the requested id to the one it lives by: two at most, since redirects always lead to a live id."""
        return (self.requested_id,) if self.golden_id in {None, self.requested_id} else (self.requested_id, self.golden_id or "")


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
    return await _gatherers.ask(caller.scope, Read(caller, golden_id, action, with_flags))


async def goldens(
    caller: Principal, golden_ids: Collection[str], action: str = "golden.read", with_flags: bool = False
) -> dict[str, Held]:
    """Read golden records by id, one answer for each id asked. Two to four statements. Raises: Unavailable."""
    reads = [Read(caller, golden_id, action, with_flags) for golden_id in dict.fromkeys(golden_ids)]
    return {held.requested_id: held for held in await _read(caller.scope, reads)}


_gatherers: Gatherers[db.Scope, Read, Held] = Gatherers(lambda: Gatherer(_read))


async def _read(scope: db.Scope, reads: Sequence[Read]) -> list[Held]:
    """Read and audit golden records. A second statement only when some are merged away."""
    flagged = {read.golden_id for read in reads if read.with_flags}
    parameters = {
        "ids": [read.golden_id for read in reads],
        "actors": [read.caller.actor for read in reads],
        "actions": [read.action for read in reads],
        "flagged": list(flagged),
    }
    async with db.hot_connection(scope) as connection:
        rows = await _audited_rows(connection, parameters)
        targets = {row[2]: golden_id in flagged for golden_id, row in rows.items() if row[2] and row[2] not in rows}
        lives = {**rows, **(await _targets(connection, targets) if targets else {})}
        timeline_id = next((row[5] for row in rows.values()), None) or await timeline(connection)
    return [_held(read.golden_id, rows, lives, timeline_id) for read in reads]


async def _audited_rows(connection: Connection, parameters: dict[str, Any]) -> dict[str, Row]:
    with refused_unless_audited():
        cursor = await connection.execute(AUDITED_GOLDEN, parameters)
        return {row[0]: row for row in await cursor.fetchall()}


async def _targets(connection: Connection, targets: dict[str, bool]) -> dict[str, Row]:
    flagged = [golden_id for golden_id, wanted in targets.items() if wanted]
    cursor = await connection.execute(GOLDEN, {"ids": list(targets), "flagged": flagged})
    return {row[0]: row for row in await cursor.fetchall()}


@contextmanager
def refused_unless_audited() -> Iterator[None]:
    """Turn what the database refuses in the block into Unavailable: without its audit row nothing was read."""
    try:
        yield
    except psycopg.OperationalError:
        raise  # The database is away altogether, which is answered as such.
    except psycopg.Error as error:
        detail = "A read of personal data that cannot be audited is refused. Try again."
        raise Unavailable("The read could not be audited", code="audit_unavailable", detail=detail) from error


async def audited(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write the audit rows of what is about to be handed out. Raises: Unavailable when they cannot be written."""
    with refused_unless_audited():
        await audit.record_all_async(connection, entries)


def _held(golden_id: str, rows: dict[str, Row], lives: dict[str, Row], timeline_id: str) -> Held:
    asked = rows.get(golden_id)
    now = lives.get(asked[2] or golden_id) if asked else None
    if asked is None or now is None:
        return Held(golden_id, timeline_id)
    if now[1] == "erased":
        return Held(golden_id, timeline_id, "erased", now[0], now[3])
    status = asked[1] if now[1] == "live" else now[1]
    told = (now[0], now[3], now[4], now[6], now[7], tuple(asked[8]))
    return Held(golden_id, timeline_id, status, *told, is_restricted=now[9], is_whole=now[10])


async def restricted(caller: Principal, golden_ids: Collection[str]) -> set[str]:
    """Name those of some golden ids that may not be used: their customer asked so."""
    if not golden_ids:
        return set()
    named = "SELECT one::text FROM unnest(%s::uuid[]) AS one WHERE EXISTS (SELECT FROM restriction) AND is_restricted(one)"
    async with db.hot_connection(caller.scope) as connection:
        return {row[0] for row in await (await connection.execute(named, [list(golden_ids)])).fetchall()}


async def resolve_ids(caller: Principal, golden_ids: Collection[str]) -> dict[str, Held]:
    """Say what became of ids, without a body; one answer for each id asked. Audited as one act. Raises: Unavailable."""
    asked = list(dict.fromkeys(golden_ids))
    async with db.hot_connection(caller.scope) as connection:
        rows = {row[0]: row for row in await (await connection.execute(STANDINGS, [asked])).fetchall()}
        timeline_id = await timeline(connection)
        detail = {"asked": len(asked), "found": len(rows)}
        await audited(connection, [Entry(caller.actor, "golden.resolve_ids", "golden", "", detail=detail)])
    return {one: _stands(one, rows.get(one), timeline_id) for one in asked}


def _stands(golden_id: str, row: Row | None, timeline_id: str) -> Held:
    if row is None:
        return Held(golden_id, timeline_id)
    return Held(golden_id, timeline_id, row[1], row[2], row[3], split_into=tuple(row[4]))


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
