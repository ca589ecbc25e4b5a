"""Exact copies of a record are found by their form, in the order of ids, however many there are."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX standard_record_by_form ON standard_record (form_hash, record_id)")


def downgrade() -> None:
    op.execute("DROP INDEX standard_record_by_form")
