"""A consent that was narrowed is found by its type, as is what else must not wait: a subscriber may hear of that alone."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

BEFORE = "'golden.merged', 'golden.erased', 'consent.changed'"


def upgrade() -> None:
    op.execute("DROP INDEX event_urgent")
    op.execute(f"CREATE INDEX event_urgent ON event (type, seq) WHERE type IN ({BEFORE}, 'consent.narrowed')")


def downgrade() -> None:
    op.execute("DROP INDEX event_urgent")
    op.execute(f"CREATE INDEX event_urgent ON event (type, seq) WHERE type IN ({BEFORE})")
