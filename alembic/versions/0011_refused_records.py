"""Records whose payload the mapping in force refuses: they stand as an older one read them, are told apart, and are not stale.

A record counts as last read by the versions that refused it, else by those that it stands as: the index is on that, so that
counting what waits for renewal never walks over what was refused.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE standard_record ADD COLUMN refusal text, ADD COLUMN refused_standardizer text, ADD COLUMN refused_policy integer;
DROP INDEX standard_record_by_versions;
CREATE INDEX standard_record_by_versions ON standard_record
  ((coalesce(refused_policy, policy_version)), (coalesce(refused_standardizer, standardizer)), source);
CREATE INDEX standard_record_refused ON standard_record (source, refused_policy, refused_standardizer) WHERE refusal IS NOT NULL;
"""
# Four ranges, as before: one condition with OR reads all of the index before it counts.
COUNTS = """
CREATE OR REPLACE FUNCTION stale_records(wanted_standardizer text, wanted_policy integer, wanted_sources text[], most integer)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*)::integer FROM (
    SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND coalesce(refused_policy, policy_version) < wanted_policy
    UNION ALL SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND coalesce(refused_policy, policy_version) > wanted_policy
    UNION ALL SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND coalesce(refused_policy, policy_version) = wanted_policy
        AND coalesce(refused_standardizer, standardizer) < wanted_standardizer
    UNION ALL SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND coalesce(refused_policy, policy_version) = wanted_policy
        AND coalesce(refused_standardizer, standardizer) > wanted_standardizer
    LIMIT most) AS stale
$$;
CREATE FUNCTION refused_records(wanted_standardizer text, wanted_policy integer, wanted_sources text[], most integer)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*)::integer FROM (
    SELECT 1 FROM standard_record
      WHERE refusal IS NOT NULL AND source = ANY(wanted_sources)
        AND refused_policy = wanted_policy AND refused_standardizer = wanted_standardizer
    LIMIT most) AS refused
$$;
REVOKE EXECUTE ON FUNCTION refused_records(text, integer, text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refused_records(text, integer, text[], integer) TO mdm_app, mdm_engine;
"""
BEFORE = """
DROP FUNCTION refused_records(text, integer, text[], integer);
CREATE OR REPLACE FUNCTION stale_records(wanted_standardizer text, wanted_policy integer, wanted_sources text[], most integer)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*)::integer FROM (
    SELECT 1 FROM standard_record
      WHERE source = ANY(wanted_sources) AND (policy_version, standardizer) <> (wanted_policy, wanted_standardizer)
    LIMIT most) AS stale
$$;
DROP INDEX standard_record_refused; DROP INDEX standard_record_by_versions;
ALTER TABLE standard_record DROP COLUMN refusal, DROP COLUMN refused_standardizer, DROP COLUMN refused_policy;
CREATE INDEX standard_record_by_versions ON standard_record (policy_version, standardizer, source)
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(COUNTS)


def downgrade() -> None:
    op.execute(BEFORE)
