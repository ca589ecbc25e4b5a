"""Preferences of customers beside the consent ledger: append-only, each with the records that it may speak of."""

import json

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

# A preference that is taken back is an entry without a value. Written and read by functions of the owner, as the ledger is.
TABLES = """
CREATE TABLE preference (
  preference_no bigint GENERATED ALWAYS AS IDENTITY,
  preference_id uuid PRIMARY KEY,
  key text NOT NULL CHECK (key IN ('language', 'frequency', 'topics', 'store', 'contact_window')),
  value jsonb,
  brand text,
  occurred_at timestamptz,
  recorded_at timestamptz NOT NULL,
  origin text NOT NULL CHECK (origin IN ('subject', 'agent', 'system', 'import')),
  method text NOT NULL,
  source text,
  recorded_by text NOT NULL
);
CREATE TABLE preference_anchor (
  record_id uuid NOT NULL,
  preference_id uuid NOT NULL REFERENCES preference ON DELETE CASCADE,
  PRIMARY KEY (record_id, preference_id)
);
CREATE INDEX preference_anchor_by_preference ON preference_anchor (preference_id);
ALTER TABLE preference ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON preference TO mdm_engine USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON preference, preference_anchor TO mdm_engine;

CREATE FUNCTION preference_append(entries json) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH n AS MATERIALIZED (
    SELECT * FROM json_to_recordset(entries) AS r (preference_id uuid, key text, value jsonb, brand text, occurred_at timestamptz,
      recorded_at timestamptz, origin text, method text, source text, recorded_by text, records uuid[])),
  added AS (
    INSERT INTO preference (preference_id, key, value, brand, occurred_at, recorded_at, origin, method, source, recorded_by)
    SELECT preference_id, key, value, brand, occurred_at, recorded_at, origin, method, source, recorded_by
    FROM n ORDER BY preference_id ON CONFLICT DO NOTHING RETURNING preference_id),
  anchored AS (
    INSERT INTO preference_anchor (record_id, preference_id)
    SELECT DISTINCT r, n.preference_id FROM n JOIN added USING (preference_id) CROSS JOIN LATERAL unnest(n.records) AS r
    ON CONFLICT DO NOTHING)
  SELECT preference_id FROM added
$$;

CREATE FUNCTION preferences_of(record_ids uuid[]) RETURNS TABLE (
  preference_id uuid, key text, value jsonb, brand text, occurred_at timestamptz, recorded_at timestamptz, origin text,
  method text, source text, recorded_by text, records uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT p.preference_id, p.key, p.value, p.brand, p.occurred_at, p.recorded_at, p.origin, p.method, p.source, p.recorded_by,
    a.records
  FROM (SELECT DISTINCT m.preference_id FROM preference_anchor m WHERE m.record_id = ANY(record_ids)) AS mine
  JOIN preference p USING (preference_id)
  CROSS JOIN LATERAL (SELECT array_agg(record_id ORDER BY record_id) AS records FROM preference_anchor o
    WHERE o.preference_id = p.preference_id) AS a
$$;
"""
FUNCTIONS = ("preference_append(json)", "preferences_of(uuid[])")
BEHAVIOURS = {
    "preference": {
        "merge": "unchanged: what counts is computed over the members", "unmerge": "stays with the records that it was said of",
        "export": "all", "erase": "delete", "retain": "with the records that it was said of",
    },
    "preference_anchor": {
        "merge": "unchanged", "unmerge": "unchanged", "export": "with the preference", "erase": "delete",
        "retain": "with the preference",
    },
}  # fmt: skip


def upgrade() -> None:
    op.execute(TABLES)
    for function in FUNCTIONS:
        op.execute(
            f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO mdm_app, mdm_engine"
        )
    for table, behaviour in BEHAVIOURS.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE preference_anchor, preference")
