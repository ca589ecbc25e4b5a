"""The schema of the release before moves to this one's while its statements go on: nothing fails, nobody waits long.

What it asked is said here as statements with the columns that there were then: the program of then is not at hand.
"""

import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from alembic.command import downgrade
from psycopg import sql

from cli import migrations
from kernel import clock, db
from kernel.settings import configure, settings
from mdm import rules

from .. import resolution as master
from ..resolution import MARIA, Master

RELEASED = "0032"  # The newest revision of the release before: raise it with each release.
A_SECOND = 50
MEANWHILE_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 2.0
WRITTEN = ("source_record", "standard_record", "crosswalk")  # What a put and its resolution add to, first to last.
LOOKUP = """
SELECT g.golden_id, g.status, g.version, g.body FROM crosswalk c JOIN golden g USING (golden_id)
WHERE c.source = 'pos' AND c.source_key = '1'"""
AUDIT = "INSERT INTO audit (actor, action, object_type, object_id) VALUES ('key:1', 'golden.read', 'golden', 'g1')"
Act = Callable[["psycopg.Connection[tuple[object, ...]]", int], None]


@pytest.fixture
def released(database_url: str) -> Iterator[Master]:
    """A database with a customer on the schema of the release before."""
    name, before = f"mdm_released_{clock.uuid7().hex}", settings()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        configure(before.model_copy(update={"database_url": urlunsplit(urlsplit(database_url)._replace(path=f"/{name}"))}))
        rules.forget()
        migrations.migrate()
        mdm = master.start()
        mdm.put("pos", "1", MARIA)
        mdm.drain()
        db.dispose()
        downgrade(migrations._config(), RELEASED)
        yield mdm
        db.dispose()
        configure(before)
        rules.forget()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def a_put(url: str) -> Act:
    """Add a record like the first, naming the columns that there are now; the next release must not ask for more."""
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    with psycopg.connect(url) as connection:
        named = {table: [row[0] for row in connection.execute(columns, [table])] for table in WRITTEN}

    def put(connection: "psycopg.Connection[tuple[object, ...]]", number: int) -> None:
        own = {"record_id": sql.Literal(clock.uuid7()), "source_key": sql.Literal(f"n{number}")}
        with connection.transaction():
            for table in WRITTEN:
                values = [own.get(column, sql.Identifier(column)) for column in named[table]]
                connection.execute(
                    sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} LIMIT 1").format(
                        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, named[table])),
                        sql.SQL(", ").join(values), sql.Identifier(table),
                    )
                )  # fmt: skip

    return put


def a_lookup(connection: "psycopg.Connection[tuple[object, ...]]", _number: int) -> None:
    """Read the customer, audited."""
    assert connection.execute(LOOKUP).fetchall()
    connection.execute(AUDIT)


class Load:
    """Lookups and puts at so many a second from four connections, each on time whatever became of the one before."""

    def __init__(self, url: str) -> None:
        self.url, self.put, self.over = url, a_put(url), threading.Event()
        self.done, self.failed = 0, list[str]()
        self.threads = [threading.Thread(target=self._ask, args=[number], daemon=True) for number in range(4)]

    def _ask(self, number: int) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            turn = number
            while not self.over.is_set():
                begun = time.monotonic()
                try:
                    (self.put if turn % 5 == 0 else a_lookup)(connection, turn)
                    self.done += 1
                except psycopg.Error as error:
                    self.failed.append(str(error))
                turn += len(self.threads)
                self.over.wait(max(0.0, len(self.threads) / A_SECOND - (time.monotonic() - begun)))


def watch(url: str, over: threading.Event, longest: list[float]) -> None:
    """Note for how long anybody has waited for a lock."""
    statement = (
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float FROM pg_locks WHERE NOT granted"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        while not over.wait(0.02):
            longest.append((connection.execute(statement).fetchone() or (0.0,))[0])


def test_nothing_fails_and_nobody_waits_long_while_the_schema_moves(released: Master) -> None:
    url, longest = settings().require_database_url(), list[float]()
    load = Load(url)
    watcher = threading.Thread(target=watch, args=[url, load.over, longest], daemon=True)
    for thread in (*load.threads, watcher):
        thread.start()
    time.sleep(MEANWHILE_SECONDS)
    before = load.done
    assert migrations.migrate() == (RELEASED, migrations.newest_revision())
    time.sleep(MEANWHILE_SECONDS)
    load.over.set()
    for thread in (*load.threads, watcher):
        thread.join()
    assert load.failed == []
    assert load.done > before > 0
    assert max(longest) < LONGEST_WAIT_SECONDS


def test_what_was_stored_before_stands_after_the_schema_has_moved(released: Master) -> None:
    migrations.migrate()
    released.put("shop", "2", MARIA)
    released.drain()
    assert released.verify().differences == ()
