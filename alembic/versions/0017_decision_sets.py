"""Decisions that were made together, as from a file of merges known elsewhere, bear one set id: they are taken back together."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE decision ADD COLUMN set_id uuid;"
        "CREATE INDEX decision_live_set ON decision (set_id) WHERE set_id IS NOT NULL AND superseded_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX decision_live_set; ALTER TABLE decision DROP COLUMN set_id")
