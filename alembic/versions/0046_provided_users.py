"""Users of whom an identity provider speaks, and which of their sign-ins were used."""

import json

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

# The wider rule is checked on what comes; every name that there is keeps the narrower one. So neither reads the table.
PROVIDED = """
ALTER TABLE user_account ADD COLUMN issuer text;
ALTER TABLE user_account DROP CONSTRAINT user_account_name_check;
ALTER TABLE user_account ADD CONSTRAINT user_account_name_check CHECK (
  CASE WHEN issuer IS NULL THEN name ~ '^[a-z][a-z0-9._-]{0,62}$' ELSE name ~ '^oidc:[A-Za-z0-9_.|-]{1,100}$' END) NOT VALID;
CREATE TABLE provider_sign_in (state_hash bytea PRIMARY KEY, used_at timestamptz NOT NULL);
CREATE INDEX provider_sign_in_used ON provider_sign_in (used_at);
GRANT SELECT, INSERT, DELETE ON provider_sign_in TO mdm_engine;
"""
LOCAL = """
DROP TABLE provider_sign_in;
DELETE FROM user_account WHERE issuer IS NOT NULL;
ALTER TABLE user_account DROP CONSTRAINT user_account_name_check, DROP COLUMN issuer;
ALTER TABLE user_account ADD CONSTRAINT user_account_name_check CHECK (name ~ '^[a-z][a-z0-9._-]{0,62}$') NOT VALID;
"""


def upgrade() -> None:
    op.execute(PROVIDED)
    op.execute(f"COMMENT ON TABLE provider_sign_in IS '{json.dumps({'customer': False})}'")


def downgrade() -> None:
    op.execute(LOCAL)
