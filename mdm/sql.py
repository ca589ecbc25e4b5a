"""Runs set-based SQL on the session's own connection, past the ORM: one statement a step whatever the batch size."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from sqlmodel import Session

Row = tuple[Any, ...]
Params = Mapping[str, Any] | Sequence[Any]


def cursor(session: Session) -> "psycopg.Cursor[Row]":
    """Open a psycopg cursor inside the session's transaction."""
    return _driver(session).cursor()


_DRIVER = "mdm.sql.driver"


def _driver(session: Session) -> "psycopg.Connection[Row]":
    """The session's own connection, asked for once a transaction: the ORM takes longer to name it than a small statement."""
    held = session.info.get(_DRIVER)
    if held is None or held[0] is not session.get_transaction():
        driver: Any = session.connection().connection.driver_connection
        held = session.info[_DRIVER] = (session.get_transaction(), driver)
    found: psycopg.Connection[Row] = held[1]
    return found


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Send the statements of the block without waiting for what each came to; one that reads waits for those before it.

    What fails raises at the latest when the block ends. The number of rows that `run` gives says nothing meanwhile.
    """
    with _driver(session).pipeline():
        yield


def is_together(session: Session) -> bool:
    """Whether statements are being sent together now."""
    return bool(_driver(session).info.pipeline_status)


def store(session: Session, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows into a table; `columns` to their types. By COPY, but for the few that are sent `together` with others."""
    names = ", ".join(columns)
    with cursor(session) as opened:
        if is_together(session):
            if columns_of_rows := list(zip(*rows, strict=True)):
                places = ", ".join(f"%s::{kind}[]" for kind in columns.values())
                statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({places})"
                opened.execute(statement, [_literal(list(column)) for column in columns_of_rows])
            return
        statement = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)"
        with opened.copy(statement) as copy:
            copy.set_types(list(columns.values()))
            for row in rows:
                copy.write_row(row)


def rows(session: Session, statement: str, params: Params | None = None) -> list[Row]:
    """Run one statement and fetch everything it returns."""
    given = _with_ids_as_text(params)
    answered: dict[tuple[str, str], list[Row]] | None = session.info.get(_ANSWERED)
    asked = (statement, repr(given)) if answered is not None else ("", "")
    if answered is not None and asked in answered:
        return list(answered[asked])
    with cursor(session) as opened:
        opened.execute(statement, given)
        found = opened.fetchall()
    if answered is not None:
        answered[asked] = list(found)
    return found


_ANSWERED = "mdm.sql.answered"


@contextmanager
def remembering(session: Session) -> Iterator[None]:
    """Answer what `rows` was asked before in the block as it was answered then. For a block that writes nothing: in a snapshot
    there is no other answer."""
    session.info[_ANSWERED] = {}
    try:
        yield
    finally:
        del session.info[_ANSWERED]


def run(session: Session, statement: str, params: Params | None = None) -> int:
    """Run one statement that returns nothing; give the number of rows it touched."""
    with cursor(session) as opened:
        opened.execute(statement, _with_ids_as_text(params))
        return opened.rowcount


def array(values: Sequence[Any]) -> str:
    """Write values of one type, or None, as an array literal, for a parameter whose type the statement says.

    The driver does the same value by value and quotes each with a regular expression: of a thousand rows that takes longer than
    all else that is sent with them.
    """
    kind = type(next((one for one in values if one is not None), None))
    return "{" + ",".join(_written(kind, values)) + "}"


def _written(kind: type, values: Sequence[Any]) -> Iterable[str]:
    if issubclass(kind, uuid.UUID):  # Parting the digits takes longer than writing them.
        return ["NULL" if one is None else f"{one.int:032x}" for one in values]
    if issubclass(kind, str):
        return ["NULL" if one is None else _quoted(one) for one in values]
    if issubclass(kind, bytes):
        return ["NULL" if one is None else f'"\\\\x{one.hex()}"' for one in values]
    if issubclass(kind, datetime):
        return ["NULL" if one is None else one.isoformat() for one in values]
    return ["NULL" if one is None else str(one) for one in values]


def _quoted(text: str) -> str:
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _with_ids_as_text(params: Params | None) -> Params | None:
    """Write lists of ids as array literals, wherever they stand."""
    if isinstance(params, Mapping):
        return {name: _literal(value) for name, value in params.items()}
    return params if params is None else [_literal(value) for value in params]


def _literal(value: Any) -> Any:
    is_of_ids = isinstance(value, list) and isinstance(next((one for one in value if one is not None), None), uuid.UUID)
    return array(value) if is_of_ids else value
