"""Real servers for the whole suite: PostgreSQL with the migrated schema, and the broker.

With DATABASE_URL and REDIS_URL set those servers are used; otherwise the embedded ones start for this run. The schema is migrated
once into a template database; each xdist worker works in a copy of its own and finds empty tables before every test that asks for it.
"""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from psycopg import sql
from sqlalchemy.engine import make_url

from alembic import command
from kernel import db
from kernel.settings import settings

ROOT = Path(__file__).resolve().parents[1]
KEPT_TABLES = ("alembic_version", "timeline")
SERVERS = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """In the controlling process: find or start the servers and migrate the template; workers inherit the environment."""
    if hasattr(config, "workerinput"):
        return
    folder = SERVERS.enter_context(tempfile.TemporaryDirectory(prefix="mdm-tests-", ignore_cleanup_errors=True))
    os.environ.setdefault("MDM_SECRET_KEY", "5e" * 32)
    os.environ.setdefault("MDM_DATA_DIR", folder)
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _start_embedded(Path(folder) / "services")
    server = os.environ["DATABASE_URL"]
    template = f"mdm_test_{secrets.token_hex(4)}"
    _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(template)))
    SERVERS.callback(_execute, server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(template)))
    _use_database(_named(server, template))
    command.upgrade(Config(ROOT / "alembic.ini"), "head")
    _use_database(server)
    os.environ["MDM_TEST_TEMPLATE"] = template


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this run started."""
    if not hasattr(config, "workerinput"):
        SERVERS.close()


def _start_embedded(folder: Path) -> None:
    from cli.services import running_services  # noqa: PLC0415 - suites on given servers need no embedded ones.

    urls = SERVERS.enter_context(running_services(folder, durable=False))
    os.environ.setdefault("DATABASE_URL", urls.database_url)
    os.environ.setdefault("REDIS_URL", urls.redis_url)


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _named(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


def _use_database(url: str) -> None:
    db.dispose()
    os.environ["DATABASE_URL"] = url
    settings.cache_clear()


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A migrated database of this worker's own; dropped at the end."""
    server, template = os.environ["DATABASE_URL"], os.environ["MDM_TEST_TEMPLATE"]
    name = f"{template}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    _execute(server, copy)
    url = _named(server, name)
    _use_database(url)
    yield url
    _use_database(server)
    _execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_url: str) -> str:
    """The migrated database with all tables empty. Yields its URL; `kernel.db` uses it."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> ALL(%s)",
            [list(KEPT_TABLES)],
        ).fetchall()
        connection.execute(
            sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(sql.SQL(name) for (name,) in tables))
        )
    return database_url


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The broker. Each worker uses a logical database of its own, so that flushing harms nobody else."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{os.environ['REDIS_URL'].rsplit('/', 1)[0] if os.environ['REDIS_URL'].count('/') > 2 else os.environ['REDIS_URL']}/{int(worker) + 1}"
    os.environ["REDIS_URL"] = url
    settings.cache_clear()
    return url
