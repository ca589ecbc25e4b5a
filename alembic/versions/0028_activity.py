"""Activity: what a customer did at a source, bound to the record's key and never to a golden id.

Not partitioned by time: an activity is known by its source's key alone, and its time may be corrected.
"""

import json

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ACTIVITY = """
CREATE TABLE activity (
  source text NOT NULL,
  activity_key text NOT NULL,
  record_key text NOT NULL,
  brand text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('order', 'return', 'case', 'visit')),
  status text NOT NULL CHECK (status IN ('open', 'completed', 'cancelled')),
  occurred_at timestamptz NOT NULL,
  store text,
  amount numeric(19, 4) CHECK (amount >= 0),
  currency text CHECK (currency ~ '^[A-Z]{3}$'),
  updated_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  received_by text NOT NULL,
  PRIMARY KEY (source, activity_key),
  CHECK ((amount IS NULL) = (currency IS NULL))
);
CREATE INDEX activity_by_record ON activity (source, record_key, occurred_at DESC);
-- An activity that names a key which its record gave up is found by the keys that lead to the record.
CREATE INDEX source_record_by_rekeyed ON source_record (rekeyed_to) WHERE rekeyed_to IS NOT NULL;

-- The region of an activity is its record's, which may come later or move: whoever reads comes by the crosswalk, which shows
-- nobody another region's record.
ALTER TABLE activity ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON activity TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON activity TO mdm_app
  USING (in_scope(ARRAY[brand], string_to_array(current_setting('mdm.regions', true), ',')))
  WITH CHECK (in_scope(ARRAY[brand], string_to_array(current_setting('mdm.regions', true), ',')));
GRANT SELECT, INSERT, UPDATE, DELETE ON activity TO mdm_engine;
GRANT SELECT, INSERT, UPDATE ON activity TO mdm_app;
"""
BEHAVIOUR = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "all", "erase": "delete", "retain": "with the record",
}  # fmt: skip


def upgrade() -> None:
    op.execute(ACTIVITY)
    op.execute(f"COMMENT ON TABLE activity IS '{json.dumps(BEHAVIOUR)}'")


def downgrade() -> None:
    op.execute("DROP INDEX source_record_by_rekeyed; DROP TABLE activity")
