"""A contact point of a crowd: so many of its holders and of its entries are read as are asked for, whatever their number, and who
holds it is told by a job of what is said against it."""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

# Of each term so many records as are wanted; NULL: all.
HOLDERS = """
DROP FUNCTION consent_holders(text[]);
CREATE FUNCTION consent_holders(terms text[], most integer DEFAULT NULL) RETURNS TABLE (term text, record_id uuid, golden_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT asked, t.record_id, c.golden_id FROM unnest(terms) AS asked
  CROSS JOIN LATERAL (SELECT record_id FROM search_term WHERE term = asked LIMIT most) AS t
  CROSS JOIN LATERAL (SELECT golden_id FROM crosswalk WHERE record_id = t.record_id OFFSET 0) AS c
$$;
"""
BEFORE = """
DROP FUNCTION consent_holders(text[], integer);
CREATE FUNCTION consent_holders(terms text[]) RETURNS TABLE (term text, record_id uuid, golden_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT asked, t.record_id, c.golden_id FROM unnest(terms) AS asked
  CROSS JOIN LATERAL (SELECT record_id FROM search_term WHERE term = asked OFFSET 0) AS t
  CROSS JOIN LATERAL (SELECT golden_id FROM crosswalk WHERE record_id = t.record_id OFFSET 0) AS c
$$;
"""

# As of 0033, but of what speaks against a contact point the index gives the latest of each width without a sort, and the few
# suppressions without the rest: of 14,000 refusals of a phone 14 ms and not 400.
AGAINST = """
CREATE INDEX consent_entry_against ON consent_entry
  (contact, state, channel, purpose, brand, occurred_at DESC NULLS FIRST, entry_id) INCLUDE (recorded_at)
  WHERE contact IS NOT NULL AND state NOT IN ('given', 'renewed', 'implied');
"""
ENTRIES = """
CREATE OR REPLACE FUNCTION consent_entries(record_ids uuid[], contacts bytea[], latest_at timestamptz) RETURNS TABLE (
  entry_id uuid, state text, recorded_at timestamptz, occurred_at timestamptz, contact bytea, channel text, purpose text,
  brand text, jurisdiction text, origin text, strength text, is_evidenced boolean, suppression text, implied_by text,
  asked_at timestamptz, expires_at timestamptz, lifts uuid, records uuid[], parted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH ids AS MATERIALIZED (
    SELECT a.entry_id FROM unnest(record_ids) AS r CROSS JOIN LATERAL (
      SELECT entry_id FROM consent_anchor WHERE record_id = r OFFSET 0) AS a
    UNION
    SELECT e.entry_id FROM unnest(contacts) AS c CROSS JOIN LATERAL (
      SELECT entry_id FROM consent_entry
      WHERE contact = c AND state NOT IN ('given', 'renewed', 'implied') AND state IN ('suppressed', 'lifted') OFFSET 0) AS e
    UNION
    SELECT e.entry_id FROM unnest(contacts) AS c CROSS JOIN LATERAL (
      SELECT DISTINCT ON (state, channel, purpose, brand) entry_id FROM consent_entry
      WHERE contact = c AND state NOT IN ('given', 'renewed', 'implied') AND state NOT IN ('suppressed', 'lifted')
        AND recorded_at <= latest_at
      ORDER BY state, channel, purpose, brand, occurred_at DESC NULLS FIRST, entry_id) AS e)
  SELECT e.entry_id, e.state, e.recorded_at, e.occurred_at, e.contact, e.channel, e.purpose, e.brand, e.jurisdiction, e.origin,
    e.strength, e.is_evidenced, e.suppression, e.implied_by, e.asked_at, e.expires_at, e.lifts, a.records, p.parted_at
  FROM ids CROSS JOIN LATERAL (SELECT * FROM consent_entry WHERE entry_id = ids.entry_id OFFSET 0) AS e
  CROSS JOIN LATERAL (SELECT array_agg(record_id ORDER BY record_id) AS records FROM consent_anchor
    WHERE entry_id = ids.entry_id) AS a
  LEFT JOIN LATERAL (SELECT parted_at FROM consent_parting WHERE entry_id = ids.entry_id) AS p ON true
$$;
"""

# What may speak of records, and what speaks against contact points, until a time and of some brands: the last recorded first.
LISTED = """
CREATE FUNCTION consent_listed(record_ids uuid[], contacts bytea[], until timestamptz, of_brands text[], most integer)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT e.entry_id FROM (
    SELECT a.entry_id FROM consent_anchor a WHERE a.record_id = ANY(record_ids)
    UNION
    SELECT n.entry_id FROM consent_entry n WHERE n.contact = ANY(contacts) AND n.state NOT IN ('given', 'renewed', 'implied')
  ) AS ids JOIN consent_entry e USING (entry_id)
  WHERE e.recorded_at <= until AND (of_brands IS NULL OR e.brand IS NULL OR e.brand = ANY(of_brands))
  ORDER BY e.recorded_at DESC, e.entry_id DESC LIMIT most
$$;
"""

# A job for whoever holds a contact point; what comes before somebody begins it is told by the one that waits. Whoever records in
# the row scope of a key writes no jobs.
LATER = """
CREATE FUNCTION consent_tell_later(of_contact bytea, since timestamptz, new_job uuid, new_chunk uuid) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  named text := encode(of_contact, 'hex');
  said text := to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"');
BEGIN
  UPDATE job_chunk SET params = params || jsonb_build_object('since', least(params ->> 'since', said)) WHERE chunk_id = (
    SELECT c.chunk_id FROM job j JOIN job_chunk c USING (job_id)
    WHERE j.kind = 'consent_crowd' AND j.fingerprint = named AND j.state = 'queued' AND c.state = 'queued'
    ORDER BY c.chunk_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED);
  IF FOUND THEN
    RETURN;
  END IF;
  INSERT INTO job (job_id, kind, fingerprint, created_by) VALUES (new_job, 'consent_crowd', named, 'consent');
  INSERT INTO job_chunk (chunk_id, job_id, ordinal, priority, params)
  VALUES (new_chunk, new_job, 1, 3, jsonb_build_object('contact', named, 'since', said));
END $$;
"""
FUNCTIONS = (
    "consent_holders(text[], integer)", "consent_listed(uuid[], bytea[], timestamptz, text[], integer)",
    "consent_tell_later(bytea, timestamptz, uuid, uuid)",
)  # fmt: skip


def upgrade() -> None:
    for part in (HOLDERS, AGAINST, ENTRIES, LISTED, LATER):
        op.execute(part)
    for function in FUNCTIONS:
        _grant(function)


def downgrade() -> None:
    op.execute(BEFORE)
    _grant("consent_holders(text[])")
    for function in FUNCTIONS[1:]:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP INDEX consent_entry_against")  # Without it `consent_entries` says the same, later.


def _grant(function: str) -> None:
    op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO mdm_app, mdm_engine")
