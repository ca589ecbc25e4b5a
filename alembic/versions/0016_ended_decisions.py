"""Decisions that ended are found by the records they named: a golden record's history says why a record had joined it."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX decision_ended_a ON decision (record_a) WHERE superseded_at IS NOT NULL AND record_a IS NOT NULL;"
        "CREATE INDEX decision_ended_b ON decision (record_b) WHERE superseded_at IS NOT NULL AND record_a IS NOT NULL;"
        "CREATE INDEX decision_ended_stewards ON decision (decision_id) WHERE superseded_at IS NOT NULL AND record_a IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX decision_ended_a, decision_ended_b, decision_ended_stewards")
