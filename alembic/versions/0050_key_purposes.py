"""An API key may be for one purpose: what it is answered is then under the limits that the policy sets for that purpose."""

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE api_key ADD COLUMN purpose text CHECK (purpose <> '')")


def downgrade() -> None:
    op.execute("ALTER TABLE api_key DROP COLUMN purpose")
