"""The steps of which resolution and verification are made: short transactions that the edge opens."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from mdm import sql

T = TypeVar("T")
Steps = Callable[[], AbstractContextManager[Session]]


@contextmanager
def snapshot(steps: Steps, exported: str | None = None) -> Iterator[Session]:
    """Open a step whose statements all see one state of the database: that of the step that exported it, or as it is now."""
    with steps() as session:
        sql.run(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if exported is not None:
            sql.run(session, f"SET TRANSACTION SNAPSHOT '{exported}'")  # PostgreSQL's own name of it; takes no parameter.
        yield session


def insist(steps: Steps, act: Callable[[Session], T], most: int = 5) -> T:
    """Run an act in a step of its own, again when it met another worker in a circle. Raises: what the last attempt raises."""
    for left in reversed(range(most)):
        try:
            with steps() as session:
                return act(session)
        except (psycopg.Error, sa.exc.DBAPIError) as error:
            if not left or not is_deadlock(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def is_deadlock(error: psycopg.Error | sa.exc.DBAPIError) -> bool:
    """Whether two workers waited for each other in a circle, and this one was chosen to try again."""
    driver = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return isinstance(driver, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure)
