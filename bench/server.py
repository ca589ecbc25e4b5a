"""A database of its own for a measurement: on the configured server, else on an embedded one that ends with the block."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from cli.migrations import migrate
from cli.services import temporary_services
from kernel import db
from kernel.settings import configure, settings


@contextmanager
def own_database(*, durable: bool = True) -> Iterator[str]:
    """Make and migrate an empty database, configure this process for it, drop it afterwards. Gives its URL.

    What measures nothing may do without durability: an embedded server then waits for no disk.
    """
    given = settings()
    name = f"mdm_bench_{os.getpid()}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mdm-bench-", ignore_cleanup_errors=True)))
        chosen = given.model_copy(update={"data_dir": folder})
        server = given.database_url or stack.enter_context(temporary_services(durable=durable)).database_url
        _execute(server, "CREATE DATABASE {}", name)
        try:
            url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
            configure(chosen.model_copy(update={"database_url": url}))
            migrate()
            yield url
        finally:
            db.dispose()
            configure(given)
            _execute(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(server: str, statement: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
