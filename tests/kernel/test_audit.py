"""Reads and changes leave rows that hold no value, on the connection that read or wrote."""

import asyncio

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

from kernel import audit, db
from kernel.db import Scope


def test_a_change_is_recorded_with_keyed_hashes(database: str) -> None:
    with db.transaction() as session:
        audit.record(session, "key:1", "golden.correct", "golden", "g1", detail={"rule": "x"}, before={"a": 1}, after={"a": 2})
        audit.record(session, "key:1", "golden.correct", "golden", "g1", before={"a": 1})
    with db.read_only() as session:
        rows = session.connection().execute(text("SELECT detail, before_hash, after_hash FROM audit ORDER BY audit_id")).all()
    assert rows[0][0] == {"rule": "x"}
    assert (len(rows[0][1]), rows[0][1] == rows[1][1], rows[0][1] == rows[0][2], rows[1][2]) == (32, True, False, None)


def test_hot_reads_are_recorded_together(database: str) -> None:
    async def read() -> None:
        async with db.hot_connection(Scope()) as connection:
            await audit.record_all_async(connection, [audit.Entry("key:1", "golden.read", "golden", "g0", "care")])
            await audit.record_all_async(connection, [audit.Entry("key:2", "golden.read", "golden", f"g{n}") for n in (1, 2)])
            await audit.record_all_async(connection, [])
        await db.close_async_pool()

    asyncio.run(read())
    with db.read_only() as session:
        rows = session.connection().execute(text("SELECT actor, object_id, purpose, detail FROM audit ORDER BY audit_id")).all()
    assert [tuple(row) for row in rows] == [
        ("key:1", "g0", "care", {}),
        ("key:2", "g1", None, {}),
        ("key:2", "g2", None, {}),
    ]


@pytest.mark.parametrize("role", [db.Role.ENGINE, db.Role.APP])
@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_neither_role_can_rewrite_the_log(database: str, role: db.Role, statement: str) -> None:
    with pytest.raises(sqlalchemy.exc.ProgrammingError) as refused, db.transaction(role) as session:
        session.connection().execute(text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)
