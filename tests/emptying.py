"""Empties the database of a test worker before the next test: some three milliseconds, where truncating every table takes 130
(and seconds on a busy disk).

Rows are deleted past their triggers. A table that has grown or was analyzed is truncated, so that no test meets another's dead
rows or statistics. Either way the locks wait for whoever still writes: nothing of a test before arrives later.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[tuple[Any, ...]]
KEPT_TABLES = ("event_counter", "alembic_version", "timeline")
# What statements read through, and what lies beside it for the few that want it (each model version is 20 kB).
GROWN_BYTES, GROWN_BESIDE_BYTES = 2**18, 2**22
ALL = """SELECT oid, oid::regclass::text FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> ALL(%s)"""
# With all that refers to them, and their partitions.
NAMED = """
WITH RECURSIVE step AS (
  SELECT confrelid AS one, conrelid AS next FROM pg_constraint WHERE contype = 'f'
  UNION SELECT inhparent, inhrelid FROM pg_inherits
), found AS (
  SELECT unnest(%s::text[])::regclass::oid AS oid UNION SELECT next FROM found JOIN step ON one = oid
) SELECT oid, oid::regclass::text FROM found
"""
# A partitioned table ('p') has no file: its rows lie in its partitions. What lies beside a table is measured only where it has
# pages: each size is read from the files, and of a hundred tables most tests fill ten.
FILLED = """
SELECT c.oid::regclass::text, s.bytes > 0, c.reltuples > 0 OR (c.relkind = 'r' AND c.reltuples = 0) OR s.bytes > %s
       OR CASE WHEN s.bytes > 0 THEN pg_table_size(c.oid) > %s ELSE false END
FROM pg_class c, LATERAL (SELECT CASE c.relkind WHEN 'r' THEN pg_relation_size(c.oid) ELSE 0 END AS bytes OFFSET 0) s
WHERE c.oid = ANY(%s) AND (s.bytes > 0 OR c.reltuples >= 0)
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
        found = started.connection.execute(which, [list(names)]).fetchall()
        tables = _listed([name for _, name in found])
        started.connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables))
        yield started.connection, [oid for oid, _ in found]


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
    filled = connection.execute(FILLED, [GROWN_BYTES, GROWN_BESIDE_BYTES, list(oids)]).fetchall()
    grown = [name for name, has_pages, is_grown in filled if is_grown or (has_pages and not may_delete)]
    if grown:
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(_listed(grown)))
    left = [name for name, has_pages, _ in filled if has_pages and name not in grown]
    if left:
        deletes = [sql.SQL("DELETE FROM {}").format(sql.SQL(name)) for name in left]
        connection.execute(sql.SQL("; ").join([sql.SQL(PAST_TRIGGERS), *deletes]))


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, names))
