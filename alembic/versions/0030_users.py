"""Local users of the console and their sessions."""

import json

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

USERS = """
CREATE TABLE user_account (
  name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9._-]{0,62}$'),
  display_name text NOT NULL,
  password_hash text NOT NULL,
  scopes text[] NOT NULL,
  brands text[],
  regions text[],
  timezone text NOT NULL DEFAULT 'UTC',
  created_at timestamptz NOT NULL,
  disabled_at timestamptz,
  failures integer NOT NULL DEFAULT 0,
  locked_until timestamptz
);
CREATE TABLE user_session (
  token_hash bytea PRIMARY KEY,
  name text NOT NULL REFERENCES user_account ON DELETE CASCADE,
  begun_at timestamptz NOT NULL,
  seen_at timestamptz NOT NULL
);
CREATE INDEX user_session_by_name ON user_session (name, begun_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_account, user_session TO mdm_engine;

-- Whom they may see is said here, not what they are about: an account is no customer's row.
ALTER TABLE user_account ENABLE ROW LEVEL SECURITY;
CREATE POLICY engine_sees_all ON user_account TO mdm_engine USING (true) WITH CHECK (true);
"""


def upgrade() -> None:
    op.execute(USERS)
    for table in ("user_account", "user_session"):
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute("DROP TABLE user_session, user_account")
