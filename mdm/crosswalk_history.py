"""Since when each record belonged to which golden id: noted by `mdm.golden` as it moves records, and read as of a time.

System time: what the crosswalk said then. Sources say of no key since when it is its customer's, so there is no validity time.
A key stands for one record for ever, also one that was given up for another: the record's past is found by each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel import clock, db
from kernel.actor import Principal
from kernel.audit import Entry
from kernel.errors import Invalid
from mdm import lookup


def last(record: str, until: str = "") -> str:
    """Give the statement that reads what was noted last of a record, named as a column; `until`: of what more holds."""
    where = f"v.record_id = {record}{until}"
    return f"SELECT v.since, v.golden_id, v.state FROM crosswalk_version v WHERE {where} ORDER BY v.since DESC LIMIT 1"


# Records whose past does not lead to where they are.
ASTRAY = f"""
SELECT c.record_id FROM crosswalk c LEFT JOIN LATERAL ({last("c.record_id")}) AS last ON true
WHERE c.golden_id IS DISTINCT FROM last.golden_id"""

# Part of the statement that moves records: of those in `n` that may have moved, what differs from what was noted last. A worker's
# clock may be behind another's; the order of the rows is the order of the moves all the same.
NOTE = f"""
INSERT INTO crosswalk_version AS v (record_id, since, golden_id, state)
SELECT n.record_id, greatest(%(now)s, last.since), n.golden_id, n.noted
FROM (SELECT *, CASE WHEN golden_id IS NOT NULL THEN 'resolved' WHEN settled = 'resolved' THEN 'pending' ELSE settled END AS noted
      FROM n WHERE has_moved) AS n
LEFT JOIN LATERAL ({last("n.record_id")}) AS last ON true
WHERE (n.golden_id, n.noted) IS DISTINCT FROM (last.golden_id, last.state)
ON CONFLICT (record_id, since) DO UPDATE SET golden_id = EXCLUDED.golden_id, state = EXCLUDED.state"""

# Each key descends the indexes by itself (OFFSET 0, as in mdm.decisions): left free, PostgreSQL joined all records with all
# (3,000 stored, 1,000 keys: 970 ms).
_AS_OF = f"""
SELECT r.source, r.source_key, o.record_id::text, o.created_at, v.since, v.golden_id::text, v.state
FROM (SELECT DISTINCT * FROM unnest(%(sources)s::text[], %(keys)s::text[]) AS asked (source, source_key)) asked
CROSS JOIN LATERAL (SELECT source, source_key, coalesce(rekeyed_to, record_id) AS record_id FROM source_record
  WHERE source = asked.source AND source_key = asked.source_key OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT record_id, created_at FROM source_record WHERE record_id = r.record_id OFFSET 0) AS o
LEFT JOIN LATERAL ({last("o.record_id", " AND v.since <= %(as_of)s")}) AS v ON true
"""


@dataclass(frozen=True, slots=True)
class CrossedThen:
    """Where a source record stood at a time: resolved, pending, shadow, deleted, not_known_yet or unknown.

    `since`: since when that had been so; of `not_known_yet`, when the record first came.
    """

    resolution: str = "unknown"
    record_id: str | None = None
    golden_id: str | None = None
    since: datetime | None = None


async def as_of(caller: Principal, keys: Sequence[tuple[str, str]], when: datetime) -> tuple[str, list[CrossedThen]]:
    """Say under which golden id each record lived at a time: the timeline, and one answer each, in the order asked.

    Audited as one act. Raises: Invalid for a time to come; Unavailable.
    """
    if when > clock.now():
        raise Invalid("That time is still to come", code="as_of_in_future")
    asked = {"sources": [source for source, _ in keys], "keys": [key for _, key in keys], "as_of": when}
    async with db.hot_connection(caller.scope) as connection:
        rows = await (await connection.execute(_AS_OF, asked)).fetchall()
        timeline_id = await lookup.timeline(connection)
        detail = {"asked": len(keys), "found": len(rows), "as_of": when.isoformat()}
        await lookup.audited(connection, [Entry(caller.actor, "crosswalk.lookup_past", "crosswalk", "", detail=detail)])
    found = {(row[0], row[1]): _stood(when, *row[2:]) for row in rows}
    return timeline_id, [found.get(key, CrossedThen()) for key in keys]


def _stood(when: datetime, record_id: str, came_at: datetime, since: datetime | None, *noted: Any) -> CrossedThen:
    if since is not None:
        golden_id, state = noted
        return CrossedThen(state, record_id, golden_id, since)
    return CrossedThen("not_known_yet" if when < came_at else "pending", record_id, None, came_at)
