"""Lists of tasks walk an index in the order in which they are shown; the tasks of a set are found by it.

And a task whose time has passed is told of once: when, it says itself.
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# A list is by (priority, task_id), both the greatest first: of an index with one of them the other way PostgreSQL sorts.
LISTS = """
DROP INDEX task_by_priority;
DROP INDEX task_by_closing;
CREATE INDEX task_by_priority ON task (priority, task_id) WHERE state = 'open';
CREATE INDEX task_by_closing ON task (closed_at, task_id) WHERE state = 'closed';
ALTER TABLE task ADD COLUMN escalated_at timestamptz;
CREATE INDEX task_by_due ON task (due_at) WHERE state = 'open' AND escalated_at IS NULL;
CREATE INDEX task_desk_by_set ON task_desk (set_id) WHERE set_id IS NOT NULL;
"""
BEFORE = """
DROP INDEX task_desk_by_set;
DROP INDEX task_by_due;
ALTER TABLE task DROP COLUMN escalated_at;
DROP INDEX task_by_priority;
DROP INDEX task_by_closing;
CREATE INDEX task_by_priority ON task (priority DESC, task_id) WHERE state = 'open';
CREATE INDEX task_by_closing ON task (closed_at) WHERE state = 'closed';
"""


def upgrade() -> None:
    op.execute(LISTS)


def downgrade() -> None:
    op.execute(BEFORE)
