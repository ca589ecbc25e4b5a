"""Entries of the consent ledger are read by whoever may see whose they are; links for customers can be revoked; what a second
person wrote of somebody is erased with them.

An entry without a brand was read by keys of any brand, and regions were not looked at.
"""

import json

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# With its owner's rights: a customer is seen by whoever may see any record of theirs, and what was said of them is of all of it.
# An entry of nobody is seen by whoever may see all regions.
SEEN = """
CREATE FUNCTION consent_entry_seen(asked uuid, of_brand text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM consent_anchor a JOIN crosswalk c USING (record_id) LEFT JOIN golden g USING (golden_id)
    WHERE a.entry_id = asked AND (in_scope(ARRAY[c.brand], ARRAY[c.region]) OR in_scope(g.brands, g.regions)))
  OR (in_scope(ARRAY[of_brand], '{}') AND NOT EXISTS (SELECT FROM consent_anchor a WHERE a.entry_id = asked))
$$;
DROP POLICY app_within_scope ON consent_entry;
CREATE POLICY app_within_scope ON consent_entry FOR SELECT TO mdm_app
  USING ((brand IS NULL OR in_scope(ARRAY[brand], string_to_array(current_setting('mdm.regions', true), ',')))
    AND consent_entry_seen(entry_id, brand));
"""
BEFORE = """
DROP POLICY app_within_scope ON consent_entry;
CREATE POLICY app_within_scope ON consent_entry FOR SELECT TO mdm_app
  USING (brand IS NULL OR in_scope(ARRAY[brand], string_to_array(current_setting('mdm.regions', true), ',')));
"""
# Whether a suppression was lifted does not hang on who may see the lift, or one that is said again would stay lifted.
LIFTS = """
CREATE FUNCTION consent_lifts(entry_ids uuid[]) RETURNS TABLE (lifts uuid, lifted_by text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT e.lifts, max(e.entry_id::text) FROM consent_entry e WHERE e.lifts = ANY(entry_ids) GROUP BY e.lifts
$$;
"""
# Links of these records, or one link, that were made up to a time are followed no more.
LINKS = """
CREATE TABLE consent_link_revocation (
  revocation_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  record_id uuid,
  link_id text,
  kinds text[] NOT NULL,
  revoked_at timestamptz NOT NULL,
  revoked_by text NOT NULL,
  CHECK (num_nonnulls(record_id, link_id) = 1)
);
CREATE INDEX consent_link_revocation_by_record ON consent_link_revocation (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX consent_link_revocation_by_link ON consent_link_revocation (link_id) WHERE link_id IS NOT NULL;
GRANT SELECT, INSERT ON consent_link_revocation TO mdm_engine;

CREATE FUNCTION consent_links_revoke(record_ids uuid[], named_id text, of_kinds text[], at timestamptz, by_actor text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO consent_link_revocation (record_id, kinds, revoked_at, revoked_by)
  SELECT r, of_kinds, at, by_actor FROM unnest(record_ids) AS r;
  INSERT INTO consent_link_revocation (link_id, kinds, revoked_at, revoked_by)
  SELECT named_id, of_kinds, at, by_actor WHERE named_id IS NOT NULL;
$$;

CREATE FUNCTION consent_links_revoked_at(of_record uuid, named_id text, of_kind text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT max(revoked_at) FROM (
    SELECT kinds, revoked_at FROM consent_link_revocation WHERE record_id = of_record
    UNION ALL SELECT kinds, revoked_at FROM consent_link_revocation WHERE link_id = named_id) AS said
  WHERE of_kind = ANY(kinds)
$$;
"""
FUNCTIONS = (
    "consent_entry_seen(uuid, text)", "consent_lifts(uuid[])",
    "consent_links_revoke(uuid[], text, text[], timestamptz, text)", "consent_links_revoked_at(uuid, text, text)",
)  # fmt: skip
OF_REVOCATIONS = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": "keep: ids", "retain": "five years, as links live",
}  # fmt: skip
ERASE = {"approval": "by approvals: the words of whoever decided"}
ERASED = {"approval": "keep: ids and counts"}


def _declare(words: dict[str, str]) -> None:
    for table, said in words.items():
        held = op.get_bind().exec_driver_sql(f"SELECT obj_description('{table}'::regclass, 'pg_class')").scalar_one()
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(json.loads(held) | {'erase': said})}'")


def upgrade() -> None:
    for part in (SEEN, LIFTS, LINKS):
        op.execute(part)
    op.execute(f"COMMENT ON TABLE consent_link_revocation IS '{json.dumps(OF_REVOCATIONS)}'")
    for function in FUNCTIONS:
        op.execute(
            f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {function} TO mdm_app, mdm_engine"
        )
    _declare(ERASE)


def downgrade() -> None:
    _declare(ERASED)
    op.execute(BEFORE)
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TABLE consent_link_revocation")
