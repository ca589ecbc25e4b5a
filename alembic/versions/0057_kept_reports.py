"""Keep the report of each month as it was last told, and name the open tasks of a golden record by an index: under row security
no index of arrays may be used, and the page of a customer read every open task."""

import json

from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

# One row a month: the last that was told. Names of sources, kinds and people who work here, never of a customer.
KEPT = """
CREATE TABLE kept_report (
  month text PRIMARY KEY CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
  told_at timestamptz NOT NULL,
  measures jsonb NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON kept_report TO mdm_engine;
"""
# Ids alone, whatever the scope of whoever asks: which of these tasks they may see is asked of the tasks.
TASKS = """
CREATE FUNCTION open_tasks_of(asked uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  RETURN ARRAY(SELECT task_id FROM task WHERE state = 'open' AND golden_ids @> ARRAY[asked]);
END $$;
REVOKE EXECUTE ON FUNCTION open_tasks_of(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_tasks_of(uuid) TO mdm_app, mdm_engine
"""


def upgrade() -> None:
    op.execute(KEPT)
    op.execute(f"COMMENT ON TABLE kept_report IS '{json.dumps({'customer': False})}'")
    op.execute(TASKS)


def downgrade() -> None:
    op.execute("DROP FUNCTION open_tasks_of(uuid)")
    op.execute("DROP TABLE kept_report")
