"""Exports: a row for each file of bulk data, so that it can be named, handed out, removed in time and found by an erasure.

And certificates: how a source's full extract compares with what is stored of it, signed; they hold examples of source keys.
"""

import json

from alembic import op

revision = "0032"
down_revision = "0031"
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
CERTIFICATE = """
CREATE TABLE certificate (
  certificate_id uuid PRIMARY KEY REFERENCES job (job_id) ON DELETE CASCADE,
  source text NOT NULL,
  brand text NOT NULL,
  taken_at timestamptz NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  report text,       -- Canonical JSON, byte for byte what is signed.
  signature bytea,
  CHECK ((report IS NULL) = (signature IS NULL))
);
CREATE INDEX certificate_by_source ON certificate (source, created_at DESC);

ALTER TABLE certificate ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON certificate TO mdm_engine USING (true) WITH CHECK (true);
-- An extract is of a whole source: it is for whoever may see every region of it.
CREATE POLICY app_within_scope ON certificate FOR SELECT TO mdm_app
  USING (current_setting('mdm.regions', true) = '*' AND in_scope(ARRAY[brand], ARRAY['*']));
GRANT SELECT, INSERT, UPDATE, DELETE ON certificate TO mdm_engine;
GRANT SELECT ON certificate TO mdm_app;
"""
# An extract is compared in a table of the transaction, whoever else may not make any.
TEMPORARY = """
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO mdm_engine', current_database()); END $$
"""
BEHAVIOUR = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "files made", "erase": "remove files", "retain": "files for a day",
}  # fmt: skip
OF_CERTIFICATES = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": "drop keys among examples", "retain": "for good",
}  # fmt: skip


def upgrade() -> None:
    op.execute(EXPORT)
    op.execute(CERTIFICATE)
    op.execute(TEMPORARY)
    op.execute(f"COMMENT ON TABLE export IS '{json.dumps(BEHAVIOUR)}'")
    op.execute(f"COMMENT ON TABLE certificate IS '{json.dumps(OF_CERTIFICATES)}'")


def downgrade() -> None:
    op.execute("DROP TABLE certificate; DROP TABLE export")
