"""The model speaks of pairs and stewards of two sets of records: so who looks for a steward's word need not read the pairs."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE decision ADD CONSTRAINT decision_sides CHECK ((author = 'model') = (record_a IS NOT NULL))")


def downgrade() -> None:
    op.execute("ALTER TABLE decision DROP CONSTRAINT decision_sides")
