"""Terms by which people search golden records: words of names, contacts, numbers and postal codes of every record, in one index.

A trigram search under row-level security fell to a sequential scan of 1.9 s, so the searching function is its owner's and applies
the caller's scope by itself. Terms of the records that are stored already are made here, from their standard form.
"""

import json

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BEHAVIOUR = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "no, derived from the standard record", "erase": "delete",
    "retain": "with the record",
}  # fmt: skip
# Byte order, so that one index serves beginnings, equality and pages alike.
TABLE = """
CREATE TABLE search_term (
  term text COLLATE "C" NOT NULL,
  record_id uuid NOT NULL,
  brand text NOT NULL,
  region text NOT NULL,
  PRIMARY KEY (term, record_id) INCLUDE (brand, region)
);
CREATE INDEX search_term_by_record ON search_term (record_id, term);
ALTER TABLE search_term ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON search_term TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON search_term TO mdm_app
  USING (in_scope(ARRAY[brand], ARRAY[region])) WITH CHECK (in_scope(ARRAY[brand], ARRAY[region]));
GRANT SELECT, INSERT, DELETE ON search_term TO mdm_engine, mdm_app;
"""
# What mdm.search_terms.terms gives of a standard record, in SQL.
FILL = """
INSERT INTO search_term (term, record_id, brand, region)
SELECT DISTINCT left(t.term, 200), s.record_id, s.brand, s.region
FROM standard_record s CROSS JOIN LATERAL (
  SELECT 'n' || word FROM regexp_split_to_table(concat_ws(' ', s.body->'name'->>'given_folded', s.body->'name'->>'middle_folded',
    s.body->'name'->>'surname_folded', s.body->'name'->>'maiden_folded', s.body->>'company_key', s.body->>'company_form'),
    '[^a-z0-9]+') AS word
  UNION ALL SELECT 'e' || lower(one COLLATE "C") FROM jsonb_array_elements(s.body->'emails') AS e,
    unnest(ARRAY[e->>'value', e->>'key']) AS one
  UNION ALL SELECT 'p' || reverse(regexp_replace(p->>'value', '[^0-9]', '', 'g')) FROM jsonb_array_elements(s.body->'phones') AS p
  UNION ALL SELECT 'i' || upper(regexp_replace(one, '[^A-Za-z0-9]', '', 'g') COLLATE "C")
    FROM jsonb_array_elements(s.body->'identifiers') AS i, unnest(ARRAY[i->>'value', i->>'key']) AS one
  UNION ALL SELECT 'i' || upper(regexp_replace(one, '[^A-Za-z0-9]', '', 'g') COLLATE "C")
    FROM jsonb_array_elements(s.body->'loyalty_accounts') AS a, unnest(ARRAY[a->>'number', a->>'key']) AS one
  UNION ALL SELECT 'z' || upper(regexp_replace(one, '[^A-Za-z0-9]', '', 'g') COLLATE "C")
    FROM jsonb_array_elements(s.body->'addresses') AS z, unnest(ARRAY[z->>'postal_code', z->>'postal_key']) AS one
) AS t (term) WHERE length(t.term) > 1
"""
# One look. What is asked comes as ranges of terms: those of a criterion carry its number and how many of them one record must
# meet; those of one `side` can drive, and side 0 is that of a record's own key. The narrowest side drives: its terms are read in
# order from where the look before ended, at most `most_read`, of which at most `most_seen` are within the caller's scope; of the
# records that meet the driving criterion, the customers are held against all criteria, member by member. A customer stands where
# the first driving term of such a record does, so that it is told once over all looks. A row without a customer comes when terms
# were left unread, and says where to go on. Every table is read by an index, whatever the planner thinks of its size.
PAGE = """
CREATE FUNCTION search_page(
  lows text[], highs text[], criteria integer[], needed integer[], sides integer[], key_sources text[], wanted_key text,
  key_criterion integer, driver integer, after_term text, after_record uuid, most_read integer, most_seen integer,
  most_hits integer
) RETURNS TABLE (
  side integer, term text, record_id uuid, customer uuid, golden_id uuid, display_name text, source text, source_key text,
  criterion integer
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  asked integer := cardinality(ARRAY(SELECT DISTINCT one FROM unnest(criteria || key_criterion) AS one WHERE one IS NOT NULL));
  driving_criterion integer;
  driving_needed integer;
BEGIN
  IF driver IS NULL AND wanted_key IS NOT NULL THEN driver := 0; END IF;
  IF driver IS NULL THEN
    SELECT a.side INTO driver FROM unnest(lows, highs, sides) AS a (low, high, side) CROSS JOIN LATERAL (
      SELECT count(*) AS held FROM (
        SELECT FROM search_term t WHERE t.term >= a.low AND t.term <= a.high LIMIT most_read) AS every) AS counted
    GROUP BY a.side ORDER BY sum(counted.held), a.side LIMIT 1;
  END IF;
  SELECT a.criterion, a.needed INTO driving_criterion, driving_needed
    FROM unnest(criteria, needed, sides) AS a (criterion, needed, side) WHERE a.side = driver LIMIT 1;
  RETURN QUERY
  WITH driving AS MATERIALIZED ( -- One lower bound: of two, the index would begin at the row comparison's.
    SELECT a.low, a.high, greatest(a.low, after_term) AS start_term,
           CASE WHEN after_term >= a.low THEN after_record ELSE '00000000-0000-0000-0000-000000000000' END AS start_record
    FROM unnest(lows, highs, sides) AS a (low, high, side) WHERE a.side = driver),
  read AS MATERIALIZED (
    SELECT one.* FROM (
      SELECT t.* FROM driving CROSS JOIN LATERAL (
        SELECT t.term, t.record_id, t.brand, t.region FROM search_term t
        WHERE (t.term, t.record_id) > (driving.start_term, driving.start_record) AND t.term <= driving.high
        ORDER BY t.term, t.record_id LIMIT most_read) AS t
      UNION ALL
      SELECT '' COLLATE "C", c.record_id, c.brand, c.region FROM unnest(key_sources) AS k (source) CROSS JOIN LATERAL (
        SELECT * FROM crosswalk c WHERE c.source = k.source AND c.source_key = wanted_key LIMIT 1) AS c
      WHERE driver = 0 AND ('', c.record_id) > (after_term, after_record)
    ) AS one ORDER BY one.term, one.record_id LIMIT most_read),
  seen AS MATERIALIZED (
    SELECT r.term, r.record_id FROM read r WHERE in_scope(ARRAY[r.brand], ARRAY[r.region])
    ORDER BY r.term, r.record_id LIMIT most_seen),
  fitting AS MATERIALIZED (
    SELECT s.term, s.record_id FROM seen s WHERE coalesce(driving_needed, 1) = 1 OR driving_needed <= (
      SELECT count(*) FROM unnest(lows, highs, criteria) AS a (low, high, criterion) CROSS JOIN LATERAL (
        SELECT FROM search_term t WHERE t.record_id = s.record_id AND t.term >= a.low AND t.term <= a.high LIMIT 1) AS t
      WHERE a.criterion = driving_criterion)),
  places AS MATERIALIZED (
    SELECT DISTINCT ON (c.customer) c.customer, c.golden_id, s.term, s.record_id FROM fitting s CROSS JOIN LATERAL (
      SELECT coalesce(c.golden_id, c.record_id) AS customer, c.golden_id FROM crosswalk c
      WHERE c.record_id = s.record_id AND c.state IN ('resolved', 'pending') AND in_scope(ARRAY[c.brand], ARRAY[c.region])
      LIMIT 1) AS c
    ORDER BY c.customer, s.term, s.record_id),
  members AS MATERIALIZED (
    SELECT p.customer, m.* FROM places p CROSS JOIN LATERAL (
      SELECT c.record_id, c.source, c.source_key FROM crosswalk c
      WHERE c.golden_id = p.golden_id AND c.state IN ('resolved', 'pending') AND in_scope(ARRAY[c.brand], ARRAY[c.region])
      UNION ALL
      SELECT c.record_id, c.source, c.source_key FROM crosswalk c WHERE p.golden_id IS NULL AND c.record_id = p.record_id
      OFFSET 0) AS m),
  met AS MATERIALIZED (
    SELECT m.customer, m.record_id, m.source, m.source_key, a.criterion
    FROM members m CROSS JOIN unnest(lows, highs, criteria, needed) AS a (low, high, criterion, needed)
    CROSS JOIN LATERAL (
      SELECT FROM search_term t WHERE t.record_id = m.record_id AND t.term >= a.low AND t.term <= a.high LIMIT 1) AS t
    GROUP BY m.customer, m.record_id, m.source, m.source_key, a.criterion, a.needed HAVING count(*) >= a.needed
    UNION ALL
    SELECT m.customer, m.record_id, m.source, m.source_key, key_criterion FROM members m
    WHERE m.source_key = wanted_key AND m.source = ANY(key_sources)),
  told AS MATERIALIZED (
    SELECT m.customer FROM met m CROSS JOIN driving d CROSS JOIN LATERAL (
      SELECT FROM search_term t WHERE t.record_id = m.record_id AND t.term >= d.low AND t.term <= d.high
        AND (t.term, t.record_id) <= (after_term, after_record) LIMIT 1) AS t
    WHERE after_term <> '' AND m.criterion = driving_criterion
    UNION ALL
    SELECT m.customer FROM met m WHERE driver = 0 AND m.criterion = key_criterion AND m.record_id <= after_record),
  hits AS MATERIALIZED (
    SELECT p.* FROM places p
    WHERE p.customer IN (SELECT m.customer FROM met m GROUP BY m.customer HAVING count(DISTINCT m.criterion) = asked)
      AND p.customer NOT IN (SELECT t.customer FROM told t)
    ORDER BY p.term, p.record_id LIMIT most_hits),
  ended AS (
    (SELECT s.term, s.record_id FROM seen s WHERE (SELECT count(*) FROM seen) = most_seen
     ORDER BY s.term DESC, s.record_id DESC LIMIT 1)
    UNION ALL
    (SELECT r.term, r.record_id FROM read r
     WHERE (SELECT count(*) FROM seen) < most_seen AND (SELECT count(*) FROM read) = most_read
     ORDER BY r.term DESC, r.record_id DESC LIMIT 1))
  SELECT driver, h.term, h.record_id, h.customer, h.golden_id,
         (SELECT g.body->>'display_name' FROM golden g WHERE g.golden_id = h.golden_id), m.source, m.source_key, m.criterion
  FROM hits h JOIN met m ON m.customer = h.customer
  UNION ALL
  SELECT driver, e.term, e.record_id, NULL::uuid, NULL::uuid, NULL, NULL, NULL, NULL::integer FROM ended e;
END $$;
"""
SIGNATURE = (
    "search_page(text[], text[], integer[], integer[], integer[], text[], text, integer, integer, text, uuid, integer, integer,"
    " integer)"
)


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(f"COMMENT ON TABLE search_term IS '{json.dumps(BEHAVIOUR)}'")
    op.execute(FILL)
    op.execute(PAGE)
    op.execute(
        f"REVOKE EXECUTE ON FUNCTION {SIGNATURE} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {SIGNATURE} TO mdm_app, mdm_engine"
    )


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {SIGNATURE}; DROP TABLE search_term")
