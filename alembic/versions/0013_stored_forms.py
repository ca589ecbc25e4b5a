"""The comparison form is stored beside its record: a search then reads what it compares and makes nothing again.

Rows from before have none; their form is made from the record until they are standardized again.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE standard_record ADD COLUMN form text")


def downgrade() -> None:
    op.execute("ALTER TABLE standard_record DROP COLUMN form")
