"""How privacy stands in an installation: what its database lacks of the erasure ledger, what is under way, what is late."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from kernel import clock
from kernel.errors import MdmError
from kernel.settings import settings
from mdm import sql
from stewardship import privacy_ledger

STUCK_AFTER = timedelta(minutes=15)
_COUNTS = """
SELECT (SELECT count(*) FROM erasure WHERE state <> 'done' AND begun_at < %(stuck)s),
  count(*), count(*) FILTER (WHERE due_at < %(now)s) FROM privacy_request WHERE state IN ('open', 'confirmed')"""


@dataclass(frozen=True, slots=True)
class Health:
    """Erasures that the database lacks, that the ledger lacks, and that were begun long ago; requests open, and past their time.

    `has_pepper`: whether erased people can be recognised; true as long as nobody was erased.
    """

    lacking: int
    unwritten: int
    stuck: int
    waiting: int
    overdue: int
    has_pepper: bool


def look(session: Session) -> Health:
    """Look at all of it. Raises: Unavailable when the ledger was altered or cut off."""
    now = clock.now()
    written = {entry.entry_id for entry in privacy_ledger.entries()}
    held = {row[0] for row in sql.rows(session, "SELECT entry_id FROM erasure WHERE state <> 'begun'")}
    known = {row[0] for row in sql.rows(session, "SELECT entry_id FROM erasure")}
    ((stuck, waiting, overdue),) = sql.rows(session, _COUNTS, {"now": now, "stuck": now - STUCK_AFTER})
    return Health(len(written - known), len(held - written), stuck, waiting, overdue, not written | known or _has_pepper())


def _has_pepper() -> bool:
    try:
        return bool(settings().secret_for("suppression"))
    except (MdmError, OSError):
        return False
