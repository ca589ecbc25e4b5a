"""Which attributes of records were let go of, and when: so that it is done once, and again for what came since."""

import json

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

BEHAVIOUR = {
    "merge": "unchanged", "unmerge": "unchanged", "export": "all", "erase": "delete", "retain": "with the record",
}  # fmt: skip


def upgrade() -> None:
    op.execute("""
CREATE TABLE value_release (
  record_id uuid NOT NULL,
  attribute text NOT NULL,
  released_at timestamptz NOT NULL,
  PRIMARY KEY (record_id, attribute)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON value_release TO mdm_engine;
""")
    op.execute(f"COMMENT ON TABLE value_release IS '{json.dumps(BEHAVIOUR)}'")


def downgrade() -> None:
    op.execute("DROP TABLE value_release")
