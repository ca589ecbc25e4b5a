"""Checks of automatic merges: a task says of which share of its like it is one, so that precision follows from the answers."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE task ADD COLUMN share double precision CHECK (share > 0 AND share <= 1)")
    op.execute("CREATE INDEX task_by_audit ON task (closed_at) WHERE kind = 'audit'")


def downgrade() -> None:
    op.execute("DROP INDEX task_by_audit; ALTER TABLE task DROP COLUMN share")
