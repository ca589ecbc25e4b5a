"""The database: roles, scopes, and the only commit.

Services take a session first and never commit; the edge opens `transaction()` for one step. Hot reads (lookup, match) use
`hot_connection()`: async, autocommit, prepared, because a session costs more than their query. Nothing here knows a table.
"""

import functools
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakKeyDictionary

import psycopg
import psycopg_pool
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlmodel import Session

from kernel.errors import Unavailable
from kernel.settings import settings

UNAVAILABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, psycopg.OperationalError, psycopg_pool.PoolTimeout)
POOL_SIZE = 10


class Role(StrEnum):
    """Who speaks to the database: the owner migrates, the engine sees all rows, the app sees rows within its scope."""

    OWNER = "owner"
    ENGINE = "mdm_engine"
    APP = "mdm_app"


@dataclass(frozen=True, slots=True)
class Scope:
    """The brands and regions whose rows a caller may see; None means all. Names must not hold a comma."""

    brands: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None

    def texts(self) -> tuple[str, str]:
        """The two settings that row-level security reads. A caller limited to no brand sees nothing."""
        return _listed(self.brands), _listed(self.regions)


def _listed(names: tuple[str, ...] | None) -> str:
    return "*" if names is None else ",".join(names)


EVERYTHING = Scope()


def database_url() -> URL:
    """The configured database, in SQLAlchemy's form with the psycopg driver. Raises Unavailable when none is configured."""
    configured = settings().database_url
    if not configured:
        raise Unavailable("No database is configured: set DATABASE_URL or run `mdm up`", code="no_database")
    return make_url(configured).set(drivername="postgresql+psycopg")


def conninfo() -> str:
    """The configured database in libpq's form, as the login role."""
    return database_url().set(drivername="postgresql").render_as_string(hide_password=False)


def _role_option(role: Role) -> str | None:
    return None if role is Role.OWNER else f"-c role={role.value}"


@functools.cache
def engine(role: Role = Role.ENGINE) -> sa.Engine:
    """Return this process's pool of connections that act as `role`."""
    option = _role_option(role)
    return sa.create_engine(
        database_url(),
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_pre_ping=True,
        connect_args={"options": option} if option else {},
    )


def dispose() -> None:
    """Forget all pools, after a fork or when the configured database changed. Connections in use elsewhere stay open."""
    for role in Role:
        if engine.cache_info().currsize:
            engine(role).dispose(close=False)
    engine.cache_clear()


@contextmanager
def transaction(role: Role = Role.ENGINE, scope: Scope | None = None) -> Iterator[Session]:
    """Open one transaction and commit it at the end; any exception, also of the commit itself, rolls back and is raised."""
    with Session(engine(role), expire_on_commit=False) as session:
        _enter_scope(session, role, scope)
        yield session
        session.commit()


@contextmanager
def read_only(role: Role = Role.ENGINE, scope: Scope | None = None) -> Iterator[Session]:
    """Open one transaction that cannot write."""
    with Session(engine(role), expire_on_commit=False) as session:
        session.connection().exec_driver_sql("SET TRANSACTION READ ONLY")
        _enter_scope(session, role, scope)
        yield session


def _enter_scope(session: Session, role: Role, scope: Scope | None) -> None:
    if role is not Role.APP or scope is None:
        return  # The app role without a scope sees nothing: that is the point.
    brands, regions = scope.texts()
    named = sa.text("SELECT set_config('mdm.brands', :brands, true), set_config('mdm.regions', :regions, true)")
    session.connection().execute(named, {"brands": brands, "regions": regions})


class Doorbell:
    """A connection that listens on one channel."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings or the time is over; True when it rang. Raises OperationalError when the server went."""
        rang = any(True for _ in self._connection.notifies(timeout=0))
        if not rang and select.select([self._connection.fileno()], [], [], seconds)[0]:
            rang = any(True for _ in self._connection.notifies(timeout=0))
        if self._connection.closed or self._connection.broken:
            raise psycopg.OperationalError("the listening connection is gone")
        return rang


@contextmanager
def listen(channel: str) -> Iterator[Doorbell]:
    """Listen on a NOTIFY channel, on a connection of its own outside any transaction."""
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        yield Doorbell(connection)


_SET_SESSION_SCOPE = "SELECT set_config('mdm.brands', %s, false), set_config('mdm.regions', %s, false)"
_pools: dict[int, psycopg_pool.AsyncConnectionPool] = {}
_scopes: WeakKeyDictionary[psycopg.AsyncConnection, Scope] = WeakKeyDictionary()


async def open_pool(size: int = POOL_SIZE) -> psycopg_pool.AsyncConnectionPool:
    """Open this process's pool for hot reads (app role, autocommit, prepared at first use). Call once, in the running loop."""
    pool = psycopg_pool.AsyncConnectionPool(
        conninfo(),
        min_size=min(2, size),
        max_size=size,
        timeout=5,
        open=False,
        kwargs={"autocommit": True, "prepare_threshold": 1, "options": _role_option(Role.APP)},
    )
    await pool.open()
    _pools[0] = pool
    return pool


async def close_pool() -> None:
    """Close the pool for hot reads."""
    pool = _pools.pop(0, None)
    if pool is not None:
        await pool.close()


def async_pool() -> psycopg_pool.AsyncConnectionPool:
    """Return the open pool for hot reads. Raises Unavailable before `open_pool`."""
    if 0 not in _pools:
        raise Unavailable("The pool for hot reads is not open", code="no_pool")
    return _pools[0]


@asynccontextmanager
async def hot_connection(scope: Scope) -> AsyncIterator[psycopg.AsyncConnection]:
    """Borrow a hot connection whose session has exactly this scope; the scope is set again only when it differs from the last.

    The setting lives in the session, so it is compared before every use: a connection never serves with another's scope.
    """
    async with async_pool().connection() as connection:
        if _scopes.get(connection) != scope:
            _scopes.pop(connection, None)
            brands, regions = scope.texts()
            await connection.execute(_SET_SESSION_SCOPE, (brands, regions))
            _scopes[connection] = scope
        yield connection
