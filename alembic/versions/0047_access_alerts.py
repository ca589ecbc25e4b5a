"""How much each caller read and merged by the hour, how far that is counted, and what of it was unusual."""

import json

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

ACCESS = """
CREATE TABLE access_hour (
  what text NOT NULL CHECK (what IN ('reads', 'merges', 'all_merges', 'used_up')),
  actor text NOT NULL,
  hour timestamptz NOT NULL,
  number bigint NOT NULL,
  PRIMARY KEY (what, actor, hour)
);
CREATE INDEX access_hour_by_hour ON access_hour (hour);
CREATE TABLE access_counted (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  audit_seq bigint NOT NULL DEFAULT 0,  -- Of seals: dense in the order of commits, as ids of rows are not.
  event_seq bigint NOT NULL DEFAULT 0
);
CREATE TABLE access_alert (
  alert_id uuid PRIMARY KEY,
  kind text NOT NULL,
  actor text NOT NULL,
  since timestamptz NOT NULL,  -- The hour, or the first moment of the days, that was unusual.
  opened_at timestamptz NOT NULL,
  figures jsonb NOT NULL,
  seen_at timestamptz,
  seen_by text,
  is_usual boolean,
  reason text,
  CHECK (num_nulls(seen_at, seen_by, is_usual, reason) IN (0, 4)),
  UNIQUE (kind, actor, since)
);
CREATE INDEX access_alert_unseen ON access_alert (opened_at) WHERE seen_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_hour TO mdm_engine;
GRANT SELECT, INSERT, UPDATE ON access_counted TO mdm_engine;
GRANT SELECT, INSERT, UPDATE ON access_alert TO mdm_engine;
"""
TABLES = ("access_hour", "access_counted", "access_alert")


def upgrade() -> None:
    op.execute(ACCESS)
    for table in TABLES:
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
