"""A stored policy keeps every wording under which it was stored: one that means the same may be stored again for another reason.

Appended to, never changed; `policy_version.source_text` stays the first wording.
"""

import json

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        f"""CREATE TABLE policy_wording (
              wording_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
              policy_version integer NOT NULL REFERENCES policy_version,
              source_text text NOT NULL,
              written_by text NOT NULL,
              written_at timestamptz NOT NULL DEFAULT now()
            );
            CREATE INDEX policy_wording_by_version ON policy_wording (policy_version, wording_no);
            COMMENT ON TABLE policy_wording IS '{json.dumps({"customer": False})}';
            GRANT SELECT, INSERT ON policy_wording TO mdm_engine; GRANT SELECT ON policy_wording TO mdm_app"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE policy_wording")
