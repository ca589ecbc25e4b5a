"""The system of record: policy and version sets, source records, keys, decisions, golden records, steward tasks."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VERSIONS = """
CREATE TABLE policy_version (
  policy_version integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint text NOT NULL UNIQUE,
  body jsonb NOT NULL,
  source_text text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE model_version (
  fingerprint text PRIMARY KEY,
  name text NOT NULL,
  body jsonb NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE version_set (
  version_set_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  standardizer text NOT NULL,
  blocking text NOT NULL,
  model text NOT NULL REFERENCES model_version,
  policy_version integer NOT NULL REFERENCES policy_version,
  created_at timestamptz NOT NULL DEFAULT now(),
  is_current boolean NOT NULL DEFAULT false,
  UNIQUE (standardizer, blocking, model, policy_version)
);
CREATE UNIQUE INDEX one_current_version_set ON version_set (is_current) WHERE is_current;
"""

RECORDS = """
CREATE TABLE source_record (
  record_id uuid PRIMARY KEY,
  source text NOT NULL,
  source_key text NOT NULL,
  brand text NOT NULL,
  region text NOT NULL DEFAULT '',
  parent_source text,
  parent_key text,
  created_at timestamptz NOT NULL DEFAULT now(),
  version_no integer NOT NULL,
  is_deleted boolean NOT NULL,
  source_version bigint,
  source_updated_at timestamptz,
  received_at timestamptz NOT NULL,
  payload_hash bytea NOT NULL,
  rekeyed_to uuid REFERENCES source_record,
  UNIQUE (source, source_key)
);
CREATE INDEX source_record_by_parent ON source_record (parent_source, parent_key) WHERE parent_key IS NOT NULL;

-- One data key a record, wrapped by the service's key: destroying this row makes every payload of the record unreadable,
-- in backups as well.
CREATE TABLE record_data_key (
  record_id uuid PRIMARY KEY REFERENCES source_record,
  wrapped_key bytea NOT NULL
);

CREATE TABLE record_version (
  record_id uuid NOT NULL,
  version_no integer NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  source_version bigint,
  source_updated_at timestamptz,
  is_deleted boolean NOT NULL,
  payload_hash bytea NOT NULL,
  sealed_payload bytea,
  received_by text NOT NULL,
  channel text,
  PRIMARY KEY (record_id, version_no, received_at)
) PARTITION BY RANGE (received_at);
SELECT ensure_month_partitions('record_version', 3);

CREATE TABLE standard_record (
  record_id uuid PRIMARY KEY REFERENCES source_record,
  version_no integer NOT NULL,
  source text NOT NULL,
  source_key text NOT NULL,
  brand text NOT NULL,
  region text NOT NULL DEFAULT '',
  observed_at timestamptz NOT NULL,
  standardizer text NOT NULL,
  policy_version integer NOT NULL,
  form_hash bytea NOT NULL,
  body jsonb NOT NULL
);

CREATE TABLE blocking_key (
  blocking_key bigint NOT NULL,
  record_id uuid NOT NULL,
  rule smallint NOT NULL,
  PRIMARY KEY (blocking_key, record_id)
);
CREATE INDEX blocking_key_by_record ON blocking_key (record_id);

-- Keys whose population passed the limit when last looked at; a crossing, up or down, re-queues the records of the key.
CREATE TABLE hot_key (
  blocking_key bigint PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT now()
);

-- What resolution still owes: the truth behind every doorbell. A row goes when its record is resolved.
CREATE TABLE pending_record (
  record_id uuid PRIMARY KEY REFERENCES source_record,
  reason text NOT NULL,
  priority smallint NOT NULL DEFAULT 5,
  requested_at timestamptz NOT NULL DEFAULT now(),
  request_no bigint GENERATED ALWAYS AS IDENTITY,
  available_at timestamptz NOT NULL DEFAULT now(),
  rung_at timestamptz,
  lease_owner text,
  lease_until timestamptz,
  attempts smallint NOT NULL DEFAULT 0,
  lost_leases smallint NOT NULL DEFAULT 0,
  quarantined_at timestamptz,
  error text
);
CREATE INDEX pending_record_open ON pending_record (priority, available_at) WHERE quarantined_at IS NULL;

CREATE TABLE reject (
  reject_id uuid PRIMARY KEY,
  job_id uuid,
  source text,
  line_no bigint,
  code text NOT NULL,
  detail text NOT NULL,
  wrapped_key bytea,
  sealed_payload bytea,
  rejected_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX reject_by_job ON reject (job_id, line_no) WHERE job_id IS NOT NULL;
"""

DECISIONS = """
CREATE TABLE decision (
  decision_id uuid PRIMARY KEY,
  author text NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('match', 'no_match', 'review')),
  record_a uuid,
  record_b uuid,
  version_a integer,
  version_b integer,
  left_records uuid[],
  right_records uuid[],
  weight double precision,
  levels smallint[],
  reason_code text NOT NULL,
  reason text,
  version_set_id integer NOT NULL REFERENCES version_set,
  created_at timestamptz NOT NULL DEFAULT now(),
  superseded_at timestamptz,
  superseded_because text,
  checksum bytea NOT NULL,
  CHECK ((record_a IS NULL) = (record_b IS NULL)),
  CHECK ((record_a IS NULL) <> (left_records IS NULL)),
  CHECK (record_a < record_b)
);
CREATE UNIQUE INDEX decision_live_pair ON decision (record_a, record_b, author, version_set_id) WHERE superseded_at IS NULL;
CREATE INDEX decision_live_b ON decision (record_b) WHERE superseded_at IS NULL;
CREATE INDEX decision_live_left ON decision USING gin (left_records) WHERE superseded_at IS NULL;
CREATE INDEX decision_live_right ON decision USING gin (right_records) WHERE superseded_at IS NULL;
"""

GOLDEN = """
CREATE TABLE golden (
  golden_id uuid PRIMARY KEY,
  issue_no bigint GENERATED ALWAYS AS IDENTITY,
  issued_at timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL CHECK (status IN ('live', 'merged', 'ended', 'erased')),
  redirect_to uuid REFERENCES golden DEFERRABLE INITIALLY DEFERRED,
  split_into uuid[] NOT NULL DEFAULT '{}',
  version bigint NOT NULL,
  brands text[] NOT NULL,
  regions text[] NOT NULL DEFAULT '{""}',
  body jsonb NOT NULL,
  content_hash bytea NOT NULL,
  version_set_id integer NOT NULL REFERENCES version_set,
  computed_at timestamptz NOT NULL,
  CHECK ((status = 'merged') = (redirect_to IS NOT NULL))
);
CREATE INDEX golden_by_redirect ON golden (redirect_to) WHERE redirect_to IS NOT NULL;

CREATE TABLE golden_version (
  golden_id uuid NOT NULL,
  version bigint NOT NULL,
  computed_at timestamptz NOT NULL,
  status text NOT NULL,
  redirect_to uuid,
  members uuid[] NOT NULL,
  body jsonb NOT NULL,
  content_hash bytea NOT NULL,
  version_set_id integer NOT NULL,
  cause text NOT NULL,
  PRIMARY KEY (golden_id, version, computed_at)
) PARTITION BY RANGE (computed_at);
SELECT ensure_month_partitions('golden_version', 3);

-- Append-only: an id's founders never move, which is what lets ids come back after an undo (docs/adr).
CREATE TABLE founder (
  golden_id uuid NOT NULL REFERENCES golden DEFERRABLE INITIALLY DEFERRED,
  record_id uuid NOT NULL REFERENCES source_record,
  founded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (golden_id, record_id)
);
CREATE INDEX founder_by_record ON founder (record_id);

CREATE TABLE crosswalk (
  record_id uuid PRIMARY KEY REFERENCES source_record,
  source text NOT NULL,
  source_key text NOT NULL,
  brand text NOT NULL,
  region text NOT NULL DEFAULT '',
  state text NOT NULL CHECK (state IN ('pending', 'resolved', 'deleted', 'shadow')),
  golden_id uuid REFERENCES golden DEFERRABLE INITIALLY DEFERRED,
  version_no integer NOT NULL,
  resolved_at timestamptz,
  rung smallint NOT NULL DEFAULT 0, -- The rung of the ladder at which its component was small enough, when last looked at.
  UNIQUE (source, source_key),
  CHECK (state <> 'resolved' OR golden_id IS NOT NULL)
);
CREATE INDEX crosswalk_by_golden ON crosswalk (golden_id);

CREATE TABLE task (
  task_id uuid PRIMARY KEY,
  kind text NOT NULL,
  question_key text NOT NULL,
  golden_ids uuid[] NOT NULL,
  record_ids uuid[] NOT NULL,
  weight double precision,
  brands text[] NOT NULL,
  regions text[] NOT NULL DEFAULT '{""}',
  reason_code text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'closed')),
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_because text
);
CREATE UNIQUE INDEX task_open_question ON task (kind, question_key) WHERE state = 'open';
CREATE INDEX task_by_golden ON task USING gin (golden_ids) WHERE state = 'open';
"""

TABLES = (
    "policy_version", "model_version", "version_set", "source_record", "record_data_key", "record_version",
    "standard_record", "blocking_key", "hot_key", "pending_record", "reject", "decision", "golden", "golden_version", "founder",
    "crosswalk", "task",
)  # fmt: skip

# The columns that say whose row it is: the app role sees a row only within the caller's brands and regions.
SCOPED = {
    "source_record": "ARRAY[brand], ARRAY[region]",
    "standard_record": "ARRAY[brand], ARRAY[region]",
    "crosswalk": "ARRAY[brand], ARRAY[region]",
    "golden": "brands, regions",
    "task": "brands, regions",
}


def upgrade() -> None:
    for script in (VERSIONS, RECORDS, DECISIONS, GOLDEN):
        op.execute(script)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO mdm_engine")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE ON source_record, record_data_key, standard_record, crosswalk, pending_record TO mdm_app;"
        "GRANT SELECT, INSERT ON record_version, reject TO mdm_app;"
        "GRANT SELECT, INSERT, DELETE ON blocking_key TO mdm_app; GRANT DELETE ON standard_record TO mdm_app;"
        "GRANT SELECT ON policy_version, model_version, version_set, decision, golden, golden_version, founder, task TO mdm_app"
    )
    for table, scope in SCOPED.items():
        op.execute(
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY engine_sees_all ON {table} TO mdm_engine USING (true) WITH CHECK (true);"
            f"CREATE POLICY app_within_scope ON {table} TO mdm_app USING (in_scope({scope})) WITH CHECK (in_scope({scope}))"
        )


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(TABLES)} CASCADE")
