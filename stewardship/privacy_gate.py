"""Whether this database has heard of every erasure: one that was restored from before an erasure knows people it must not know.

Compares the last line of the erasure ledger with what the database holds. Asked before anything of anybody is answered or done;
what was found holds for CHECKED_SECONDS, or until the ledger changes.
"""

import time
from dataclasses import dataclass

import psycopg
from sqlmodel import Session

from kernel import db
from kernel.errors import Unavailable
from kernel.settings import settings
from stewardship import privacy_ledger
from stewardship.privacy_ledger import Last

CHECKED_SECONDS = 5.0
_HELD = "SELECT EXISTS (SELECT FROM erasure WHERE entry_no = %s AND entry_id = %s)"


@dataclass(slots=True)
class _Known:
    """What was found last: of which ledger and database, and until when it holds."""

    last: Last | None = None
    database: str | None = None
    until: float = 0.0


_known = _Known()


def _unchecked() -> Last | None:
    """The last entry, when it was not found in the database a moment ago; None when there is nothing to be asked."""
    last = privacy_ledger.last()
    if last is None:
        return None
    is_known = (last, settings().database_url) == (_known.last, _known.database) and time.monotonic() < _known.until
    return None if is_known else last


def _found(last: Last, is_held: bool) -> None:
    if not is_held:
        detail = "The database is older than the erasure ledger, as after a restore. Run `mdm privacy replay`."
        raise Unavailable("Erasures have to be replayed first", code="erasure_replay_needed", detail=detail)
    _known.last, _known.database = last, settings().database_url
    _known.until = time.monotonic() + CHECKED_SECONDS


async def require_async(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    """Refuse while the database is older than the ledger, on a hot connection. Raises: Unavailable."""
    last = _unchecked()
    if last is not None:
        row = await (await connection.execute(_HELD, [last[0], str(last[1])])).fetchone()
        _found(last, bool(row and row[0]))


def is_due() -> bool:
    """Whether `require` would ask the database."""
    return _unchecked() is not None


def require(session: Session) -> None:
    """Refuse while the database is older than the ledger. Raises: Unavailable."""
    last = _unchecked()
    if last is not None:
        held = session.connection().exec_driver_sql(_HELD, (last[0], str(last[1]))).scalar_one()
        _found(last, bool(held))


def passes() -> bool:
    """Whether there is nothing to be replayed; in a step of its own."""
    try:
        require_now()
    except Unavailable:
        return False
    return True


def require_now() -> None:
    """The same in a step of its own, when something is to be asked at all. Raises: Unavailable."""
    if is_due():
        with db.read_only() as session:
            require(session)
