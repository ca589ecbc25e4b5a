"""Which adoption of a version set a record is still owed a resolution of: what the adoption's job counts."""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE pending_record ADD COLUMN adoption uuid")
    op.execute("CREATE INDEX pending_record_by_adoption ON pending_record (adoption) WHERE adoption IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX pending_record_by_adoption")
    op.execute("ALTER TABLE pending_record DROP COLUMN adoption")
