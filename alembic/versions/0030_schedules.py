"""Jobs that are paused; what each chunk that was given up counted as failed; schedules."""

import json

from alembic import op

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None

JOBS = """
ALTER TABLE job ADD COLUMN paused_at timestamptz;
ALTER TABLE job_chunk ADD COLUMN failed_units bigint NOT NULL DEFAULT 0;
"""
SCHEDULES = """
CREATE TABLE schedule (
  name text PRIMARY KEY,
  fired_slot timestamptz NOT NULL,
  fired_at timestamptz,
  job_id uuid
);
GRANT SELECT, INSERT, UPDATE, DELETE ON schedule TO mdm_engine;
"""


def upgrade() -> None:
    op.execute(JOBS)
    op.execute(SCHEDULES)
    op.execute(f"COMMENT ON TABLE schedule IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute("DROP TABLE schedule; ALTER TABLE job DROP COLUMN paused_at; ALTER TABLE job_chunk DROP COLUMN failed_units")
