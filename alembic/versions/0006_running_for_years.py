"""What a service that runs for years needs: partitions made ahead by the running service, and no more rights than it uses."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The API's role reads neither past versions of golden records nor the log: none of these rows says whose brand it is.
UNSCOPED = "golden_version, founder, decision"


def upgrade() -> None:
    op.execute(
        "ALTER FUNCTION ensure_month_partitions(regclass, integer) SECURITY DEFINER SET search_path = public, pg_temp;"
        "REVOKE EXECUTE ON FUNCTION ensure_month_partitions(regclass, integer) FROM PUBLIC;"
        "GRANT EXECUTE ON FUNCTION ensure_month_partitions(regclass, integer) TO mdm_engine;"
        f"REVOKE SELECT ON {UNSCOPED} FROM mdm_app"
    )


def downgrade() -> None:
    op.execute(
        "ALTER FUNCTION ensure_month_partitions(regclass, integer) SECURITY INVOKER RESET search_path;"
        "GRANT EXECUTE ON FUNCTION ensure_month_partitions(regclass, integer) TO PUBLIC;"
        f"GRANT SELECT ON {UNSCOPED} TO mdm_app"
    )
