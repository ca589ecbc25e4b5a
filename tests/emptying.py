"""Empties the database of a test worker before the next test: some three milliseconds, where truncating every table takes 130
(and seconds on a busy disk).

Rows are deleted past their triggers. Once a table has grown or was analyzed all are truncated, so that no test meets another's
dead rows or statistics. Either way the locks wait for whoever still writes: nothing of a test before arrives later.
"""

import functools
from collections.abc import Sequence

import psycopg
from psycopg import sql

Tables = list[tuple[str, bool, bool, bool]]
KEPT_TABLES = ("event_counter", "alembic_version", "timeline")
# What statements read through, and what lies beside it for the few that want it (each model version is 20 kB).
GROWN_BYTES, GROWN_BESIDE_BYTES = 2**18, 2**22
# A partitioned table ('p') has no file: its rows lie in its partitions.
TABLES = """
SELECT c.oid::regclass::text, c.relispartition, c.relkind = 'r' AND pg_relation_size(c.oid) > 0,
       c.reltuples > 0 OR (c.relkind = 'r' AND (pg_relation_size(c.oid) > %s OR pg_table_size(c.oid) > %s))
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> ALL(%s)
"""
RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
PAST_TRIGGERS = "SET LOCAL session_replication_role = replica"


def empty(database_url: str) -> None:
    """Delete every row but those of the kept tables, and let all numbers begin anew. Only a superuser gets past triggers: whoever
    is none truncates.
    """
    try:
        _empty(_connected(database_url))
    except psycopg.OperationalError:  # A test ended all connections, or the server.
        _connected.cache_clear()
        _empty(_connected(database_url))


@functools.cache
def _connected(database_url: str) -> psycopg.Connection[tuple[str, bool, bool, bool]]:
    """A connection that stays: each new one reads what there is of 300 tables and indexes."""
    return psycopg.connect(database_url, application_name="emptying", autocommit=True)


def _empty(connection: psycopg.Connection[tuple[str, bool, bool, bool]]) -> None:
    with connection.transaction():
        names = [name for name, *_ in _tables(connection)]
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(_listed(names)))
        tables = _tables(connection)
        if any(is_grown for *_, is_grown in tables) or connection.info.parameter_status("is_superuser") != "on":
            roots = [name for name, is_partition, *_ in tables if not is_partition]
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(_listed(roots)))
        else:
            deletes = [sql.SQL("DELETE FROM {}").format(sql.SQL(name)) for name, _, has_pages, _ in tables if has_pages]
            connection.execute(sql.SQL("; ").join([sql.SQL(PAST_TRIGGERS), *deletes]))
            connection.execute(RESTART)


def _tables(connection: psycopg.Connection[tuple[str, bool, bool, bool]]) -> Tables:
    return connection.execute(TABLES, [GROWN_BYTES, GROWN_BESIDE_BYTES, list(KEPT_TABLES)]).fetchall()


def _listed(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.SQL, names))
