"""Decisions that were made elsewhere say when: `created_at` is when they came to rule here."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE decision ADD COLUMN said_at timestamptz;"
        "CREATE INDEX decision_live_by_author ON decision (author, created_at) WHERE superseded_at IS NULL AND record_a IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX decision_live_by_author; ALTER TABLE decision DROP COLUMN said_at")
