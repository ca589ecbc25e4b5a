"""Every table of the schema declares how it behaves on merge, unmerge, export, erase and retain (DESIGN: satellite gate)."""

import json
import re

import psycopg
import pytest
from sqlalchemy import text

from kernel.db import Role, read_only
from kernel.errors import Unavailable
from stewardship import privacy_catalogue, privacy_erasure

DECLARED = {"merge", "unmerge", "export", "erase", "retain"}
A_TIME = re.compile(r"hour|day|week|month|year")
CATALOGUE = """
SELECT c.relname, obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
"""


def test_every_table_declares_its_behaviour(database: object) -> None:
    with read_only(Role.OWNER) as session:
        tables = {name: json.loads(comment or "{}") for name, comment in session.connection().execute(text(CATALOGUE))}
    silent = sorted(name for name, said in tables.items() if said != {"customer": False} and set(said) != DECLARED)
    assert len(tables) >= 20
    assert silent == []


def test_a_table_that_says_for_how_long_it_is_kept_is_let_go_of(database: object) -> None:
    """Of these tests/mdm/test_upkeep.py and its neighbours see that they are; a table that names another time must join them."""
    with read_only(Role.OWNER) as session:
        tables = {name: json.loads(comment or "{}") for name, comment in session.connection().execute(text(CATALOGUE))}
    named = {name: said["retain"] for name, said in tables.items() if A_TIME.search(said.get("retain", ""))}
    assert named == {
        "event": "30 days",
        "export": "files for a day",
        "idempotency": "72 hours",
        "reject": "30 days",
        "webhook_delivery": "30 days",
    }


def test_every_table_is_erased_as_it_declares(database: object) -> None:
    """By a method that an erasure understands, and, where rows go, by columns that say whose they are."""
    with read_only(Role.OWNER) as session:
        assert list(privacy_catalogue.read(session).problems(privacy_erasure.HANDLERS)) == []


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (None, "declares no method of erasure"),
        ({"merge": "unchanged", "unmerge": "unchanged", "export": "no", "retain": "for ever"}, "declares no method of erasure"),
        ({"erase": "somehow"}, "declares no method of erasure"),
        ({"erase": "by nobody"}, "no handler nobody"),
        ({"erase": "delete"}, "no column says whose its rows are"),
        ({"erase": "empty remark"}, "no column says whose its rows are"),
    ],
)
def test_a_table_that_does_not_say_how_stops_every_erasure(database: str, declared: object, problem: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE added (added_id uuid PRIMARY KEY, words text)")
        if declared is not None:
            connection.execute(f"COMMENT ON TABLE added IS '{json.dumps(declared)}'")
        connection.commit()
    try:
        with read_only(Role.OWNER) as session, pytest.raises(Unavailable) as refused:
            privacy_catalogue.understood(session, privacy_erasure.HANDLERS)
        assert refused.value.extra["tables"] == [f"added: {problem}"]
    finally:
        with psycopg.connect(database) as connection:
            connection.execute("DROP TABLE added")


def test_rows_of_a_table_that_is_added_are_found_by_what_it_says(database: str) -> None:
    """Rows by a record, by a key of a source, by a golden id, by a table they point to, by one that ties them to records."""
    columns = {
        "by_record": "record_id uuid",
        "by_key": "source text, record_key text",
        "by_golden": "golden_ids uuid[]",
        "by_parent": "task_id uuid REFERENCES task",
        "entry": "entry_id uuid PRIMARY KEY, golden_id uuid",
        "entry_anchor": "record_id uuid, entry_id uuid REFERENCES entry",
        "entry_words": "entry_id uuid REFERENCES entry, words text",
    }
    with psycopg.connect(database) as connection:
        for name, said in columns.items():
            connection.execute(f"CREATE TABLE {name} ({said}); COMMENT ON TABLE {name} IS '{json.dumps({'erase': 'delete'})}'")
        connection.commit()
    try:
        with read_only(Role.OWNER) as session:
            statements = dict(privacy_catalogue.understood(session, privacy_erasure.HANDLERS).statements())
        assert statements["by_record"].endswith("WHERE record_id = ANY(%(records)s)")
        assert "record_key" in statements["by_key"]
        assert "golden_ids && %(goldens)s" in statements["by_golden"]
        assert "SELECT task_id FROM task" in statements["by_parent"]
        assert "SELECT entry_id FROM entry_anchor WHERE record_id = ANY" in statements["entry_words"]
        assert "golden_id" not in statements["entry_words"]  # It may be empty: it says where, not whose.
    finally:
        with psycopg.connect(database) as connection:
            connection.execute(f"DROP TABLE {', '.join(columns)}")


def test_scoped_tables_have_row_level_security(database: object) -> None:
    with read_only(Role.OWNER) as session:
        rows = session.connection().execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
                " AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT c.relrowsecurity AND EXISTS"
                " (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('brand', 'brands'))"
            )
        )
        open_tables = sorted(name for (name,) in rows)
    assert open_tables == ["api_key"]  # A key says its own brands; it is not a customer's row.
