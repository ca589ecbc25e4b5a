"""Values that stewards set by hand: a sealed statement each, tied to records by the decision of the same id."""

import json

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Overrides have an index of their own, and burden the look-up of what stewards say of matches no longer.
# `expires_at` repeats what is sealed, for the sweeper; `expiry_asked` counts how often it asked for what an expiry changes.
OVERRIDES = """
CREATE TABLE steward_record (
  record_id uuid PRIMARY KEY REFERENCES decision,
  attribute text NOT NULL,
  expires_at timestamptz,
  wrapped_key bytea,
  sealed_statement bytea NOT NULL,
  expiry_asked smallint NOT NULL DEFAULT 0
);
CREATE INDEX steward_record_to_expire ON steward_record (expires_at) WHERE expires_at IS NOT NULL AND expiry_asked < 2;
CREATE INDEX decision_overrides ON decision USING gin (right_records) WITH (fastupdate = off) WHERE reason_code = 'override';
DROP INDEX decision_live_stewards;
CREATE INDEX decision_live_stewards ON decision (decision_id)
  WHERE superseded_at IS NULL AND record_a IS NULL AND reason_code <> 'override';
"""
BEHAVIOUR = {
    "merge": "goes along", "unmerge": "stays with most of the records it was said of", "export": "all",
    "erase": "data key destroyed", "retain": "with the records",
}  # fmt: skip


def upgrade() -> None:
    op.execute(OVERRIDES)
    op.execute(f"COMMENT ON TABLE steward_record IS '{json.dumps(BEHAVIOUR)}'")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON steward_record TO mdm_engine")


def downgrade() -> None:
    op.execute("DROP INDEX decision_overrides, decision_live_stewards")
    op.execute("CREATE INDEX decision_live_stewards ON decision (decision_id) WHERE superseded_at IS NULL AND record_a IS NULL")
    op.execute("DROP TABLE steward_record")
