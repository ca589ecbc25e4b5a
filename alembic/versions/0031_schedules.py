"""Paused jobs, what chunks that were given up counted as failed, schedules, what follows a load, overdue endpoints."""

import json

from alembic import op

revision = "0031"
down_revision = "0030"
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
LOADS = """
CREATE TABLE load (
  load_id uuid PRIMARY KEY,
  kind text NOT NULL,
  sources text[] NOT NULL,
  lease_until timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON load TO mdm_engine;
ALTER TABLE webhook_endpoint ADD COLUMN latest_of_loads boolean NOT NULL DEFAULT true;
CREATE TABLE webhook_catch_up (
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
  load_id uuid NOT NULL,
  reached_seq bigint NOT NULL,
  until_seq bigint NOT NULL,
  PRIMARY KEY (endpoint_id, until_seq)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_catch_up TO mdm_engine;
GRANT SELECT, DELETE ON webhook_catch_up TO mdm_app;
"""

# What must not wait is found by its type, however far behind an endpoint is; what has not arrived, by its number.
LAG = """
ALTER TABLE webhook_endpoint ADD COLUMN overdue_since timestamptz;
CREATE INDEX webhook_delivery_left ON webhook_delivery (endpoint_id, seq) WHERE state <> 'delivered';
CREATE INDEX event_urgent ON event (type, seq) WHERE type IN ('golden.merged', 'golden.erased', 'consent.changed');
"""


def upgrade() -> None:
    for part in (JOBS, SCHEDULES, LOADS, LAG):
        op.execute(part)
    for table in ("schedule", "load", "webhook_catch_up"):
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute("DROP INDEX event_urgent, webhook_delivery_left; DROP TABLE webhook_catch_up, load, schedule")
    op.execute("ALTER TABLE webhook_endpoint DROP COLUMN latest_of_loads, DROP COLUMN overdue_since")
    op.execute("ALTER TABLE job DROP COLUMN paused_at; ALTER TABLE job_chunk DROP COLUMN failed_units")
