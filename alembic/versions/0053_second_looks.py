"""Answers that are asked for a second time: what was drawn, what the second steward said, and who kept the first nevertheless."""

import json

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

LOOKS = """
CREATE TABLE second_look (
  decision_id uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
  share double precision NOT NULL CHECK (share > 0 AND share <= 1),
  first_by text NOT NULL,
  first_verdict text NOT NULL CHECK (first_verdict IN ('match', 'no_match')),
  drawn_at timestamptz NOT NULL,
  second_by text CHECK (second_by <> first_by),
  second_verdict text CHECK (second_verdict IN ('match', 'no_match')),
  answered_at timestamptz,
  kept_by text CHECK (kept_by NOT IN (first_by, second_by)),
  kept_at timestamptz,
  CHECK (num_nulls(second_by, second_verdict, answered_at) IN (0, 3)),
  CHECK (num_nulls(kept_by, kept_at) IN (0, 2)),
  CHECK (kept_by IS NULL OR first_verdict <> second_verdict)
);
CREATE INDEX second_look_waiting ON second_look (drawn_at) WHERE second_by IS NULL;
CREATE INDEX second_look_by_task ON second_look (task_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON second_look TO mdm_engine;
"""
BEHAVIOUR = {
    "merge": "stays with its task", "unmerge": "stays with its task", "export": "none", "erase": "keep: ids and staff",
    "retain": "with its task",
}  # fmt: skip


def upgrade() -> None:
    op.execute(LOOKS)
    op.execute(f"COMMENT ON TABLE second_look IS '{json.dumps(BEHAVIOUR)}'")


def downgrade() -> None:
    op.execute("DROP TABLE second_look")
