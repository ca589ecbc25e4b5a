"""Stewards' live decisions stand in an index of their own: whoever looks for their word need not read the model's."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX decision_live_stewards ON decision (decision_id) WHERE superseded_at IS NULL AND record_a IS NULL")


def downgrade() -> None:
    op.execute("DROP INDEX decision_live_stewards")
