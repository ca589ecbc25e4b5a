"""Roles of keys and users, who is an agent, and how much a key may ask."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# Columns without a rewrite: what is there has no role, and goes on as it did.
ROLES = """
ALTER TABLE api_key ADD COLUMN role text, ADD COLUMN kind text NOT NULL DEFAULT 'service',
  ADD COLUMN requests_per_minute integer, ADD COLUMN identifiers_per_hour integer,
  ADD CONSTRAINT api_key_kind CHECK (kind IN ('person', 'service', 'agent')),
  ADD CONSTRAINT api_key_limits CHECK (requests_per_minute > 0 AND identifiers_per_hour > 0);
ALTER TABLE user_account ADD COLUMN role text;
"""


def upgrade() -> None:
    op.execute(ROLES)


def downgrade() -> None:
    op.execute("ALTER TABLE user_account DROP COLUMN role")
    op.execute(
        "ALTER TABLE api_key DROP COLUMN role, DROP COLUMN kind, DROP COLUMN requests_per_minute,"
        " DROP COLUMN identifiers_per_hour"
    )
