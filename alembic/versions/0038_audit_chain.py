"""The audit log gets its chain: a seal for every row, signed checkpoints, and what the sealer knows of rows still to come."""

import json

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

CHAIN = """
CREATE TABLE audit_seal (
  seq bigint NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  audit_id bigint NOT NULL,
  hash bytea NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (seq, sealed_at)
) PARTITION BY RANGE (sealed_at);
SELECT ensure_month_partitions('audit_seal', 3);
CREATE INDEX audit_seal_by_row ON audit_seal (audit_id);
CREATE TABLE audit_checkpoint (
  timeline_id uuid NOT NULL,
  seq bigint NOT NULL,
  signed_at timestamptz NOT NULL DEFAULT now(),
  body bytea NOT NULL,
  signature bytea NOT NULL,
  PRIMARY KEY (timeline_id, seq)
);
CREATE TABLE audit_chain (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  last_seq bigint NOT NULL DEFAULT 0,
  last_hash bytea,
  settled_id bigint NOT NULL DEFAULT 0,  -- No row with an id up to this one is still to come.
  watched_id bigint,                     -- The next such id, once the transactions named here are over.
  watched text[] NOT NULL DEFAULT '{}'
);
GRANT SELECT, INSERT ON audit_seal, audit_checkpoint TO mdm_engine;
GRANT SELECT, INSERT, UPDATE ON audit_chain TO mdm_engine;
"""
SEALED = {"merge": "append", "unmerge": "append", "export": "no", "erase": "keep: hashes of ids", "retain": "7 years"}
BEHAVIOUR = {"audit_seal": SEALED, "audit_checkpoint": {"customer": False}, "audit_chain": {"customer": False}}


def upgrade() -> None:
    op.execute(CHAIN)
    for table, behaviour in BEHAVIOUR.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")


def downgrade() -> None:
    op.execute("DROP TABLE audit_chain, audit_checkpoint, audit_seal")
