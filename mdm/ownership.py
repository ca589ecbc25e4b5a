"""Whose a database is: filled under which secret key, and of a live or of a test service.

Both are noted by the first program that works on it, and neither changes but by asking for it. `kernel.db` refuses connections of
the other mode; the owner's, which migrate and restore, are refused here.
"""

import sys

from sqlmodel import Session

from kernel import db
from kernel.errors import Unavailable
from kernel.settings import settings
from mdm import sql

_CHECK = "SELECT secret_check FROM timeline ORDER BY started_at DESC LIMIT 1"
_NOTE_CHECK = """UPDATE timeline SET secret_check = %s
WHERE started_at = (SELECT max(started_at) FROM timeline) AND secret_check IS NULL"""
_TAKE_OVER = "UPDATE timeline SET mode = %s WHERE started_at = (SELECT max(started_at) FROM timeline)"
_TAKE = "UPDATE timeline SET mode = %s WHERE started_at = (SELECT max(started_at) FROM timeline) AND mode IS NULL"


def holds_secret(session: Session, *, adopt: bool = False) -> bool:
    """Tell whether this database was filled under the configured secret; with `adopt` a new database takes it as its own."""
    check = settings().secret_for("check")
    if adopt:
        sql.run(session, _NOTE_CHECK, [check])
    ((held,),) = sql.rows(session, _CHECK)
    return held is None or bytes(held) == check


def mode(session: Session) -> str | None:
    """The mode of this database; None while it is anybody's."""
    is_made = sql.rows(session, "SELECT to_regclass('public.timeline') IS NOT NULL")[0][0]
    found = sql.rows(session, db.MODE) if is_made else []
    return None if not found or found[0][0] is None else str(found[0][0])


def require_mode(session: Session) -> None:
    """Refuse a database of the other mode in a step of the owner, who is not asked when connecting. Raises: Unavailable."""
    db.refuse_other_mode(mode(session))


def take(session: Session, *, over: bool = False) -> None:
    """Make a database that is anybody's of our mode; `over`: also one of the other."""
    sql.run(session, _TAKE_OVER if over else _TAKE, [settings().mode])


def leave_other_mode() -> None:
    """End this process, saying why, where the database is of the other mode. One that is away is asked when it is back."""
    try:
        with db.read_only():
            pass
    except db.UNAVAILABLE:
        return
    except Unavailable as refused:
        if refused.code == db.WRONG_MODE:
            sys.exit(f"mdm: {refused.detail}")
