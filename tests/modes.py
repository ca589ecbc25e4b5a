"""A database of a live or a test service, and a process of either kind that works on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from kernel import db
from kernel.settings import configure, settings


@contextmanager
def modes(held: str, asked_as: str) -> Iterator[None]:
    """Let the database be of one mode and this process of the same or the other, for the length of the block."""
    before = settings()
    _let_be(held)
    configure(before.model_copy(update={"mode": asked_as}))
    try:
        yield
    finally:
        configure(before)
        _let_be(before.mode)


def _let_be(mode: str) -> None:
    with db.transaction(db.Role.OWNER) as session:
        session.connection().execute(text("UPDATE timeline SET mode = :mode"), {"mode": mode})
    db.dispose()
