"""Proposals that wait for a second person; a task says who has proposed an answer to it."""

import json

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

APPROVAL = """
CREATE TABLE approval (
  approval_id uuid PRIMARY KEY,
  kind text NOT NULL,
  subject text NOT NULL,  -- Stands for exactly what would be done; holds no value.
  about jsonb NOT NULL,
  brands text[],
  regions text[],
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'approved', 'used', 'rejected', 'expired')),
  decided_by text,
  decided_at timestamptz,
  reason text,
  CHECK (state NOT IN ('approved', 'used') OR decided_by <> asked_by)
);
CREATE UNIQUE INDEX approval_waiting ON approval (kind, subject) WHERE state IN ('open', 'approved');
CREATE INDEX approval_by_time ON approval (asked_at DESC);

ALTER TABLE approval ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON approval TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON approval FOR SELECT TO mdm_app USING (wholly_in_scope(brands, regions));
GRANT SELECT, INSERT, UPDATE, DELETE ON approval TO mdm_engine;
GRANT SELECT ON approval TO mdm_app;

ALTER TABLE task_desk ADD COLUMN proposed_by text;
"""
BEHAVIOUR = {"merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": "keep: ids and counts", "retain": "for good"}


def upgrade() -> None:
    op.execute(APPROVAL)
    op.execute(f"COMMENT ON TABLE approval IS '{json.dumps(BEHAVIOUR)}'")


def downgrade() -> None:
    op.execute("ALTER TABLE task_desk DROP COLUMN proposed_by; DROP TABLE approval")
