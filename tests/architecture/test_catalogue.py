"""Every table of the schema declares how it behaves on merge, unmerge, export, erase and retain (DESIGN: satellite gate)."""

import json

from sqlalchemy import text

from kernel.db import Role, read_only

DECLARED = {"merge", "unmerge", "export", "erase", "retain"}
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
