"""Roles, row-level scope, and the kernel's tables: keys, jobs, outbox, audit, idempotency, timeline."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Roles belong to the whole server, so several databases (and several migrations at once) may meet here.
ROLES = """
DO $$
DECLARE role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['mdm_engine', 'mdm_app'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    -- A superuser may take any role. Any other owner needs the membership, also in a role that it has just made itself: from
    -- PostgreSQL 16 on its maker may administer a role but not take it.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
      BEGIN
        EXECUTE format('GRANT %I TO %I', role_name, current_user);
      EXCEPTION WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN RAISE; END IF;
      END;
    END IF;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA public TO mdm_engine, mdm_app;
"""

# A session that has not said its scope sees nothing: current_setting(…, true) is NULL then.
SCOPE = """
CREATE FUNCTION in_scope(brands text[], regions text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (current_setting('mdm.brands', true) = '*'
          OR brands && string_to_array(current_setting('mdm.brands', true), ','))
     AND (current_setting('mdm.regions', true) = '*'
          OR regions && string_to_array(current_setting('mdm.regions', true), ','))
$$;
"""

# Append-only tables that grow are partitioned by month; a default partition makes sure that no row is ever refused.
PARTITIONS = """
CREATE FUNCTION ensure_month_partitions(parent regclass, months_ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE month_start date;
BEGIN
  FOR month_start IN
    SELECT generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months_ahead),
                           interval '1 month')::date
  LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                   parent::text || to_char(month_start, '_YYYY_MM'), parent, month_start, month_start + interval '1 month');
  END LOOP;
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %s DEFAULT', parent::text || '_default', parent);
END $$;
"""

TABLES = """
CREATE TABLE timeline (
  timeline_id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL
);
INSERT INTO timeline (timeline_id, reason) VALUES (gen_random_uuid(), 'created');

CREATE TABLE api_key (
  key_id text PRIMARY KEY,
  name text NOT NULL,
  secret_hash bytea NOT NULL,
  scopes text[] NOT NULL,
  brands text[],
  regions text[],
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);

CREATE TABLE job (
  job_id uuid PRIMARY KEY,
  kind text NOT NULL,
  fingerprint text,
  params jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'finished', 'failed', 'cancelled')),
  total_units bigint,
  done_units bigint NOT NULL DEFAULT 0,
  failed_units bigint NOT NULL DEFAULT 0,
  checkpoint jsonb NOT NULL DEFAULT '{}',
  result jsonb,
  error text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);
CREATE INDEX job_by_fingerprint ON job (kind, fingerprint);

CREATE TABLE job_chunk (
  chunk_id uuid PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  ordinal integer NOT NULL,
  params jsonb NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'leased', 'done', 'quarantined')),
  priority smallint NOT NULL DEFAULT 5,
  attempts smallint NOT NULL DEFAULT 0,
  lost_leases smallint NOT NULL DEFAULT 0,
  lease_owner text,
  lease_until timestamptz,
  rung_at timestamptz,
  error text,
  finished_at timestamptz,
  UNIQUE (job_id, ordinal)
);
CREATE INDEX job_chunk_open ON job_chunk (priority, job_id, ordinal) WHERE state IN ('queued', 'leased');

CREATE TABLE idempotency (
  principal text NOT NULL,
  idempotency_key text NOT NULL,
  request_hash bytea NOT NULL,
  status_code smallint,
  response bytea,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (principal, idempotency_key)
);

CREATE TABLE outbox (
  outbox_id bigint GENERATED ALWAYS AS IDENTITY,
  transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  created_at timestamptz NOT NULL DEFAULT now(),
  type text NOT NULL,
  subject_id uuid NOT NULL,
  subject_version bigint NOT NULL,
  body jsonb NOT NULL,
  PRIMARY KEY (outbox_id, created_at)
) PARTITION BY RANGE (created_at);
SELECT ensure_month_partitions('outbox', 3);

CREATE TABLE audit (
  audit_id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  object_type text NOT NULL,
  object_id text NOT NULL,
  purpose text,
  detail jsonb NOT NULL DEFAULT '{}',
  before_hash bytea,
  after_hash bytea,
  PRIMARY KEY (audit_id, at)
) PARTITION BY RANGE (at);
SELECT ensure_month_partitions('audit', 3);
CREATE INDEX audit_by_object ON audit (object_type, object_id, at);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON timeline, api_key, job, job_chunk, idempotency TO mdm_engine;
GRANT SELECT, INSERT ON outbox, audit TO mdm_engine, mdm_app;
GRANT SELECT ON timeline, api_key, job, job_chunk TO mdm_app;
GRANT UPDATE (last_used_at) ON api_key TO mdm_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO mdm_app;
"""


def upgrade() -> None:
    for script in (ROLES, SCOPE, PARTITIONS, TABLES, GRANTS):
        op.execute(script)


def downgrade() -> None:
    op.execute("DROP TABLE audit, outbox, idempotency, job_chunk, job, api_key, timeline")
    op.execute("DROP FUNCTION ensure_month_partitions(regclass, integer); DROP FUNCTION in_scope(text[], text[])")
