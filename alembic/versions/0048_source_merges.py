"""Merges that a source asserts yield to what stewards and the records themselves say, and are asked about until then."""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE decision ADD COLUMN yields boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE decision DROP COLUMN yields")
