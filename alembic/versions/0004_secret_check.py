"""The database remembers a check value of the service's secret: with another secret, blocking keys would silently never meet."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE timeline ADD COLUMN secret_check bytea")


def downgrade() -> None:
    op.execute("ALTER TABLE timeline DROP COLUMN secret_check")
