"""Merge blockers: which ones a steward's decision was made across, and when what a record says of one grows too old."""

import json

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LAPSING = """
ALTER TABLE decision ADD COLUMN across_blockers text[] NOT NULL DEFAULT '{}';
CREATE TABLE lapsing_fact (
  record_id uuid PRIMARY KEY REFERENCES source_record ON DELETE CASCADE,
  lapses_at timestamptz NOT NULL,
  asked smallint NOT NULL DEFAULT 0
);
CREATE INDEX lapsing_fact_to_ask ON lapsing_fact (lapses_at) WHERE asked < 2;
"""
BEHAVIOUR = {"merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": "delete", "retain": "with the record"}


def upgrade() -> None:
    op.execute(LAPSING)
    op.execute(f"COMMENT ON TABLE lapsing_fact IS '{json.dumps(BEHAVIOUR)}'")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON lapsing_fact TO mdm_engine")


def downgrade() -> None:
    op.execute("DROP TABLE lapsing_fact; ALTER TABLE decision DROP COLUMN across_blockers")
