"""An API key may be for one purpose; and which records are of sources that are kept out of a purpose, read for whoever asks."""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

FUNCTION = "consent_sources(uuid[], text[])"


def upgrade() -> None:
    op.execute("ALTER TABLE api_key ADD COLUMN purpose text CHECK (purpose <> '')")
    op.execute("""
CREATE FUNCTION consent_sources(record_ids uuid[], sources text[]) RETURNS TABLE (record_id uuid, source text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT s.record_id, s.source FROM unnest(record_ids) AS r
  CROSS JOIN LATERAL (SELECT record_id, source FROM source_record WHERE record_id = r OFFSET 0) AS s
  WHERE s.source = ANY(sources)
$$""")
    op.execute(f"REVOKE EXECUTE ON FUNCTION {FUNCTION} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {FUNCTION} TO mdm_app, mdm_engine")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.execute("ALTER TABLE api_key DROP COLUMN purpose")
