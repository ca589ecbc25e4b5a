"""Jobs that are paused; what each chunk that was given up counted as failed."""

from alembic import op

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None

JOBS = """
ALTER TABLE job ADD COLUMN paused_at timestamptz;
ALTER TABLE job_chunk ADD COLUMN failed_units bigint NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    op.execute(JOBS)


def downgrade() -> None:
    op.execute("ALTER TABLE job DROP COLUMN paused_at; ALTER TABLE job_chunk DROP COLUMN failed_units")
