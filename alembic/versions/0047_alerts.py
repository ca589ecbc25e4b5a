"""What is unusual: of callers, by what they read and merged in an hour; of data, against what a model was put in charge of."""

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
# A snapshot is taken once for a model, and never changes; a day's figures are measured again and again on that day.
DRIFT = """
CREATE TABLE drift_snapshot (
  model text PRIMARY KEY REFERENCES model_version ON DELETE CASCADE,
  taken_at timestamptz NOT NULL,
  body jsonb NOT NULL
);
CREATE TABLE drift_day (
  day date NOT NULL,
  what text NOT NULL CHECK (what IN ('weights', 'reviews', 'complete', 'recognised')),
  name text NOT NULL,
  model text NOT NULL,
  before double precision,
  now double precision,
  distance double precision NOT NULL,
  counted bigint NOT NULL,
  is_beyond boolean NOT NULL,
  PRIMARY KEY (day, what, name)
);
GRANT SELECT, INSERT ON drift_snapshot TO mdm_engine;
GRANT SELECT, INSERT, DELETE ON drift_day TO mdm_engine;
"""
TABLES = ("access_hour", "access_counted", "access_alert", "drift_snapshot", "drift_day")


def upgrade() -> None:
    op.execute(ACCESS)
    op.execute(DRIFT)
    for table in TABLES:
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(TABLES)}")
