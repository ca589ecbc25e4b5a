"""Whether a steward is asked about a golden id is asked of a function: under row security no index of arrays may be used, since
the operator might tell of rows that are out of scope, and with 17,000 open tasks each lookup read all of them (18 ms an id)."""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of a golden record that the caller sees, so of tasks in their scope: a task is of the brands of whom it names.
    op.execute(
        """CREATE FUNCTION is_in_review(asked uuid) RETURNS boolean
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
          RETURN EXISTS (SELECT FROM task WHERE state = 'open' AND golden_ids @> ARRAY[asked]
                         AND kind NOT IN ('audit', 'override_expired'));
        END $$;
        REVOKE EXECUTE ON FUNCTION is_in_review(uuid) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION is_in_review(uuid) TO mdm_app, mdm_engine"""
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION is_in_review(uuid)")
