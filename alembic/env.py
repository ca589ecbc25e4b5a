"""Runs the migrations as the owner, each in a transaction of its own, one process at a time."""

from alembic import context

from kernel.db import Role, engine

# Two services that start at once must not both migrate; the number is arbitrary and never changes.
MIGRATION_LOCK = 7_301_884_563_102

with engine(Role.OWNER).connect() as connection:
    # Held beyond each transaction, until this connection or its process ends: so locks of tables end with the migration
    # that needs them, and what a later one refuses leaves the earlier ones done.
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
    connection.exec_driver_sql("SET lock_timeout = '60s'")
    connection.commit()
    try:
        context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.invalidate()  # The lock and the timeout go with it.
