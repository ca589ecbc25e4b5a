"""No test sees what another left: rows, numbers that went on, size and statistics, nor what was still being written."""

import threading

import psycopg
import pytest

from kernel import db

from .emptying import GROWN_BYTES, KEPT_TABLES, empty
from .resolution import MARIA, Master, query, start

TABLES = """SELECT oid::regclass::text FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> ALL(%s)"""
ENTRIES = """INSERT INTO audit (actor, action, object_type, object_id)
             SELECT 'test', 'read', 'golden', n::text FROM generate_series(1, %s) n"""
HELD = """SELECT sum(pg_relation_size(oid))::int, max(reltuples)::int FROM pg_class
          WHERE relname LIKE 'audit\\_2%%' AND relkind = 'r' OR relname = 'golden'"""


def filled() -> set[str]:
    """The tables that hold a row."""
    names = [name for (name,) in query(TABLES, list(KEPT_TABLES), role=db.Role.OWNER)]
    return {name for name in names if query(f"SELECT 1 FROM {name} LIMIT 1", role=db.Role.OWNER)}


def leave_something() -> Master:
    """A customer of two records, with all that tells how it came about."""
    mdm = start()
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    return mdm


def test_nothing_of_the_test_before_is_there_and_numbers_begin_anew(database: str) -> None:
    left = leave_something().policy
    assert len(filled()) > 15
    empty(database)
    assert filled() == set()
    assert leave_something().policy.version == left.version


@pytest.mark.parametrize("leave", ["ANALYZE golden", ENTRIES % (GROWN_BYTES // 50)])
def test_a_table_that_grew_or_was_counted_is_as_new(database: str, leave: str) -> None:
    leave_something()
    query(leave, role=db.Role.OWNER)
    size, rows = query(HELD, role=db.Role.OWNER)[0]
    assert size > GROWN_BYTES or rows > 0
    empty(database)
    size, rows = query(HELD, role=db.Role.OWNER)[0]
    assert (size < GROWN_BYTES, rows) == (True, -1)
    assert filled() == set()


def test_what_is_still_being_written_is_waited_for(database: str) -> None:
    leave_something()
    emptying = threading.Thread(target=empty, args=[database])
    with psycopg.connect(database) as late:
        late.execute(ENTRIES % 1)
        emptying.start()
        emptying.join(0.5)
        assert emptying.is_alive()
    emptying.join()
    assert filled() == set()
