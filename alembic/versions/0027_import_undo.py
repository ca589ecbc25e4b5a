"""Record versions know their import, deliveries of what was known already are kept where they count, and imports are undone."""

import json

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

IMPORTS = """
ALTER TABLE record_version ADD COLUMN job_id uuid;
CREATE INDEX record_version_by_job ON record_version (job_id, record_id) WHERE job_id IS NOT NULL;

-- A delivery that said what a stored version says already: kept where it would count if an import were undone. It comes after
-- version `after_no` of its record; a later one of the same place has a greater number.
CREATE TABLE record_sighting (
  record_id uuid NOT NULL,
  sighting_no bigint GENERATED ALWAYS AS IDENTITY,
  version_no integer NOT NULL,
  after_no integer NOT NULL,
  seen_at timestamptz NOT NULL,
  source_version bigint,
  source_updated_at timestamptz,
  job_id uuid,
  PRIMARY KEY (record_id, sighting_no, seen_at)
) PARTITION BY RANGE (seen_at);
SELECT ensure_month_partitions('record_sighting', 3);
CREATE INDEX record_sighting_by_job ON record_sighting (job_id, record_id) WHERE job_id IS NOT NULL;

-- What an import said of a record counts no longer; whether the record says something else since.
CREATE TABLE record_withdrawal (
  record_id uuid NOT NULL REFERENCES source_record,
  job_id uuid NOT NULL,
  withdrawn_at timestamptz NOT NULL,
  undo_job_id uuid NOT NULL,
  has_changed boolean NOT NULL,
  PRIMARY KEY (record_id, job_id)
);
CREATE INDEX record_withdrawal_by_job ON record_withdrawal (job_id);
"""
# Until now a later delivery of the same content moved its record's place in the source's order and left no trace.
MOVED = """
INSERT INTO record_sighting (record_id, version_no, after_no, seen_at, source_version, source_updated_at)
SELECT r.record_id, r.version_no, (SELECT max(version_no) FROM record_version o WHERE o.record_id = r.record_id), now(),
  r.source_version, r.source_updated_at
FROM source_record r JOIN record_version v USING (record_id, version_no)
WHERE r.rekeyed_to IS NULL
  AND (r.source_version, r.source_updated_at) IS DISTINCT FROM (v.source_version, v.source_updated_at);
"""
UNTOUCHED = {"merge": "unchanged", "unmerge": "unchanged"}
BEHAVIOUR = {
    "record_sighting": {**UNTOUCHED, "export": "all", "erase": "no values", "retain": "with the source's rule"},
    "record_withdrawal": {**UNTOUCHED, "export": "all", "erase": "ids only", "retain": "with the record"},
}


def upgrade() -> None:
    op.execute(IMPORTS)
    op.execute(MOVED)
    for table, behaviour in BEHAVIOUR.items():
        text = json.dumps(behaviour).replace("'", "''")
        op.execute(f"COMMENT ON TABLE {table} IS '{text}'")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO mdm_engine")
    op.execute("GRANT SELECT, INSERT ON record_sighting TO mdm_app; GRANT SELECT ON record_withdrawal TO mdm_app")


def downgrade() -> None:
    op.execute("DROP TABLE record_withdrawal, record_sighting; ALTER TABLE record_version DROP COLUMN job_id")
