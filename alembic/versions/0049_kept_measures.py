"""Keep the measures of the report that read every record as they were last told, and of drift the bands of weights."""

import json

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

# One row a measure: the last that was told. Its history is the report of a month.
KEPT = """
CREATE TABLE kept_measure (
  name text PRIMARY KEY,
  measured_at timestamptz NOT NULL,
  rows jsonb NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON kept_measure TO mdm_engine;
"""
WHAT = "ALTER TABLE drift_day DROP CONSTRAINT drift_day_what_check, ADD CONSTRAINT drift_day_what_check CHECK (what IN ({of}))"


def upgrade() -> None:
    op.execute(KEPT)
    op.execute(f"COMMENT ON TABLE kept_measure IS '{json.dumps({'customer': False})}'")
    op.execute(WHAT.format(of="'weights', 'band', 'reviews', 'complete', 'recognised'"))


def downgrade() -> None:
    op.execute("DROP TABLE kept_measure")
    op.execute("DELETE FROM drift_day WHERE what = 'band'")
    op.execute(WHAT.format(of="'weights', 'reviews', 'complete', 'recognised'"))
