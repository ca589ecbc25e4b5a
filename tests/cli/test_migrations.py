"""The schema: built from nothing, by several at once, by an owner who is no superuser, and taken back again."""

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from alembic.command import downgrade, upgrade
from psycopg import sql
from sqlalchemy.exc import ProgrammingError

from cli import migrations
from kernel import clock, db
from kernel.settings import configure, settings
from mdm import database_server, ownership

OWNER = "mdm_test_owner"


def execute(url: str, statement: str, *names: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]  # A literal of the test.
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def empty(database_url: str) -> Iterator[str]:
    """A new database without a schema, which this process uses."""
    name = f"mdm_empty_{clock.uuid7().hex}"
    execute(database_url, "CREATE DATABASE {}", name)
    url = urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))
    before = settings()
    configure(before.model_copy(update={"database_url": url}))
    yield url
    db.dispose()
    configure(before)
    execute(database_url, "DROP DATABASE {} WITH (FORCE)", name)


def test_migrating_is_idempotent(empty: str) -> None:
    newest = migrations.newest_revision()
    assert migrations.current_revision() is None
    assert migrations.migrate() == (None, newest)
    assert migrations.migrate() == (newest, newest)


def test_the_schema_can_be_taken_back_and_built_again(empty: str) -> None:
    migrations.migrate()
    downgrade(migrations._config(), "base")
    left = execute(
        empty, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'f')"
    )
    assert left == [("alembic_version",)]
    upgrade(migrations._config(), "head")
    assert migrations.current_revision() == migrations.newest_revision()


def test_processes_that_migrate_at_once_do_it_once(empty: str) -> None:
    command = [sys.executable, "-m", "cli.main", "migrate"]
    environment = settings().child_environment()
    started = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(3)
    ]
    told = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    assert migrations.current_revision() == migrations.newest_revision()


def test_what_a_migration_refuses_leaves_those_before_it_done(empty: str) -> None:
    """Otherwise the locks of the first would be held until the last, and hours of work thrown away."""
    execute(empty, "CREATE TABLE search_term (taken int)")
    with pytest.raises(ProgrammingError, match="search_term"):
        migrations.migrate()
    assert migrations.current_revision() == "0017"
    execute(empty, "DROP TABLE search_term")
    assert migrations.migrate() == ("0017", migrations.newest_revision())


def test_an_owner_who_may_only_create_roles_is_enough(empty: str) -> None:
    """Hosted servers give no superuser. The roles may be there already, made by somebody else."""
    name = urlsplit(empty).path.strip("/")
    execute(empty, "DROP ROLE IF EXISTS {}", OWNER)
    execute(empty, "CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'owner'", OWNER)
    try:
        execute(empty, "ALTER DATABASE {} OWNER TO {}", name, OWNER)
        execute(empty, "ALTER SCHEMA public OWNER TO {}", OWNER)
        assert execute(empty, "SELECT 1 FROM pg_roles WHERE rolname = 'mdm_app'"), "the template's migration makes it"
        execute(empty, "GRANT mdm_engine, mdm_app TO {} WITH ADMIN OPTION", OWNER)
        parts = urlsplit(empty)
        netloc = f"{OWNER}:owner@{parts.hostname}:{parts.port}"
        configure(settings().model_copy(update={"database_url": urlunsplit(parts._replace(netloc=netloc))}))
        migrations.migrate()
        with db.transaction() as session:
            assert ownership.holds_secret(session, adopt=True)
        with db.read_only(db.Role.APP, db.Scope()) as session:
            assert not database_server.server(session).is_superuser
    finally:
        db.dispose()
        execute(empty, "REASSIGN OWNED BY {} TO CURRENT_USER", OWNER)
        execute(empty, "DROP OWNED BY {}", OWNER)
        execute(empty, "DROP ROLE {}", OWNER)
