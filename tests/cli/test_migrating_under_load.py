"""The schema of the release before moves to this one's while its requests run: none fails, nobody waits for two seconds."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from alembic.command import upgrade
from psycopg import sql
from starlette.testclient import TestClient

from api.app import create_app
from cli import migrations
from kernel import actor, clock, db
from kernel.settings import configure, settings
from mdm import rules

from .. import resolution as master
from ..resolution import MARIA, Master

RELEASED = "0032"  # The newest revision of the release before: raise it with each release.
A_SECOND = 50
MEANWHILE_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 2.0
LOOKUP = {"identifier": {"kind": "email", "value": "maria.garcia@telefonica.net"}, "view": "checkout"}


@pytest.fixture
def released(database_url: str) -> Iterator[Master]:
    """A service on the schema of the release before, with a customer."""
    name, before = f"mdm_released_{clock.uuid7().hex}", settings()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        configure(before.model_copy(update={"database_url": urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))}))
        rules.forget()
        upgrade(migrations._config(), RELEASED)
        mdm = master.start()
        mdm.put("pos", "1", MARIA)
        mdm.drain()
        yield mdm
        db.dispose()
        configure(before)
        rules.forget()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Load:
    """Lookups and puts at so many a second, each on time whatever became of the one before."""

    def __init__(self, api: TestClient) -> None:
        self.api, self.over = api, threading.Event()
        self.came, self.longest_seconds = Counter[str](), 0.0
        self.threads = [threading.Thread(target=self._ask, args=[number]) for number in range(4)]

    def _ask(self, number: int) -> None:
        turn = number
        while not self.over.is_set():
            begun = time.monotonic()
            kind = "put" if turn % 5 == 0 else "lookup"
            path = f"/v1/sources/pos/records/{turn}" if kind == "put" else "/v1/lookup"
            answer = self.api.put(path, json=MARIA) if kind == "put" else self.api.post(path, json=LOOKUP)
            spent = time.monotonic() - begun
            self.came[f"{kind} {answer.status_code // 100}xx"] += 1
            self.longest_seconds = max(self.longest_seconds, spent)
            turn += len(self.threads)
            self.over.wait(max(0.0, len(self.threads) / A_SECOND - spent))


def watch(url: str, over: threading.Event, longest: list[float]) -> None:
    """Note for how long anybody has waited for a lock."""
    statement = (
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float FROM pg_locks WHERE NOT granted"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        while not over.wait(0.02):
            longest.append((connection.execute(statement).fetchone() or (0.0,))[0])


def test_no_request_fails_and_nobody_waits_long_while_the_schema_moves(released: Master) -> None:
    with db.transaction() as session:
        _, key = actor.create_key(session, "till", ["lookup", "records:write"])
    longest: list[float] = []
    with TestClient(create_app(), headers={"authorization": f"Bearer {key}"}) as api:
        load = Load(api)
        watcher = threading.Thread(target=watch, args=[settings().require_database_url(), load.over, longest])
        for thread in (*load.threads, watcher):
            thread.start()
        time.sleep(MEANWHILE_SECONDS)
        assert migrations.migrate() == (RELEASED, migrations.newest_revision())
        time.sleep(MEANWHILE_SECONDS)
        load.over.set()
        for thread in (*load.threads, watcher):
            thread.join()
    assert set(load.came) == {"lookup 2xx", "put 2xx"}, load.came
    assert sum(load.came.values()) > A_SECOND
    assert max(longest) < LONGEST_WAIT_SECONDS
    released.drain()
    assert released.verify().differences == ()
