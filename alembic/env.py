"""Runs the migrations as the owner, one transaction for all of them, one process at a time."""

from alembic import context

from kernel.db import Role, engine

# Two services that start at once must not both migrate; the number is arbitrary and never changes.
MIGRATION_LOCK = 7_301_884_563_102

with engine(Role.OWNER).connect() as connection:
    context.configure(connection=connection, target_metadata=None)
    with context.begin_transaction():
        connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        context.run_migrations()
