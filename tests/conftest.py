"""Real servers for the whole suite: PostgreSQL with the migrated schema, and the broker.

With DATABASE_URL and REDIS_URL set those servers are used; without, embedded ones are started for this run (once, whatever the
number of xdist workers; not at all when no test asks). The schema is migrated once into a template database; each xdist worker
works in a copy of its own and finds empty tables before every test that asks for `database`. Everything is dropped at the end.
"""

import contextlib
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql

from cli.migrations import migrate
from cli.services import temporary_services
from kernel import db
from kernel.settings import Settings, configure, settings
from stewardship import privacy_ledger

from .emptying import empty

# No test is timed: a busy machine makes none of them fail. Nor does the day: a run tries the same examples until a test changes,
# and `make soak` looks for new ones under the profile it asks for by name.
hypothesis_settings.register_profile("untimed", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("soak", max_examples=10_000, deadline=None, derandomize=False)
hypothesis_settings.load_profile("untimed")

# What takes half a minute of processor time and more begins first, longest ahead: a run on two cores ends with short tests.
LONG = (
    "soak/test_large.py",
    "stewardship/test_id_histories.py",
    "mdm/test_rebuild.py",
    "soak/test_faults.py",
    "cli/test_demo.py",
    "cli/test_model_commands.py",
    "mdm/test_consent_histories.py",
)
LEFTOVER_HOURS = 6  # Databases of runs that were killed; no run takes that long.


class Run:
    """The servers of one run, made at first use in the process that pytest was started in."""

    def __init__(self) -> None:
        self.exits = contextlib.ExitStack()
        self.made: dict[str, str] = {}

    def servers(self) -> dict[str, str]:
        """Find or start the servers, and migrate the template database."""
        if not self.made:
            given = Settings()
            database_url, redis_url = given.database_url, given.redis_url
            if not (database_url and redis_url):
                database_url, redis_url = self._start_embedded(given)
            self.made = {"database_url": database_url, "redis_url": redis_url, "template": self._template(database_url)}
        return self.made

    def _start_embedded(self, given: Settings) -> tuple[str, str]:
        configure(given)
        urls = self.exits.enter_context(temporary_services())
        return urls.database_url, urls.redis_url

    def _template(self, server: str) -> str:
        _drop_leftovers(server)
        name = f"mdm_test_{int(time.time()):x}_{os.getpid()}"
        _create(server, name, "template1")
        self.exits.callback(_drop, server, name)
        before = configure(Settings(database_url=_named(server, name)))
        migrate()
        db.dispose()
        configure(before.model_copy(update={"database_url": server}))
        return name


RUN = Run()


def pytest_configure() -> None:
    """Stop what was started also when this process is told to end; after a kill -9 the next run ends it.

    What is started keeps its bytecode as `make` has it kept: compiling all that a program imports takes longer than most tests.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix, "bytecode")))
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each xdist worker where the servers are."""
    node.workerinput["mdm_servers"] = RUN.servers()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage among 700,000 objects that stay to the end, neither while they are made nor afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes long first; all else stays in its order."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


def pytest_unconfigure() -> None:
    """Stop and drop what this run started. At the end nothing stays: what leaks there is looked for again."""
    gc.unfreeze()
    RUN.exits.close()


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _create(server: str, name: str, template: str) -> None:
    _execute(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))


def _drop(server: str, name: str) -> None:
    _execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_leftovers(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        names = [name for (name,) in connection.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'mdm\_test\_%'")]
    for name in names:
        if int(name.split("_")[2], 16) < time.time() - LEFTOVER_HOURS * 3600:
            _drop(server, name)


def _named(server: str, database: str) -> str:
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest, worker_no: int) -> Iterator[dict[str, str]]:
    """The URLs of this worker's own database and broker; `kernel.settings` and child processes see them as well."""
    found = dict(getattr(request.config, "workerinput", {}).get("mdm_servers") or RUN.servers())
    name = f"{found['template']}_{worker_no}"
    _create(found["database_url"], name, found["template"])
    # A test waits for no disk. Whatever ends but the server loses nothing by that, and the embedded one does it anyway.
    _execute(found["database_url"], sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))
    base = urlsplit(found["redis_url"])
    number = int(base.path.strip("/") or 0) + worker_no
    own = {"database_url": _named(found["database_url"], name), "redis_url": urlunsplit(base._replace(path=f"/{number}"))}
    with tempfile.TemporaryDirectory(prefix="mdm-data-") as folder:
        before = configure(Settings(**own, data_dir=Path(folder), secret_key="5e" * 32))
        environment = {name: value for name, value in before.child_environment().items() if os.environ.get(name) != value}
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            yield own
        db.dispose()
    _drop(found["database_url"], name)


@pytest.fixture(scope="session")
def worker_no() -> int:
    """The number of this xdist worker; 0 without xdist."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def database_url(servers: dict[str, str]) -> str:
    """A migrated database of this worker's own, as the tests before left it. Prefer `database`."""
    return servers["database_url"]


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Give logging back after a test that configures it: its stream is gone with the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def database(database_url: str) -> str:
    """The migrated database with all tables empty (only the timeline has its row); `kernel.db` uses it. Gives its URL."""
    return _emptied(database_url)


@pytest.fixture(scope="module")
def emptied(database_url: str) -> str:
    """The same for a module whose tests share what is stored, and keep out of each other's way."""
    return _emptied(database_url)


def _emptied(database_url: str) -> str:
    configure(settings().model_copy(update={"database_url": database_url}))
    privacy_ledger.path().unlink(missing_ok=True)  # A database that begins anew would be older than what it tells of.
    empty(database_url)
    return database_url


@pytest.fixture
def redis_url(servers: dict[str, str]) -> str:
    """The broker, emptied: each worker has a logical database of its own (the given one plus its number)."""
    with redis.Redis.from_url(servers["redis_url"]) as client:
        client.flushdb()
    return servers["redis_url"]
