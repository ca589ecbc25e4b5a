"""A second model that scores beside the current one without deciding: which, how often the two differed, and on which pairs."""

import json

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Counts are of pairs as often as they were scored; an example is a pair by the ids of its records, and holds no value of theirs.
SHADOWS = """
CREATE TABLE shadow_model (
  shadow_id uuid PRIMARY KEY,
  model text NOT NULL REFERENCES model_version,
  started_by text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE UNIQUE INDEX one_shadow ON shadow_model ((true)) WHERE ended_at IS NULL;
CREATE TABLE shadow_count (
  shadow_id uuid NOT NULL REFERENCES shadow_model,
  version_set_id integer NOT NULL REFERENCES version_set,
  verdict text NOT NULL,
  shadow_verdict text NOT NULL,
  pairs bigint NOT NULL,
  PRIMARY KEY (shadow_id, version_set_id, verdict, shadow_verdict)
);
CREATE TABLE shadow_example (
  shadow_id uuid NOT NULL REFERENCES shadow_model,
  record_a uuid NOT NULL,
  record_b uuid NOT NULL,
  verdict text NOT NULL,
  shadow_verdict text NOT NULL,
  weight double precision NOT NULL,
  shadow_weight double precision NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (shadow_id, record_a, record_b),
  CHECK (record_a < record_b)
);
CREATE INDEX shadow_example_by_other ON shadow_example (record_b);
CREATE INDEX shadow_example_by_one ON shadow_example (record_a);
"""
NO_CUSTOMER: dict[str, object] = {"customer": False}
BEHAVIOUR: dict[str, dict[str, object]] = {
    "shadow_model": NO_CUSTOMER,
    "shadow_count": NO_CUSTOMER,
    "shadow_example": {
        "merge": "unchanged", "unmerge": "unchanged", "export": "no", "erase": "delete",
        "retain": "until the next shadow begins",
    },
}  # fmt: skip


def upgrade() -> None:
    op.execute(SHADOWS)
    for table, behaviour in BEHAVIOUR.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(BEHAVIOUR)} TO mdm_engine")


def downgrade() -> None:
    op.execute("DROP TABLE shadow_example, shadow_count, shadow_model")
