"""How often somebody revealed values lately."""

import json

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

# The audit log says who revealed what and why, for good; counting there would read a month of it each time.
REVEAL = """
CREATE TABLE reveal (actor text NOT NULL, at timestamptz NOT NULL);
CREATE INDEX reveal_by_actor ON reveal (actor, at);
GRANT SELECT, INSERT, DELETE ON reveal TO mdm_engine;
"""


def upgrade() -> None:
    op.execute(REVEAL)
    op.execute(f"COMMENT ON TABLE reveal IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute("DROP TABLE reveal")
