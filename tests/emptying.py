"""Empties the database of a test worker before the next test: some three milliseconds, where truncating every table takes 130
(and seconds on a busy disk).

Rows are deleted past their triggers. A table that has grown or was analyzed is truncated, so that no test meets another's dead
rows or statistics. Either way the locks wait for whoever still writes: nothing of a test before arrives later.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[str, bool, bool]]
KEPT_TABLES = ("event_counter", "alembic_version", "timeline")
# What statements read through, and what lies beside it for the few that want it (each model version is 20 kB).
GROWN_BYTES, GROWN_BESIDE_BYTES = 2**18, 2**22
ALL = "SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> ALL(%s)"
# With all that refers to them, and their partitions.
NAMED = """
WITH RECURSIVE step AS (
  SELECT confrelid AS one, conrelid AS next FROM pg_constraint WHERE contype = 'f'
  UNION SELECT inhparent, inhrelid FROM pg_inherits
), found AS (
  SELECT unnest(%s::text[])::regclass::oid AS oid UNION SELECT next FROM found JOIN step ON one = oid
) SELECT oid FROM found
"""
# A partitioned table ('p') has no file: its rows lie in its partitions.
STATE = """
SELECT c.oid::regclass::text, c.relkind = 'r' AND pg_relation_size(c.oid) > 0,
       c.reltuples > 0 OR (c.relkind = 'r' AND (c.reltuples = 0 OR pg_relation_size(c.oid) > %s OR pg_table_size(c.oid) > %s))
FROM pg_class c WHERE c.oid = ANY(%s)
"""
RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
PAST_TRIGGERS = "SET LOCAL session_replication_role = replica"


def empty(database_url: str) -> None:
    """Delete every row but those of the kept tables, and let all numbers begin anew."""
    with _locked(database_url, ALL, KEPT_TABLES) as (connection, oids):
        _delete(connection, oids)
        connection.execute(RESTART)


def empty_tables(database_url: str, names: Sequence[str]) -> None:
    """Delete every row of some tables and of all that refer to them; numbers go on."""
    with _locked(database_url, NAMED, names) as (connection, oids):
        _delete(connection, oids)


@contextmanager
def _locked(database_url: str, which: str, names: Sequence[str]) -> Iterator[tuple[Connection, list[int]]]:
    with _connected(database_url).transaction() as started:
        oids = [int(oid) for (oid, *_) in started.connection.execute(which, [list(names)])]
        tables = _listed([name for name, *_ in _state(started.connection, oids)])
        started.connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables))
        yield started.connection, oids


def _connected(database_url: str) -> Connection:
    """A connection that stays: each new one reads what there is of 300 tables and indexes. A test may have ended it."""
    try:
        _kept(database_url).execute("SELECT")
    except psycopg.OperationalError:
        _kept.cache_clear()
    return _kept(database_url)


@functools.cache
def _kept(database_url: str) -> Connection:
    return psycopg.connect(database_url, application_name="emptying", autocommit=True)


def _delete(connection: Connection, oids: Sequence[int]) -> None:
    """Delete or truncate. Only a superuser gets past triggers: whoever is none truncates."""
    may_delete = connection.info.parameter_status("is_superuser") == "on"
    grown = [name for name, has_pages, is_grown in _state(connection, oids) if is_grown or (has_pages and not may_delete)]
    if grown:
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(_listed(grown)))
    left = [name for name, has_pages, _ in _state(connection, oids) if has_pages]
    if left:
        deletes = [sql.SQL("DELETE FROM {}").format(sql.SQL(name)) for name in left]
        connection.execute(sql.SQL("; ").join([sql.SQL(PAST_TRIGGERS), *deletes]))


def _state(connection: Connection, oids: Sequence[int]) -> list[tuple[str, bool, bool]]:
    """Name, whether it has pages, whether it has grown or was analyzed."""
    return connection.execute(STATE, [GROWN_BYTES, GROWN_BESIDE_BYTES, list(oids)]).fetchall()


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, names))
