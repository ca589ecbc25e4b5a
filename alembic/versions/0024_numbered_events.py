"""Events are numbered: the outbox is a queue that the sequencer empties into the log, whose numbers are dense.

What stands in the outbox from before is dropped: nobody could read it, and it does not say who moved.
"""

import json

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# What waits to be numbered. It is emptied all the time, so nothing of it needs to be partitioned.
QUEUE = """
DROP TABLE outbox;
CREATE TABLE outbox (
  outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  occurred_at timestamptz NOT NULL DEFAULT now(),
  type text NOT NULL,
  subject_id uuid NOT NULL,
  subject_version bigint NOT NULL,
  body jsonb NOT NULL,
  brands text[],
  regions text[],
  sources text[] NOT NULL DEFAULT '{}',
  load_id uuid
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
"""

LOG = """
CREATE TABLE event (
  seq bigint NOT NULL,
  numbered_at timestamptz NOT NULL DEFAULT now(),
  occurred_at timestamptz NOT NULL,
  type text NOT NULL,
  subject_id uuid NOT NULL,
  subject_version bigint NOT NULL,
  body jsonb NOT NULL,
  brands text[],
  regions text[],
  sources text[] NOT NULL,
  load_id uuid,
  PRIMARY KEY (seq, numbered_at)
) PARTITION BY RANGE (numbered_at);
SELECT ensure_month_partitions('event', 3);
CREATE INDEX event_by_subject ON event (subject_id, seq);
CREATE INDEX event_by_load ON event (load_id, seq) WHERE load_id IS NOT NULL;
CREATE TABLE event_counter (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  last_seq bigint NOT NULL,
  first_seq bigint NOT NULL  -- The first that is kept.
);
INSERT INTO event_counter (last_seq, first_seq) VALUES (0, 1);
"""

# Dropping a month is the owner's right; of no other table than the log may anybody else ask for it.
FORGET = """
CREATE FUNCTION forget_events(kept_days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE month text; months integer := 0;
BEGIN
  FOR month IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'event'::regclass AND c.relname ~ '^event_[0-9]{4}_[0-9]{2}$'
      AND to_date(substr(c.relname, 7), 'YYYY_MM') + interval '1 month' < now() - make_interval(days => kept_days)
    ORDER BY c.relname
  LOOP
    EXECUTE format('DROP TABLE %I', month);
    months := months + 1;
  END LOOP;
  IF months > 0 THEN
    UPDATE event_counter SET first_seq = coalesce((SELECT min(seq) FROM event), last_seq + 1);
  END IF;
  RETURN months;
END $$;
REVOKE ALL ON FUNCTION forget_events(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_events(integer) TO mdm_engine;
"""

# An event of no brand in particular is seen by whoever may see all brands: in_scope(NULL, NULL) holds for nobody else.
SCOPE = """
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON outbox TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_writes ON outbox FOR INSERT TO mdm_app WITH CHECK (true);
CREATE POLICY engine_sees_all ON event TO mdm_engine USING (true) WITH CHECK (true);
CREATE POLICY app_within_scope ON event FOR SELECT TO mdm_app USING (in_scope(brands, regions));
GRANT SELECT, INSERT, DELETE ON outbox TO mdm_engine;
GRANT INSERT ON outbox TO mdm_app;
GRANT SELECT, INSERT ON event TO mdm_engine;
GRANT SELECT ON event TO mdm_app;
GRANT SELECT, UPDATE ON event_counter TO mdm_engine;
GRANT SELECT ON event_counter TO mdm_app;
"""
BEHAVIOUR = {
    "outbox": {"merge": "append", "unmerge": "append", "export": "no", "erase": "ids only", "retain": "until numbered"},
    "event": {"merge": "append", "unmerge": "append", "export": "events sent", "erase": "ids only", "retain": "30 days"},
    "event_counter": {"customer": False},
}


def upgrade() -> None:
    for script in (QUEUE, LOG, FORGET, SCOPE):
        op.execute(script)
    for table, behaviour in BEHAVIOUR.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")


BACK = """
DROP FUNCTION forget_events(integer);
DROP TABLE event, event_counter;
DROP TABLE outbox;
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
GRANT SELECT, INSERT ON outbox TO mdm_engine, mdm_app;
"""


def downgrade() -> None:
    op.execute(BACK)
