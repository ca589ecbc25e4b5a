"""A filled database that each test of a module begins from: filled once, kept beside, and brought back in some milliseconds."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from .emptying import KEPT_TABLES, PAST_TRIGGERS

# Every table that has rows, with the columns that are written: a partition holds them, what it is a part of does not.
FILLED = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL(%s) AND pg_relation_size(c.oid) > 0
GROUP BY c.oid
"""
NUMBERS = "SELECT format('public.%I', sequencename), last_value FROM pg_sequences WHERE last_value IS NOT NULL"
KEEP = "CREATE UNLOGGED TABLE kept_rows.{table} AS SELECT {columns} FROM public.{table}"
BRING_BACK = "INSERT INTO public.{table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept_rows.{table}"


class KeptRows:
    """What all tables held when it was made."""

    def __init__(self, connection: psycopg.Connection[tuple[str, list[str]]]) -> None:
        self._connection = connection
        filled = connection.execute(FILLED, [list(KEPT_TABLES)]).fetchall()
        names = [(sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))) for table, columns in filled]
        self._back = [sql.SQL(BRING_BACK).format(table=table, columns=columns) for table, columns in names]
        self._numbers = [sql.SQL("SELECT setval({}, {})").format(*row) for row in connection.execute(NUMBERS).fetchall()]
        for table, columns in names:
            connection.execute(sql.SQL(KEEP).format(table=table, columns=columns))

    def bring_back(self) -> bool:
        """Fill the emptied database as it was; False when the user may not, being no superuser: rows refer to each other."""
        if self._connection.info.parameter_status("is_superuser") != "on":
            return False
        with self._connection.transaction():
            self._connection.execute(sql.SQL("; ").join([sql.SQL(PAST_TRIGGERS), *self._back, *self._numbers]))
        return True


@contextmanager
def kept_rows(database_url: str) -> Iterator[KeptRows]:
    """Keep what the database holds now, to the end of the block."""
    with psycopg.connect(database_url, application_name="kept rows", autocommit=True) as connection:
        connection.execute("CREATE SCHEMA kept_rows")
        yield KeptRows(connection)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA kept_rows CASCADE")
