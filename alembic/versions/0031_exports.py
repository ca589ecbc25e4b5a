"""Exports: a row for each file of bulk data, so that it can be named, handed out, removed in time and found by an erasure."""

import json

from alembic import op

revision = "0031"
down_revision = "0028"
branch_labels = None
depends_on = None

EXPORT = """
CREATE TABLE export (
  export_id uuid PRIMARY KEY REFERENCES job (job_id) ON DELETE CASCADE,
  kind text NOT NULL,
  format text NOT NULL,
  needs text NOT NULL,
  fields text[] NOT NULL DEFAULT '{}',
  sources text[] NOT NULL DEFAULT '{}',
  brands text[],
  regions text[],
  after_cursor text,
  key_id text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- What the file is once it is whole.
  timeline_id uuid,
  seq bigint,
  file_name text UNIQUE,
  size_bytes bigint,
  sha256 bytea,
  row_count bigint,
  neutralised_cells bigint,
  published_at timestamptz,
  expires_at timestamptz,
  removed_at timestamptz,
  CHECK (num_nonnulls(timeline_id, seq, file_name, size_bytes, sha256, row_count, neutralised_cells, published_at, expires_at)
    IN (0, 9))
);
CREATE INDEX export_kept ON export (expires_at) WHERE file_name IS NOT NULL AND removed_at IS NULL;

-- A file is for whoever may see all that it was made of.
ALTER TABLE export ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON export TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON export FOR SELECT TO mdm_app USING (wholly_in_scope(brands, regions));
GRANT SELECT, INSERT, UPDATE, DELETE ON export TO mdm_engine;
GRANT SELECT ON export TO mdm_app;
"""
BEHAVIOUR = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "files made", "erase": "remove files", "retain": "files for a day",
}  # fmt: skip


def upgrade() -> None:
    op.execute(EXPORT)
    op.execute(f"COMMENT ON TABLE export IS '{json.dumps(BEHAVIOUR)}'")


def downgrade() -> None:
    op.execute("DROP TABLE export")
