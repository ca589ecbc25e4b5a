"""Which model is meant: also where no database answers, and where one answers that was never migrated."""

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from cli import model_choice
from kernel import db
from kernel.settings import configure, settings
from matching.model import default_model
from mdm import versions

from .. import resolution as master


@pytest.fixture
def bare(database_url: str) -> Iterator[str]:
    """The URL of a database without a schema."""
    name = sql.Identifier(f"bare_{uuid.uuid4().hex}")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield urlunsplit(urlsplit(database_url)._replace(path=f"/{name.as_string(connection).strip(chr(34))}"))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.mark.parametrize("url", ["bare", "nowhere", None])
def test_no_model_is_in_force_where_none_can_be(url: str | None, bare: str) -> None:
    given = {"bare": bare, "nowhere": "postgresql://127.0.0.1:1/gone", None: None}[url]
    before = settings()
    configure(settings().model_copy(update={"database_url": given}))
    try:
        assert model_choice.in_force() is None
        assert model_choice.chosen("default") == default_model()
    finally:
        db.dispose()
        configure(before)


def test_the_model_of_the_current_version_set_is_in_force(database: str) -> None:
    master.start()
    assert model_choice.in_force() is None
    with db.transaction() as session:
        versions.current(session)
    assert model_choice.in_force() == default_model()
