"""Runs set-based SQL on the session's own connection, past the ORM: one statement a step whatever the batch size."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlmodel import Session

Row = tuple[Any, ...]


def cursor(session: Session) -> "psycopg.Cursor[Row]":
    """Open a psycopg cursor inside the session's transaction."""
    driver: psycopg.Connection[Row] = session.connection().connection.driver_connection  # type: ignore[assignment]  # SQLAlchemy types it as Any | None
    return driver.cursor()


def rows(session: Session, statement: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> list[Row]:
    """Run one statement and fetch everything it returns."""
    with cursor(session) as opened:
        opened.execute(statement, params)
        return opened.fetchall()


def run(session: Session, statement: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> int:
    """Run one statement that returns nothing; give the number of rows it touched."""
    with cursor(session) as opened:
        opened.execute(statement, params)
        return opened.rowcount
