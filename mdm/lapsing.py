"""When what a record says of a merge blocker grows too old: noted with its golden record, asked for when the time has come.

Owns lapsing_fact, which repeats what records and policy say. Nothing hangs on its rows but that somebody looks again in time.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson
from sqlmodel import Session

from mdm import pending, sql
from mdm.overrides import ASKED_AGAIN_AFTER, ASKED_AT_MOST

LAPSED = "fact_lapsed"


def note(session: Session, lapses: Mapping[uuid.UUID, datetime], looked_at: Iterable[uuid.UUID]) -> None:
    """Note when records are to be looked at again; of those looked at that are not named, forget what was noted."""
    rows = [{"record_id": str(record_id), "lapses_at": at.isoformat()} for record_id, at in sorted(lapses.items())]
    gone = sorted(set(looked_at) - lapses.keys())
    sql.run(session, "DELETE FROM lapsing_fact WHERE record_id = ANY(%s) AND asked >= %s", [gone, ASKED_AT_MOST])
    if rows:
        sql.run(
            session,
            """INSERT INTO lapsing_fact (record_id, lapses_at)
               SELECT record_id, lapses_at FROM json_to_recordset(%s::json) AS n (record_id uuid, lapses_at timestamptz)
               ON CONFLICT (record_id) DO UPDATE SET lapses_at = EXCLUDED.lapses_at, asked = 0
                 WHERE lapsing_fact.lapses_at <> EXCLUDED.lapses_at""",
            [orjson.dumps(rows).decode()],
        )


def ask(session: Session, now: datetime) -> int:
    """Ask for the records of which a fact has lapsed, and once more when every worker's clock has passed it; how many."""
    found = sql.rows(
        session,
        """WITH due AS (
             SELECT record_id FROM lapsing_fact
             WHERE asked < %(most)s AND lapses_at <= %(now)s AND lapses_at + asked * %(again)s <= %(now)s
             ORDER BY record_id FOR UPDATE SKIP LOCKED)
           UPDATE lapsing_fact l SET asked = l.asked + 1 FROM due WHERE l.record_id = due.record_id RETURNING l.record_id""",
        {"most": ASKED_AT_MOST, "now": now, "again": ASKED_AGAIN_AFTER},
    )
    return pending.request(session, sorted(row[0] for row in found), LAPSED, pending.INTERACTIVE_PRIORITY, fresh=False)
