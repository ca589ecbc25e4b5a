"""The stewards' queue: how urgent a task is, who works at it, what was said of it, and why it closed."""

import json

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

QUEUE = """
ALTER TABLE task ADD COLUMN priority double precision NOT NULL DEFAULT 0, ADD COLUMN priority_parts jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN due_at timestamptz, ADD COLUMN decision_id uuid;
CREATE INDEX task_by_priority ON task (priority DESC, task_id) WHERE state = 'open';
CREATE INDEX task_by_closing ON task (closed_at) WHERE state = 'closed';

-- One row a task. The question is the projection's, all of this is the stewards'.
CREATE TABLE task_desk (
  task_id uuid PRIMARY KEY REFERENCES task ON DELETE CASCADE,
  version integer NOT NULL DEFAULT 0,
  holder text,
  held_since timestamptz,
  held_until timestamptz,
  assignee text,
  deferred_until timestamptz,
  settled_by text,
  verdict text,
  decision_id uuid,
  set_id uuid,
  settled_at timestamptz,
  worked_seconds double precision,
  CHECK ((holder IS NULL) = (held_until IS NULL))
);
INSERT INTO task_desk (task_id) SELECT task_id FROM task;
CREATE INDEX task_desk_by_holder ON task_desk (holder) WHERE holder IS NOT NULL;
CREATE INDEX task_desk_by_settling ON task_desk (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE task_note (
  note_id uuid PRIMARY KEY,
  task_id uuid NOT NULL REFERENCES task ON DELETE CASCADE,
  act text NOT NULL,
  author text NOT NULL,
  words text,
  noted_at timestamptz NOT NULL
);
CREATE INDEX task_note_by_task ON task_note (task_id, note_id);
"""
BEHAVIOUR = {
    "task_desk": {
        "merge": "stays with its task", "unmerge": "stays with its task", "export": "none", "erase": "with its task",
        "retain": "with its task",
    },
    "task_note": {
        "merge": "stays with its task", "unmerge": "stays with its task", "export": "all", "erase": "delete",
        "retain": "with its task",
    },
}  # fmt: skip
# Whoever may see a task may see what is done about it: the row policy of `task` holds inside of the subquery too.
SEEN = "EXISTS (SELECT FROM task t WHERE t.task_id = {table}.task_id)"


def upgrade() -> None:
    op.execute(QUEUE)
    for table, behaviour in BEHAVIOUR.items():
        seen = SEEN.format(table=table)
        op.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO mdm_engine; GRANT SELECT, INSERT, UPDATE ON {table} TO mdm_app;"
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
            f"CREATE POLICY engine_sees_all ON {table} TO mdm_engine USING (true) WITH CHECK (true);"
            f"CREATE POLICY app_within_scope ON {table} TO mdm_app USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(f"COMMENT ON TABLE {table} IS '{json.dumps(behaviour)}'")


def downgrade() -> None:
    op.execute("DROP TABLE task_note, task_desk; DROP INDEX task_by_priority, task_by_closing")
    op.execute("ALTER TABLE task DROP COLUMN priority, DROP COLUMN priority_parts, DROP COLUMN due_at, DROP COLUMN decision_id")
