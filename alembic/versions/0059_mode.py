"""The database keeps whether it is of a live or of a test service: a process of the other kind is refused by whatever it asks.

What was there before this is anybody's until the program next migrates it, which takes it as its own."""

from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE timeline ADD COLUMN mode text CHECK (mode IN ('live', 'test'))")


def downgrade() -> None:
    op.execute("ALTER TABLE timeline DROP COLUMN mode")
