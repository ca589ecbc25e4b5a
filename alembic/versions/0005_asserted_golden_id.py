"""The golden id that a customer confirmed at a source, as a column: both sides of an assertion must find each other."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE standard_record ADD COLUMN asserted_golden_id uuid;"
        "CREATE INDEX standard_record_by_assertion ON standard_record (asserted_golden_id) WHERE asserted_golden_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE standard_record DROP COLUMN asserted_golden_id")
