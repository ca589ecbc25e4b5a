"""What is kept of the quality of what sources send: appraisals of records, figures per day, breaches of what the policy asks.

Also an index by which records of an older standardizer or policy are counted at once: a search says so while there are any.
"""

import json

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Four ranges of the index, each stopped at the limit; one condition with OR reads all of them before it counts (35 ms a second).
# A function of its owner's: with row-level security the count would read every row for its brand.
STALE = """
ALTER TABLE standard_record ADD COLUMN appraisal text[];
CREATE INDEX standard_record_by_versions ON standard_record (policy_version, standardizer, source);
CREATE FUNCTION stale_records(wanted_standardizer text, wanted_policy integer, wanted_sources text[], most integer)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*)::integer FROM (
    SELECT 1 FROM standard_record WHERE source = ANY(wanted_sources) AND policy_version < wanted_policy
    UNION ALL SELECT 1 FROM standard_record WHERE source = ANY(wanted_sources) AND policy_version > wanted_policy
    UNION ALL SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND policy_version = wanted_policy AND standardizer < wanted_standardizer
    UNION ALL SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND policy_version = wanted_policy AND standardizer > wanted_standardizer
    LIMIT most) AS stale
$$;
REVOKE EXECUTE ON FUNCTION stale_records(text, integer, text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stale_records(text, integer, text[], integer) TO mdm_app, mdm_engine;
"""

# A day's figures are measured on that day, again and again; those of a past day never change.
FIGURES = """
CREATE TABLE quality_day (
  source text NOT NULL,
  day date NOT NULL,
  brand text NOT NULL,
  regions text[] NOT NULL,
  measured_at timestamptz NOT NULL,
  standardizer text NOT NULL,
  policy_version integer NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (source, day),
  CONSTRAINT measured_on_its_day CHECK (day = (measured_at AT TIME ZONE 'UTC')::date)
);
CREATE TABLE quality_breach (
  breach_id uuid PRIMARY KEY,
  source text NOT NULL,
  brand text NOT NULL,
  regions text[] NOT NULL,
  field text NOT NULL,
  figure text NOT NULL CHECK (figure IN ('complete', 'valid', 'unique')),
  floor double precision NOT NULL,
  share double precision NOT NULL,
  of_what text NOT NULL CHECK (of_what IN ('all', 'day')),
  records bigint NOT NULL,
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  set_policy_version integer REFERENCES policy_version
);
CREATE UNIQUE INDEX one_open_breach ON quality_breach (source, field, figure) WHERE ended_at IS NULL;
"""
TABLES = ("quality_day", "quality_breach")


def upgrade() -> None:
    op.execute(STALE)
    op.execute(FIGURES)
    for table in TABLES:
        op.execute(
            f"COMMENT ON TABLE {table} IS '{json.dumps({'customer': False})}';"
            f"GRANT SELECT, INSERT, UPDATE ON {table} TO mdm_engine; GRANT SELECT ON {table} TO mdm_app;"
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY engine_sees_all ON {table} TO mdm_engine USING (true) WITH CHECK (true);"
            f"CREATE POLICY app_within_scope ON {table} TO mdm_app USING (in_scope(ARRAY[brand], regions))"
        )


def downgrade() -> None:
    op.execute(
        "DROP TABLE quality_breach, quality_day; DROP FUNCTION stale_records(text, integer, text[], integer);"
        "DROP INDEX standard_record_by_versions; ALTER TABLE standard_record DROP COLUMN appraisal"
    )
