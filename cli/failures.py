"""What went wrong, in one line for the person at the terminal: settings, files, the database. Holds no personal values.

An error that is not known here stays what it is: a fault of ours, told with its traceback.
"""

import uuid

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from kernel import db
from kernel.errors import MdmError
from kernel.settings import Settings, settings

# What the driver says when it cannot connect, what that means, and how to mend it.
CONNECTING = (
    ("connection refused", "nothing answers", "start it, or correct DATABASE_URL"),
    ("no such file or directory", "nothing answers", "start it, or correct DATABASE_URL"),
    ("failed to resolve host", "there is no such host", "correct the host in DATABASE_URL"),
    ("password authentication failed", "refuses the user or the password", "correct the user and password in DATABASE_URL"),
    ("no password supplied", "asks for a password", "put user and password into DATABASE_URL"),
    ("role", "refuses the user", "create the user, or correct it in DATABASE_URL"),
    ("database", "has no such database", "create it, or correct the name in DATABASE_URL"),
    ("timeout", "does not answer in time", "is a firewall between, or is the host in DATABASE_URL wrong?"),
)
MOST_NAMED = 10
LOST = ("server closed the connection", "terminating connection", "the database system is")


def explain(error: BaseException) -> str | None:
    """Say an error in one line; None for one that nobody foresaw."""
    if isinstance(error, MdmError):
        return _ours(error)
    if isinstance(error, ValidationError) and error.title == Settings.__name__:
        return "; ".join(_setting(one["loc"], one["msg"]) for one in error.errors(include_input=False))
    if isinstance(error, db.UNAVAILABLE):
        seen, mend = unreachable(error)
        return f"The database {seen}. To mend it: {mend}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or type(error).__name__
    return None


def _ours(error: MdmError) -> str:
    """What went wrong and what to do, then what it is about: the field, the limit, the names there are to choose from."""
    said = error.detail if error.title in error.detail else f"{error.title}: {error.detail}"
    about = [f"{name.replace('_', ' ')}: {text}" for name, value in error.extra.items() if (text := _plain(value)) is not None]
    return f"{said} ({'; '.join(about)})" if about else said


def _plain(value: object) -> str | None:
    """A value, or a list of some, as it stands in a line; None for what has parts of its own, and for nothing."""
    if isinstance(value, list | tuple):
        if not value or not all(isinstance(one, str | int | float | uuid.UUID) for one in value):
            return None
        more = f" and {len(value) - MOST_NAMED} more" if len(value) > MOST_NAMED else ""
        return ", ".join(map(str, value[:MOST_NAMED])) + more
    return str(value) if isinstance(value, str | int | float | uuid.UUID) else None


def _setting(where: tuple[int | str, ...], message: str) -> str:
    name = str(where[0]) if where else "settings"
    variable = name if name.isupper() else f"MDM_{name.upper()}"
    said = message.removeprefix("Value error, ")
    return said if said.startswith(variable) else f"{variable}: {said}"


def unreachable(error: BaseException) -> tuple[str, str]:
    """Say what a failed connection or a lost one means, and how to mend it. Never shows the user or the password."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    text = str(cause).casefold()
    where = _where()
    if any(sign in text for sign in LOST):
        return f"at {where} went away or is starting", "wait until it is back, and run the command again"
    if isinstance(cause, psycopg.Error) and cause.sqlstate and cause.sqlstate[:2] not in {"28", "3D"}:
        return f"at {where} gave up ({type(cause).__name__})", "see the log of the database"
    for sign, seen, mend in CONNECTING:
        if sign in text:
            return f"at {where}: {seen}", mend
    return f"at {where} cannot be reached ({type(cause).__name__})", "see whether it runs, and correct DATABASE_URL"


def _where() -> str:
    url = settings().database_url
    parts = conninfo_to_dict(url) if url else {}
    return f"{parts.get('host') or 'the local socket'}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}".rstrip("/")
