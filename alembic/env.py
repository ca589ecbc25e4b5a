"""Runs migrations as the owner on the configured database; one at a time, under an advisory lock."""

import sqlalchemy as sa

from alembic import context
from kernel import db

MIGRATION_LOCK = 0x6D646D  # "mdm": any fixed number that nobody else uses.


def run() -> None:
    """Apply the requested migrations in one transaction: a half-migrated schema never exists."""
    with db.engine(db.Role.OWNER).connect() as connection, connection.begin():
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.configure(connection=connection, transactional_ddl=True)
        with context.begin_transaction():
            context.run_migrations()


run()
