"""Transactions commit or say so, roles see what they may, and a scope never outlives its borrower."""

import asyncio
import contextlib
import uuid

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text
from sqlmodel import Session

from kernel import clock, db
from kernel.db import Role, Scope
from kernel.errors import Unavailable

ADD_RECORD = text(
    "INSERT INTO source_record (record_id, source, source_key, brand, region, version_no, is_deleted, received_at, payload_hash)"
    " VALUES (:id, 'pos', :key, :brand, :region, 1, false, now(), '')"
)


def add_record(session: Session, key: str, brand: str = "acme", region: str = "") -> None:
    session.connection().execute(ADD_RECORD, {"id": clock.uuid7(), "key": key, "brand": brand, "region": region})


def keys_seen(session: Session) -> list[str]:
    return list(session.connection().execute(text("SELECT source_key FROM source_record ORDER BY source_key")).scalars())


@pytest.fixture
def records(database: str) -> None:
    with db.transaction() as session:
        add_record(session, "acme-eu", "acme", "EU")
        add_record(session, "acme-us", "acme", "US")
        add_record(session, "globex-eu", "globex", "EU")


def test_a_step_commits_at_its_end(database: str) -> None:
    with db.transaction() as session:
        add_record(session, "1")
    with db.read_only() as session:
        assert keys_seen(session) == ["1"]


def test_a_step_that_raises_leaves_nothing(database: str) -> None:
    def fail() -> None:
        with db.transaction() as session:
            add_record(session, "1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with db.read_only() as session:
        assert keys_seen(session) == []


def test_a_commit_that_fails_raises(database: str) -> None:
    """A deferred constraint speaks at COMMIT only: the founder names a golden id that does not exist."""
    founder = text("INSERT INTO founder (golden_id, record_id) SELECT :id, record_id FROM source_record")

    def found() -> None:
        with db.transaction() as session:
            add_record(session, "1")
            session.connection().execute(founder, {"id": clock.uuid7()})

    with pytest.raises(sqlalchemy.exc.IntegrityError):
        found()
    with db.read_only() as session:
        assert keys_seen(session) == []


def test_a_swallowed_error_does_not_pass_for_a_commit(database: str) -> None:
    """PostgreSQL answers COMMIT of an aborted transaction with a silent ROLLBACK."""

    def swallow() -> None:
        with db.transaction() as session:
            add_record(session, "1")
            driver = session.connection().connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with contextlib.suppress(psycopg.errors.DivisionByZero):
                driver.execute("SELECT 1/0")

    with pytest.raises(Unavailable, match="nothing of it was stored"):
        swallow()
    with db.read_only() as session:
        assert keys_seen(session) == []


def test_read_only_cannot_write(database: str) -> None:
    with pytest.raises(sqlalchemy.exc.InternalError, match="read-only transaction"), db.read_only() as session:
        add_record(session, "1")


def test_a_snapshot_sees_one_moment(database: str) -> None:
    with db.read_only(snapshot=True) as session:
        assert keys_seen(session) == []
        with db.transaction() as other:
            add_record(other, "1")
        assert keys_seen(session) == []


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (None, []),
        (Scope(), ["acme-eu", "acme-us", "globex-eu"]),
        (Scope(brands=()), []),
        (Scope(brands=("acme",)), ["acme-eu", "acme-us"]),
        (Scope(brands=("acme", "globex"), regions=("EU",)), ["acme-eu", "globex-eu"]),
        (Scope(regions=("US",)), ["acme-us"]),
        (Scope(brands=("acme' OR true --",)), []),
    ],
)
@pytest.mark.usefixtures("records")
def test_the_app_sees_its_scope_only(scope: Scope | None, seen: list[str]) -> None:
    with db.read_only(Role.APP, scope) as session:
        assert keys_seen(session) == seen


@pytest.mark.usefixtures("records")
def test_a_scope_ends_with_its_step() -> None:
    """The next borrower of the pooled connection, without a scope, sees nothing."""
    for _ in range(3):
        with db.read_only(Role.APP, Scope()) as session:
            assert len(keys_seen(session)) == 3
        with db.read_only(Role.APP) as session:
            assert keys_seen(session) == []


@pytest.mark.usefixtures("records")
def test_the_app_cannot_write_outside_its_scope() -> None:
    with (
        pytest.raises(sqlalchemy.exc.ProgrammingError, match="row-level security"),
        db.transaction(Role.APP, Scope(brands=("acme",))) as session,
    ):
        add_record(session, "2", "globex")


def test_the_app_is_not_the_owner(database: str) -> None:
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="must be owner"), db.transaction(Role.APP) as session:
        session.connection().execute(text("ALTER TABLE source_record DISABLE ROW LEVEL SECURITY"))


@pytest.mark.parametrize("names", [("*",), ("a,b",), ("",)])
def test_a_scope_refuses_names_that_would_widen_it(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="never"):
        Scope(brands=names)


async def _hot_keys(scope: Scope) -> list[str]:
    async with db.hot_connection(scope) as connection:
        rows = await (await connection.execute("SELECT source_key FROM source_record ORDER BY 1")).fetchall()
        return [str(key) for (key,) in rows]


@pytest.mark.usefixtures("records")
def test_a_hot_scope_does_not_leak_to_the_next_borrower() -> None:
    """Hundreds of borrowers with four scopes share few connections; each sees exactly its own rows."""
    expected = {
        Scope(): ["acme-eu", "acme-us", "globex-eu"],
        Scope(brands=("acme",)): ["acme-eu", "acme-us"],
        Scope(brands=("globex",)): ["globex-eu"],
        Scope(brands=()): [],
    }

    async def borrow_many() -> list[tuple[Scope, list[str]]]:
        scopes = list(expected) * 100
        seen = await asyncio.gather(*(_hot_keys(scope) for scope in scopes))
        await db.close_async_pool()
        return list(zip(scopes, seen, strict=True))

    assert [pair for pair in asyncio.run(borrow_many()) if pair[1] != expected[pair[0]]] == []


@pytest.mark.usefixtures("records")
def test_a_hot_scope_that_could_not_be_set_is_not_trusted() -> None:
    async def fail_then_borrow() -> list[str]:
        async with db.hot_connection(Scope()) as connection:
            connection.scope = None  # As after a SET that was cancelled half-way.
        async with db.hot_connection(Scope(brands=())) as again:
            assert again.scope == Scope(brands=())
        seen = await _hot_keys(Scope(brands=("globex",)))
        await db.close_async_pool()
        return seen

    assert asyncio.run(fail_then_borrow()) == ["globex-eu"]


@pytest.mark.usefixtures("records")
def test_hot_and_pooled_connections_survive_a_restart_of_the_server(database: str) -> None:
    """Connections that the server closed while idle are replaced before anybody meets their error."""
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

    async def lose_and_read() -> list[str]:
        await _hot_keys(Scope())
        with psycopg.connect(database, autocommit=True) as server:
            server.execute(kill)
        await asyncio.sleep(0.05)
        seen = await _hot_keys(Scope(brands=("globex",)))
        await db.close_async_pool()
        return seen

    assert asyncio.run(lose_and_read()) == ["globex-eu"]
    with db.read_only() as session:
        assert len(keys_seen(session)) == 3


@pytest.mark.usefixtures("records")
def test_a_loop_ends_though_its_pool_was_left_open() -> None:
    assert [asyncio.run(_hot_keys(Scope(brands=("globex",)))) for _ in range(2)] == [["globex-eu"]] * 2


def test_times_come_back_in_utc(database: str) -> None:
    with db.read_only() as session:
        at = session.connection().execute(text("SELECT now()")).scalar_one()
    assert at.utcoffset().total_seconds() == 0


def test_one_leads_until_its_connection_ends_and_another_takes_over(database: str) -> None:
    with db.listen("mdm_test") as waits:
        with db.listen("mdm_test") as first:
            assert (first.leads("a thing"), waits.leads("a thing")) == (True, False)
            assert (first.leads("a thing"), waits.leads("another")) == (True, True)
            assert first.leads("another") is False
        # The server lets go of the lock a moment after the connection has gone.
        assert any(waits.leads("a thing") or waits.wait(0.1) for _ in range(100))


def test_a_doorbell_rings_after_the_commit(database: str) -> None:
    with db.listen("mdm_test") as doorbell:
        assert doorbell.wait(0.05) is False
        with db.transaction() as session:
            session.connection().execute(text("SELECT pg_notify('mdm_test', '')"))
        assert doorbell.wait(5) is True


def test_an_id_read_again_is_the_same_object(database: str) -> None:
    text = "01a22389-f5bd-701b-b061-437d42961071"
    with db.transaction() as session:
        statement = f"SELECT '{text}'::uuid, ARRAY['{text}'::uuid, NULL]"
        (one, several), (other, _) = (session.connection().exec_driver_sql(statement).one() for _ in range(2))
    assert one == uuid.UUID(text)
    assert other is one
    assert several == [one, None]
    assert several[0] is one


def test_ids_beyond_what_is_kept_are_read_all_the_same(database: str) -> None:
    with db.transaction() as session:
        statement = (
            f"SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid FROM generate_series(0, {db.MOST_IDS}) n"
        )
        found = [row[0].int for row in session.connection().exec_driver_sql(statement)]
    assert found == [int(str(n), 16) for n in range(db.MOST_IDS + 1)]
