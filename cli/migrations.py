"""Brings the schema to the newest revision, and tells which one it stands at."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kernel import db
from mdm import ownership

ROOT = Path(__file__).resolve().parents[1]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "alembic").replace("%", "%%"))
    config.attributes["configure_logger"] = False
    return config


@contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("alembic")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def migrate() -> tuple[str | None, str | None]:
    """Upgrade the configured database to the newest revision; idempotent. Give the revision before and after.

    Raises: Unavailable for one of the other mode, which is left as it is.
    """
    with db.read_only(db.Role.OWNER) as session:
        ownership.require_mode(session)
    before = current_revision()
    with _quiet():
        upgrade(_config(), "head")
    with db.transaction(db.Role.OWNER) as session:
        ownership.take(session)
    return before, current_revision()


def current_revision() -> str | None:
    """Tell at which revision the configured database stands; None when it was never migrated."""
    with _quiet(), db.engine(db.Role.OWNER).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    """Tell which revision this code wants."""
    return ScriptDirectory.from_config(_config()).get_current_head()
