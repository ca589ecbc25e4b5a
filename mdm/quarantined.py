"""Records that failed again and again and are left alone until somebody has mended the cause."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mdm import pending, sql


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record in quarantine: whose, why (a code or the kind of an exception), and since when."""

    record_id: uuid.UUID
    source: str
    error: str
    since: datetime


def listed(session: Session, most: int) -> list[Quarantined]:
    """List the records in quarantine, the latest first; at most `most`."""
    found = sql.rows(
        session,
        """SELECT p.record_id, r.source, coalesce(p.error, ''), p.quarantined_at
           FROM pending_record p JOIN source_record r USING (record_id)
           WHERE p.quarantined_at IS NOT NULL ORDER BY p.quarantined_at DESC, p.record_id LIMIT %s""",
        [most],
    )
    return [Quarantined(*row) for row in found]


def lift(session: Session) -> int:
    """Try all quarantined records again, for example after a fix; how many there were."""
    found = sql.rows(session, "SELECT record_id FROM pending_record WHERE quarantined_at IS NOT NULL ORDER BY record_id")
    return pending.request(session, [row[0] for row in found], "tried_again")
