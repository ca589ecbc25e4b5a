"""Holds of automatic merging: since when, why, by whose word, and how they ended."""

import json

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

HOLD = """
CREATE TABLE merge_hold (
  hold_id uuid PRIMARY KEY,
  began_at timestamptz NOT NULL,
  held_by text NOT NULL,
  reason text NOT NULL,
  sources text[] CHECK (array_length(sources, 1) = 2),
  figures jsonb NOT NULL DEFAULT '{}',
  ended_at timestamptz,
  ended_by text,
  end_reason text,
  CHECK (num_nulls(ended_at, ended_by, end_reason) IN (0, 3))
);
CREATE UNIQUE INDEX merge_hold_in_force ON merge_hold ((coalesce(sources, '{}'))) WHERE ended_at IS NULL;
CREATE INDEX pending_record_on_hold ON pending_record (record_id) WHERE reason = 'automatic_merging_on_hold';
GRANT SELECT, INSERT, UPDATE ON merge_hold TO mdm_engine;
"""


def upgrade() -> None:
    op.execute(HOLD)
    op.execute(f"COMMENT ON TABLE merge_hold IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute("DROP INDEX pending_record_on_hold; DROP TABLE merge_hold")
