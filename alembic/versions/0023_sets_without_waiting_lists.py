"""Sets of ids are indexed where there are any, and at once: no search walks a list of what waits to be indexed.

A GIN index lists new entries unsorted until a vacuum files them, and every look-up reads the whole list. Each of the model's
decisions was on two such lists, though it names no set at all.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def _index(side: str, options: str, which: str) -> str:
    return f"""DROP INDEX decision_live_{side};
      CREATE INDEX decision_live_{side} ON decision USING gin ({side}_records) {options} WHERE superseded_at IS NULL{which};"""


def upgrade() -> None:
    for side in ("left", "right"):
        op.execute(_index(side, "WITH (fastupdate = off)", f" AND {side}_records IS NOT NULL"))
    op.execute("DROP INDEX task_by_golden")
    op.execute("CREATE INDEX task_by_golden ON task USING gin (golden_ids) WITH (fastupdate = off) WHERE state = 'open'")


def downgrade() -> None:
    for side in ("left", "right"):
        op.execute(_index(side, "", ""))
    op.execute("DROP INDEX task_by_golden")
    op.execute("CREATE INDEX task_by_golden ON task USING gin (golden_ids) WHERE state = 'open'")
