"""Requests of people about their data, erasures, what is refused since; and what erasing means for every table, in closed words.

Until now a table said in free words what an erasure does to it. An erasure obeys these words, so each is one of five methods:
`delete` (the rows), `empty <columns>`, `with <table>` (they go with that one), `keep` (nothing personal) and `by <handler>`.
"""

import json

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

REQUESTS = """
CREATE TABLE privacy_request (
  request_id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('access', 'erasure', 'restriction', 'correction')),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'done', 'refused', 'cancelled')),
  golden_id uuid NOT NULL,
  anchor uuid,
  brands text[] NOT NULL,
  regions text[] NOT NULL,
  reference text CHECK (reference ~ '^[A-Za-z0-9._/-]{1,64}$'),
  received_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  extended_at timestamptz,
  identity text NOT NULL DEFAULT 'unchecked' CHECK (identity IN ('unchecked', 'passed', 'failed')),
  identity_method text,
  identity_by text,
  held_because text,
  opened_by text NOT NULL,
  opened_at timestamptz NOT NULL,
  closed_because text,
  closed_at timestamptz,
  job_id uuid,
  result jsonb
);
CREATE INDEX privacy_request_by_golden ON privacy_request (golden_id);
CREATE INDEX privacy_request_open ON privacy_request (due_at) WHERE state IN ('open', 'confirmed');

-- Who is asked about: each record with what ties it to the others, by ids and numbers only.
CREATE TABLE privacy_member (
  request_id uuid NOT NULL REFERENCES privacy_request ON DELETE CASCADE,
  record_id uuid NOT NULL,
  evidence jsonb NOT NULL,
  is_certain boolean NOT NULL,
  belongs boolean,
  answered_by text,
  answered_at timestamptz,
  PRIMARY KEY (request_id, record_id)
);
CREATE INDEX privacy_member_by_record ON privacy_member (record_id);
"""
# `entry_no` is the place in the file that is kept outside of this database: a database that lacks one is older than the file.
ERASURES = """
CREATE TABLE erasure (
  entry_no bigint PRIMARY KEY,
  entry_id uuid NOT NULL UNIQUE,
  request_id uuid,
  body jsonb NOT NULL,
  state text NOT NULL DEFAULT 'begun' CHECK (state IN ('begun', 'removed', 'done')),
  begun_at timestamptz NOT NULL,
  removed_at timestamptz,
  finished_at timestamptz
);
CREATE INDEX erasure_unfinished ON erasure (entry_no) WHERE state <> 'done';

-- Keyed hashes of what an erased person is recognised by. `facts` are hashes of names and births, under the digest of the row,
-- that tell them from others who share a contact point.
CREATE TABLE suppression (
  digest bytea NOT NULL,
  entry_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('key', 'unique', 'contact')),
  facts jsonb NOT NULL DEFAULT '{}',
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (digest, entry_id)
);
CREATE INDEX suppression_by_entry ON suppression (entry_id);
CREATE TABLE suppression_tally (
  source text NOT NULL,
  day date NOT NULL,
  kind text NOT NULL,
  refused bigint NOT NULL,
  PRIMARY KEY (source, day, kind)
);
"""
# Records whose use is restricted: they are kept, and answered to nobody. It counts for the whole golden record, wherever a record
# lives; with its owner's rights, for a caller may not see the member for whose sake it is.
RESTRICTED = """
CREATE TABLE restriction (
  record_id uuid NOT NULL,
  request_id uuid NOT NULL REFERENCES privacy_request ON DELETE CASCADE,
  since timestamptz NOT NULL,
  PRIMARY KEY (record_id, request_id)
);
CREATE INDEX restriction_by_request ON restriction (request_id);
CREATE FUNCTION is_restricted(asked uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM crosswalk c JOIN restriction r USING (record_id) WHERE c.golden_id = asked)
$$;
REVOKE EXECUTE ON FUNCTION is_restricted(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_restricted(uuid) TO mdm_app, mdm_engine;
"""
# Whoever stores records asks this first. A statement of a volatile function sees what was committed while it waited for the lock,
# which an erasure holds: so that nobody stores a record of a person who was erased a moment ago.
ASKED = """
CREATE FUNCTION anybody_erased() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('mdm.suppression', 0));
  RETURN EXISTS (SELECT FROM suppression);
END $$;
"""
UNTOUCHED = {"merge": "unchanged", "unmerge": "unchanged"}
NEW = {
    "privacy_request": {**UNTOUCHED, "export": "all", "erase": "keep: ids, states and times", "retain": "7 years"},
    "privacy_member": {**UNTOUCHED, "export": "all", "erase": "keep: ids and weights", "retain": "with its request"},
    "restriction": {
        "merge": "counts for all of it", "unmerge": "stays with its record", "export": "all", "erase": "delete",
        "retain": "until it is lifted",
    },
    "erasure": {**UNTOUCHED, "export": "no", "erase": "keep: ids and keyed hashes", "retain": "for ever"},
    "suppression": {**UNTOUCHED, "export": "no", "erase": "keep: keyed hashes", "retain": "until it is lifted"},
    "suppression_tally": {"customer": False},
}  # fmt: skip
# What an erasure does to each table that there was; what its comment says besides stays as it is.
ERASE = {
    "activity": "delete",
    "audit": "keep: ids and keyed hashes",
    "blocking_key": "delete",
    "certificate": "by certificates: keys among its examples",
    "crosswalk": "by records: a tombstone without a key",
    "crosswalk_version": "delete",
    "decision": "by decisions: the reason's words",
    "event": "keep: ids",
    "export": "by exports: files made before",
    "founder": "keep: ids",
    "golden": "by goldens: a tombstone (410)",
    "golden_version": "by goldens: values that come of the erased records",
    "idempotency": "by answers: those that name the erased records",
    "job_chunk": "keep: params hold ids",
    "lapsing_fact": "delete",
    "outbox": "keep: ids",
    "pending_record": "delete",
    "record_data_key": "delete: payloads become unreadable, in backups as well",
    "record_sighting": "delete",
    "record_version": "by records: a deletion stays",
    "record_withdrawal": "keep: ids",
    "reject": "by rejects: those that hold a value of the person",
    "search_term": "delete",
    "shadow_example": "delete",
    "source_record": "by records: a tombstone without a key",
    "standard_record": "delete",
    "steward_record": "by overrides: what was said of the erased records",
    "task": "by tasks: closed",
    "task_desk": "keep: ids and staff",
    "task_note": "delete",
    "webhook_delivery": "by deliveries: what endpoints answered",
}
BEFORE = {
    "activity": "delete", "audit": "hashes are keyed", "blocking_key": "delete", "certificate": "drop keys among examples",
    "crosswalk": "delete", "crosswalk_version": "delete", "decision": "kept without values", "event": "ids only",
    "export": "remove files", "founder": "ids only", "golden": "tombstone (410)", "golden_version": "body emptied",
    "idempotency": "delete by age", "job_chunk": "params hold ids only", "lapsing_fact": "delete", "outbox": "ids only",
    "pending_record": "delete", "record_data_key": "delete: payloads become unreadable", "record_sighting": "no values",
    "record_version": "data key destroyed", "record_withdrawal": "ids only", "reject": "data key destroyed",
    "search_term": "delete", "shadow_example": "delete", "source_record": "tombstone without key", "standard_record": "delete",
    "steward_record": "data key destroyed", "task": "closed", "task_desk": "with its task", "task_note": "delete",
    "webhook_delivery": "numbers only",
}  # fmt: skip
SCOPED = {
    "privacy_request": "wholly_in_scope(brands, regions)",
    "privacy_member": "EXISTS (SELECT FROM privacy_request r WHERE r.request_id = privacy_member.request_id)",
}


def _declare(words: dict[str, str]) -> None:
    for table, said in words.items():
        held = op.get_bind().exec_driver_sql(f"SELECT obj_description('{table}'::regclass, 'pg_class')").scalar_one()
        comment = json.dumps(json.loads(held) | {"erase": said}).replace("'", "''")
        op.execute(f"COMMENT ON TABLE {table} IS '{comment}'")


def upgrade() -> None:
    op.execute(REQUESTS)
    op.execute(ERASURES)
    op.execute(ASKED)
    op.execute(RESTRICTED)
    for table, behaviour in NEW.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO mdm_engine")
    for table, seen in SCOPED.items():
        op.execute(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; GRANT SELECT ON {table} TO mdm_app;"
            f"CREATE POLICY engine_sees_all ON {table} TO mdm_engine USING (true) WITH CHECK (true);"
            f"CREATE POLICY app_within_scope ON {table} FOR SELECT TO mdm_app USING ({seen})"
        )
    op.execute(
        "GRANT SELECT ON erasure, suppression, restriction TO mdm_app;"
        "GRANT SELECT, INSERT, UPDATE ON suppression_tally TO mdm_app"
    )
    _declare(ERASE)


def downgrade() -> None:
    _declare(BEFORE)
    op.execute("DROP FUNCTION anybody_erased(); DROP FUNCTION is_restricted(uuid); DROP TABLE restriction")
    op.execute("DROP TABLE suppression_tally, suppression, erasure, privacy_member, privacy_request")
