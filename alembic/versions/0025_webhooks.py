"""Webhook endpoints, and what is to be delivered to each of them."""

import json

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ENDPOINTS = """
CREATE TABLE webhook_endpoint (
  endpoint_id uuid PRIMARY KEY,
  url text NOT NULL,
  description text NOT NULL,
  brands text[],
  regions text[],
  types text[] NOT NULL,
  sources text[] NOT NULL,
  changed text[] NOT NULL,
  each_of_loads boolean NOT NULL,
  is_ordered boolean NOT NULL,
  concurrency smallint NOT NULL CHECK (concurrency BETWEEN 1 AND 50),
  per_second smallint NOT NULL CHECK (per_second BETWEEN 1 AND 1000),
  secret bytea NOT NULL,
  secret_before bytea,
  secret_before_until timestamptz,
  disabled_at timestamptz,
  disabled_because text,
  failing_since timestamptz,
  failures integer NOT NULL DEFAULT 0,
  open_until timestamptz,
  reached_seq bigint NOT NULL,
  applied_seq bigint,
  applied_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL
);
CREATE TABLE webhook_delivery (
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
  seq bigint NOT NULL,
  subject_id uuid NOT NULL,
  state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'delivered', 'dead')),
  due_at timestamptz NOT NULL DEFAULT now(),
  attempts smallint NOT NULL DEFAULT 0,
  tried jsonb NOT NULL DEFAULT '[]',
  made_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  PRIMARY KEY (endpoint_id, seq)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_at, seq) WHERE state = 'due';
CREATE INDEX webhook_delivery_in_order ON webhook_delivery (endpoint_id, subject_id, seq) WHERE state = 'due';
CREATE INDEX webhook_delivery_ended ON webhook_delivery (ended_at) WHERE state <> 'due';
"""

# A caller sees endpoints whose whole scope lies within its own; deliveries hold nothing but numbers.
SCOPE = """
CREATE FUNCTION wholly_in_scope(brands text[], regions text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (current_setting('mdm.brands', true) = '*'
          OR brands <@ string_to_array(current_setting('mdm.brands', true), ','))
     AND (current_setting('mdm.regions', true) = '*'
          OR regions <@ string_to_array(current_setting('mdm.regions', true), ','))
$$;
ALTER TABLE webhook_endpoint ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON webhook_endpoint TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON webhook_endpoint TO mdm_app
  USING (wholly_in_scope(brands, regions)) WITH CHECK (wholly_in_scope(brands, regions));
ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON webhook_delivery TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON webhook_delivery TO mdm_app
  USING (EXISTS (SELECT FROM webhook_endpoint e WHERE e.endpoint_id = webhook_delivery.endpoint_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoint, webhook_delivery TO mdm_engine, mdm_app;
"""
BEHAVIOUR = {
    "webhook_endpoint": {"customer": False},
    "webhook_delivery": {
        "merge": "unchanged", "unmerge": "unchanged", "export": "events sent to whom", "erase": "numbers only",
        "retain": "30 days",
    },
}  # fmt: skip


def upgrade() -> None:
    op.execute(ENDPOINTS)
    op.execute(SCOPE)
    for table, behaviour in BEHAVIOUR.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")


def downgrade() -> None:
    op.execute("DROP TABLE webhook_delivery, webhook_endpoint; DROP FUNCTION wholly_in_scope(text[], text[])")
