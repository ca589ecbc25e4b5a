"""The consent ledger: entries with the records that each may speak of, and what parted those records. Append-only.

A contact point stands in an entry as a keyed hash; the point itself and the evidence stand beside it, where they can be erased.
What decides about a permission must not hang on the rows that a caller may see, so it is read and written by functions of the
owner, as searches are.
"""

import json

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE consent_entry (
  entry_no bigint GENERATED ALWAYS AS IDENTITY,
  entry_id uuid PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('given', 'renewed', 'implied', 'refused', 'withdrawn', 'suppressed', 'expired',
    'invalidated', 'lifted', 'requested', 'unknown')),
  recorded_at timestamptz NOT NULL,
  occurred_at timestamptz,
  contact bytea,
  contact_kind text CHECK (contact_kind IN ('email', 'phone', 'device')),
  channel text CHECK (channel IN ('email', 'sms', 'phone', 'post', 'push', 'messenger', 'in_store', 'web')),
  purpose text,
  brand text,
  jurisdiction text,
  basis text NOT NULL,
  origin text NOT NULL CHECK (origin IN ('subject', 'agent', 'system', 'import')),
  strength text NOT NULL CHECK (strength IN ('implied', 'soft', 'express', 'express_written')),
  method text NOT NULL,
  is_evidenced boolean NOT NULL,
  suppression text,
  implied_by text,
  asked_at timestamptz,
  expires_at timestamptz,
  lifts uuid REFERENCES consent_entry,
  notice text,
  evidence_hash bytea,
  source text,
  brought_by uuid,
  version_no integer,
  golden_id uuid,
  recorded_by text NOT NULL,
  CHECK (contact IS NOT NULL OR contact_kind IS NULL),
  CHECK ((state = 'lifted') = (lifts IS NOT NULL)),
  CHECK ((state = 'suppressed') = (suppression IS NOT NULL)),
  CHECK (state NOT IN ('given', 'renewed', 'implied') OR purpose IS NOT NULL)
);
CREATE UNIQUE INDEX consent_entry_by_no ON consent_entry (entry_no);
CREATE INDEX consent_entry_by_contact ON consent_entry (contact) WHERE contact IS NOT NULL;
CREATE INDEX consent_entry_by_lifted ON consent_entry (lifts) WHERE lifts IS NOT NULL;

-- Which records an entry may speak of. Of what speaks against, more may be added: those that were together with one that went.
CREATE TABLE consent_anchor (
  record_id uuid NOT NULL,
  entry_id uuid NOT NULL REFERENCES consent_entry,
  since timestamptz NOT NULL,
  PRIMARY KEY (record_id, entry_id)
);
CREATE INDEX consent_anchor_by_entry ON consent_anchor (entry_id);

-- A consent that was recorded for several records counts for none of them once they were apart, also when they meet again.
CREATE TABLE consent_parting (
  entry_id uuid PRIMARY KEY REFERENCES consent_entry,
  parted_at timestamptz NOT NULL
);

CREATE TABLE consent_detail (
  entry_id uuid PRIMARY KEY REFERENCES consent_entry,
  contact_point text,
  evidence jsonb,
  reason text
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_entry FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_anchor FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON consent_parting FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE consent_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON consent_entry TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON consent_entry FOR SELECT TO mdm_app
  USING (brand IS NULL OR in_scope(ARRAY[brand], string_to_array(current_setting('mdm.regions', true), ',')));
ALTER TABLE consent_detail ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON consent_detail TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON consent_detail FOR SELECT TO mdm_app
  USING (EXISTS (SELECT FROM consent_entry e WHERE e.entry_id = consent_detail.entry_id));
GRANT SELECT, INSERT ON consent_entry, consent_anchor, consent_parting TO mdm_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON consent_detail TO mdm_engine;
GRANT SELECT ON consent_entry, consent_anchor, consent_parting, consent_detail TO mdm_app;
"""

# Entries as a JSON list, each with its `records`; gives the ids that were not there before. What speaks against gains records
# when it is sent again: it was said while they were together.
APPEND = """
CREATE FUNCTION consent_append(entries json) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH n AS MATERIALIZED (
    SELECT * FROM json_to_recordset(entries) AS r (
      entry_id uuid, state text, recorded_at timestamptz, occurred_at timestamptz, contact text, contact_kind text, channel text,
      purpose text, brand text, jurisdiction text, basis text, origin text, strength text, method text, is_evidenced boolean,
      suppression text, implied_by text, asked_at timestamptz, expires_at timestamptz, lifts uuid, notice text,
      evidence_hash text, source text, brought_by uuid, version_no integer, golden_id uuid, recorded_by text, records uuid[],
      contact_point text, evidence jsonb, reason text)),
  added AS (
    INSERT INTO consent_entry (entry_id, state, recorded_at, occurred_at, contact, contact_kind, channel, purpose, brand,
      jurisdiction, basis, origin, strength, method, is_evidenced, suppression, implied_by, asked_at, expires_at, lifts, notice,
      evidence_hash, source, brought_by, version_no, golden_id, recorded_by)
    SELECT entry_id, state, recorded_at, occurred_at, decode(contact, 'hex'), contact_kind, channel, purpose, brand, jurisdiction,
      basis, origin, strength, method, is_evidenced, suppression, implied_by, asked_at, expires_at, lifts, notice,
      decode(evidence_hash, 'hex'), source, brought_by, version_no, golden_id, recorded_by
    FROM n ORDER BY entry_id
    ON CONFLICT (entry_id) DO NOTHING RETURNING entry_id),
  anchored AS (
    INSERT INTO consent_anchor (record_id, entry_id, since)
    SELECT DISTINCT r, n.entry_id, n.recorded_at FROM n CROSS JOIN LATERAL unnest(n.records) AS r
    WHERE n.entry_id IN (SELECT entry_id FROM added) OR n.state NOT IN ('given', 'renewed', 'implied')
    ON CONFLICT DO NOTHING),
  detailed AS (
    INSERT INTO consent_detail (entry_id, contact_point, evidence, reason)
    SELECT n.entry_id, n.contact_point, n.evidence, n.reason FROM n JOIN added USING (entry_id)
    WHERE num_nonnulls(n.contact_point, n.evidence, n.reason) > 0 ON CONFLICT DO NOTHING)
  SELECT entry_id FROM added
$$;
"""

# Consents whose records are apart; gives those of which that was not known.
PART = """
CREATE FUNCTION consent_part(entry_ids uuid[], at timestamptz) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO consent_parting (entry_id, parted_at)
  SELECT e.entry_id, at FROM consent_entry e
  WHERE e.entry_id = ANY(entry_ids) AND e.state IN ('given', 'renewed', 'implied') ORDER BY e.entry_id
  ON CONFLICT DO NOTHING RETURNING entry_id
$$;
"""

# Records that were together with one that went, of what speaks against the person.
ANCHOR = """
CREATE FUNCTION consent_anchor_to(entry_ids uuid[], record_ids uuid[], at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO consent_anchor (record_id, entry_id, since)
  SELECT n.record_id, n.entry_id, at FROM unnest(entry_ids, record_ids) AS n (entry_id, record_id)
  JOIN consent_entry e USING (entry_id) WHERE e.state NOT IN ('given', 'renewed', 'implied')
  ORDER BY n.record_id, n.entry_id ON CONFLICT DO NOTHING
$$;
"""

# Entries that are anchored to records, and what speaks against contact points whoever is meant by it. As at a time, of refusals
# of the same width the latest (or one of an unknown time) says what all say: a shared phone may have a hundred thousand.
ENTRIES = """
CREATE FUNCTION consent_entries(record_ids uuid[], contacts bytea[], latest_at timestamptz) RETURNS TABLE (
  entry_id uuid, state text, recorded_at timestamptz, occurred_at timestamptz, contact bytea, channel text, purpose text,
  brand text, jurisdiction text, origin text, strength text, is_evidenced boolean, suppression text, implied_by text,
  asked_at timestamptz, expires_at timestamptz, lifts uuid, records uuid[], parted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH ids AS MATERIALIZED (
    SELECT a.entry_id FROM unnest(record_ids) AS r CROSS JOIN LATERAL (
      SELECT entry_id FROM consent_anchor WHERE record_id = r OFFSET 0) AS a
    UNION
    SELECT e.entry_id FROM unnest(contacts) AS c CROSS JOIN LATERAL (
      SELECT entry_id, state FROM consent_entry WHERE contact = c OFFSET 0) AS e
    WHERE e.state NOT IN ('given', 'renewed', 'implied') AND (latest_at IS NULL OR e.state IN ('suppressed', 'lifted'))
    UNION
    SELECT e.entry_id FROM unnest(contacts) AS c CROSS JOIN LATERAL (
      SELECT DISTINCT ON (state, channel, purpose, brand) entry_id FROM consent_entry
      WHERE contact = c AND state NOT IN ('given', 'renewed', 'implied', 'suppressed', 'lifted') AND recorded_at <= latest_at
      ORDER BY state, channel, purpose, brand, occurred_at DESC NULLS FIRST, entry_id) AS e)
  SELECT e.entry_id, e.state, e.recorded_at, e.occurred_at, e.contact, e.channel, e.purpose, e.brand, e.jurisdiction, e.origin,
    e.strength, e.is_evidenced, e.suppression, e.implied_by, e.asked_at, e.expires_at, e.lifts, a.records, p.parted_at
  FROM ids CROSS JOIN LATERAL (SELECT * FROM consent_entry WHERE entry_id = ids.entry_id OFFSET 0) AS e
  CROSS JOIN LATERAL (SELECT array_agg(record_id ORDER BY record_id) AS records FROM consent_anchor
    WHERE entry_id = ids.entry_id) AS a
  LEFT JOIN LATERAL (SELECT parted_at FROM consent_parting WHERE entry_id = ids.entry_id) AS p ON true
$$;
"""

# The members of golden records (of a record that has none yet: itself), with what each says of contact points and places. A
# deleted record is a member until it is resolved, and holds nothing.
MEMBERS = """
CREATE FUNCTION consent_members(golden_ids uuid[], record_ids uuid[]) RETURNS TABLE (
  golden_id uuid, record_id uuid, emails jsonb, phones jsonb, addresses jsonb, consents jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.golden_id, c.record_id, s.body -> 'emails', s.body -> 'phones', s.body -> 'addresses', s.body -> 'consents'
  FROM (
    SELECT c.* FROM unnest(golden_ids) AS g CROSS JOIN LATERAL (
      SELECT golden_id, record_id FROM crosswalk WHERE golden_id = g OFFSET 0) AS c
    UNION ALL
    SELECT c.* FROM unnest(record_ids) AS r CROSS JOIN LATERAL (
      SELECT golden_id, record_id FROM crosswalk WHERE record_id = r AND golden_id IS NULL OFFSET 0) AS c) AS c
  LEFT JOIN LATERAL (SELECT body FROM standard_record WHERE record_id = c.record_id OFFSET 0) AS s ON true
$$;

-- The records that hold contact points, by the terms of searches, and under which golden ids they live.
CREATE FUNCTION consent_holders(terms text[]) RETURNS TABLE (term text, record_id uuid, golden_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT asked, t.record_id, c.golden_id FROM unnest(terms) AS asked
  CROSS JOIN LATERAL (SELECT record_id FROM search_term WHERE term = asked OFFSET 0) AS t
  CROSS JOIN LATERAL (SELECT golden_id FROM crosswalk WHERE record_id = t.record_id OFFSET 0) AS c
$$;

-- Under which golden ids records live.
CREATE FUNCTION consent_goldens(record_ids uuid[]) RETURNS TABLE (record_id uuid, golden_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.record_id, c.golden_id FROM unnest(record_ids) AS r
  CROSS JOIN LATERAL (SELECT record_id, golden_id FROM crosswalk WHERE record_id = r OFFSET 0) AS c
  WHERE c.golden_id IS NOT NULL
$$;

-- The live ones of golden records, with who may see them.
CREATE FUNCTION consent_standings(golden_ids uuid[]) RETURNS TABLE (
  golden_id uuid, version bigint, brands text[], regions text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT g.golden_id, g.version, g.brands, g.regions FROM unnest(golden_ids) AS asked
  CROSS JOIN LATERAL (SELECT * FROM golden WHERE golden_id = asked AND status = 'live' OFFSET 0) AS g
$$;

-- Let golden records keep their members until the transaction ends, also those of records. In the order of records, as resolution
-- locks them; whoever waited looks again who the members are.
CREATE FUNCTION consent_hold(golden_ids uuid[], record_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE held uuid[] := '{}'; wanted uuid[];
BEGIN
  LOOP
    SELECT coalesce(array_agg(m.record_id), '{}') INTO wanted FROM (
      SELECT unnest(record_ids) AS record_id
      UNION
      SELECT o.record_id FROM (
        SELECT g.live_id FROM unnest(golden_ids) AS asked CROSS JOIN LATERAL (
          SELECT coalesce(redirect_to, golden_id) AS live_id FROM golden WHERE golden_id = asked OFFSET 0) AS g
        UNION
        SELECT c.golden_id FROM unnest(record_ids) AS asked CROSS JOIN LATERAL (
          SELECT golden_id FROM crosswalk WHERE record_id = asked OFFSET 0) AS c) AS ids
      CROSS JOIN LATERAL (SELECT record_id FROM crosswalk WHERE golden_id = ids.live_id OFFSET 0) AS o) AS m;
    EXIT WHEN wanted <@ held;
    PERFORM FROM crosswalk WHERE record_id = ANY(wanted) ORDER BY record_id FOR KEY SHARE;
    held := held || wanted;
  END LOOP;
END $$;

-- Who was together with records when something was said of the person.
CREATE FUNCTION consent_companions(record_ids uuid[]) RETURNS TABLE (record_id uuid, companion uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.record_id, o.record_id FROM unnest(record_ids) AS r
  CROSS JOIN LATERAL (SELECT record_id, golden_id FROM crosswalk WHERE record_id = r OFFSET 0) AS c
  CROSS JOIN LATERAL (SELECT record_id FROM crosswalk WHERE golden_id = c.golden_id OFFSET 0) AS o
$$;
"""
FUNCTIONS = (
    "consent_append(json)", "consent_entries(uuid[], bytea[], timestamptz)", "consent_members(uuid[], uuid[])",
    "consent_holders(text[])", "consent_goldens(uuid[])", "consent_companions(uuid[])", "consent_standings(uuid[])",
    "consent_part(uuid[], timestamptz)", "consent_hold(uuid[], uuid[])", "consent_anchor_to(uuid[], uuid[], timestamptz)",
)  # fmt: skip
OF_LEDGER = {
    "merge": "unchanged: what counts is computed over the members", "unmerge": "unchanged", "export": "all",
    "erase": "keep: keyed hashes, so that no withdrawal is undone", "retain": "for good: proof of consent",
}  # fmt: skip
OF_ANCHORS = {
    "merge": "unchanged", "unmerge": "unchanged; withdrawals gain the records that stay", "export": "with the entry",
    "erase": "keep: ids", "retain": "with the entry",
}  # fmt: skip
OF_PARTINGS = {
    "merge": "unchanged", "unmerge": "append: a consent of several records counts no more", "export": "with the entry",
    "erase": "keep: ids", "retain": "with the entry",
}  # fmt: skip
OF_DETAIL = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "all",
    "erase": "by consents: also of contact points that nobody was known to hold", "retain": "with the source's rule",
}  # fmt: skip


def upgrade() -> None:
    for part in (TABLES, APPEND, PART, ANCHOR, ENTRIES, MEMBERS):
        op.execute(part)
    for function in FUNCTIONS:
        op.execute(
            f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO mdm_app, mdm_engine"
        )
    behaviours = {
        "consent_entry": OF_LEDGER, "consent_anchor": OF_ANCHORS, "consent_parting": OF_PARTINGS, "consent_detail": OF_DETAIL,
    }  # fmt: skip
    for table, behaviour in behaviours.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour).replace(chr(39), chr(39) * 2)}'")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE consent_detail, consent_parting, consent_anchor, consent_entry; DROP FUNCTION refuse_change()")
