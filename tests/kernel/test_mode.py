"""A database is of a live or of a test service, and nothing of the other kind works on it."""

import asyncio

import pytest
from sqlalchemy import text

from kernel import db
from kernel.errors import Unavailable
from kernel.settings import settings
from mdm import ownership

from ..modes import modes

BOTH_WAYS = [("live", "test"), ("test", "live")]


async def _ask_hot() -> None:
    try:
        async with db.hot_connection(db.Scope()) as connection:
            await connection.execute("SELECT 1")
    finally:
        await db.close_async_pool()


def _ask(role: db.Role) -> None:
    with db.transaction(role, db.Scope()) as session:
        session.connection().execute(text("SELECT 1"))


def _listen() -> None:
    with db.listen("anything"):
        pass


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("held", "asked_as"), BOTH_WAYS)
def test_whatever_connects_to_a_database_of_the_other_mode_is_refused_and_told_why(held: str, asked_as: str) -> None:
    ways = (lambda: _ask(db.Role.APP), lambda: _ask(db.Role.ENGINE), _listen, lambda: asyncio.run(_ask_hot()))
    with modes(held, asked_as):
        for ask in (*ways, *ways):  # It does not get used to it.
            with pytest.raises(Unavailable) as refused:
                ask()
            assert refused.value.code == "wrong_mode"
            assert f"of a {held} service" in refused.value.detail
            assert f"MDM_MODE={held}" in refused.value.detail
    with modes(held, held):
        for ask in ways:
            ask()


@pytest.mark.usefixtures("database")
def test_a_database_that_was_never_taken_is_anybodys_until_it_is() -> None:
    with modes("live", "test"):
        with db.transaction(db.Role.OWNER) as session:
            session.connection().execute(text("UPDATE timeline SET mode = NULL"))
        _ask(db.Role.ENGINE)
        with db.transaction(db.Role.OWNER) as session:
            ownership.take(session)
            assert ownership.mode(session) == "test"
        _ask(db.Role.ENGINE)
        asyncio.run(_ask_hot())


@pytest.mark.usefixtures("database")
def test_what_is_taken_stays_unless_it_is_taken_over() -> None:
    with modes("live", "test"), db.transaction(db.Role.OWNER) as session:
        ownership.take(session)
        assert ownership.mode(session) == "live"
        ownership.take(session, over=True)
        assert ownership.mode(session) == settings().mode == "test"
