"""Connections to PostgreSQL: three roles, row scope, transactions and the pool of the hot reads. The only place that commits.

One URL serves all roles: the role is set by a connection option, so that it holds before the first statement. A session of
`Role.APP` without a scope sees no customer row. Never holds SQL of any domain.
"""

import asyncio
import os
import select
import uuid
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

import psycopg
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool
from sqlmodel import Session

from kernel.errors import Unavailable
from kernel.settings import settings

SET_SCOPE = "SELECT set_config('mdm.brands', %s, %s), set_config('mdm.regions', %s, %s)"
# What is written in a row scope is a handful of records under their keys: planning each statement for its arrays costs more than
# running it, and PostgreSQL would plan anew for ever.
ONE_PLAN = ", set_config('plan_cache_mode', 'force_generic_plan', true)"
# A request holds a thread; what takes longer than this is not an answer any more. Workers and migrations take their time.
APP_STATEMENT_TIMEOUT_SECONDS = 30
POOL_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 10
MOST_IDS = 100_000  # About 25 MB.
# What the loss of the database looks like; long-running loops wait and try again.
UNAVAILABLE = (sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError, psycopg.OperationalError)


class Role(Enum):
    """Who the database takes us for: the owner migrates, the engine sees all rows, the app sees its scope."""

    OWNER = ""
    ENGINE = "mdm_engine"
    APP = "mdm_app"


@dataclass(frozen=True, slots=True)
class Scope:
    """The brands and regions whose rows may be seen; None means all of them, an empty tuple none."""

    brands: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse names that would change the meaning of the list. Raises: ValueError."""
        names = (*(self.brands or ()), *(self.regions or ()))
        if any(not name or name == "*" or "," in name for name in names):
            raise ValueError("a brand or region in a scope is a non-empty name without a comma, and never '*'")

    def parameters(self, in_transaction: bool) -> list[Any]:
        """Give the parameters of SET_SCOPE."""
        lists = ("*" if names is None else ",".join(names) for names in (self.brands, self.regions))
        return [value for names in lists for value in (names, in_transaction)]


def connection_parameters(role: Role, application: str = "mdm") -> dict[str, Any]:
    """Give what psycopg needs to connect as a role: UTC times, no JIT (it costs more than our statements take)."""
    chosen = conninfo_to_dict(settings().require_database_url())
    options = [str(chosen.get("options") or ""), "-c timezone=UTC", "-c jit=off"]
    if role is not Role.OWNER:
        options.append(f"-c role={role.value}")
    if role is Role.APP:
        options.append(f"-c statement_timeout={APP_STATEMENT_TIMEOUT_SECONDS}s")
    defaults = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": f"{application}-{role.name.lower()}"}
    return {**defaults, **chosen, "options": " ".join(options).strip()}


_engines: dict[tuple[str, Role], sqlalchemy.Engine] = {}


def engine(role: Role = Role.ENGINE) -> sqlalchemy.Engine:
    """Give this process's engine for a role; a forked child gets its own."""
    key = (settings().require_database_url(), role)
    if key not in _engines:
        parameters = connection_parameters(role)
        made = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=lambda: _connect(parameters, role),
            pool_size=settings().db_pool_size,
            max_overflow=settings().db_pool_size,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            hide_parameters=True,
        )
        sqlalchemy.event.listen(made, "checkout", _refuse_closed)
        _engines[key] = made
    return _engines[key]


class _IdLoader(psycopg.adapt.Loader):
    """Reads an id that was met before as the same object: resolution reads each hundreds of times, and neither parses it again
    (1.6 µs) nor compares it by value with itself."""

    def load(self, data: psycopg.abc.Buffer) -> uuid.UUID:
        """Give the id that the text names."""
        text = bytes(data)
        known = _ids.get(text)
        if known is None:
            if len(_ids) >= MOST_IDS:
                _ids.clear()
            known = _ids[text] = uuid.UUID(text.decode("ascii"))
        return known


_ids: dict[bytes, uuid.UUID] = {}


_watching: dict[str, Any] = {}
_watching_async: dict[str, Any] = {}


def watch(cursors: type[psycopg.Cursor[Any]] | None, async_cursors: type[psycopg.AsyncCursor[Any]] | None) -> None:
    """Let new connections open such cursors, by which somebody watches their statements; None: the driver's own again."""
    _watching["cursor_factory"], _watching_async["cursor_factory"] = cursors, async_cursors


def _connect(parameters: dict[str, Any], role: Role) -> psycopg.Connection[Any]:
    made: psycopg.Connection[Any] = psycopg.connect(**parameters, **_watching)
    if role is not Role.OWNER:  # Who migrates, restores and looks for what is wrong asks by itself.
        _confirm_mode(made)
    made.adapters.register_loader("uuid", _IdLoader)
    return made


WRONG_MODE = "wrong_mode"
# By name: before revision 0059 the table has no such column, and the database is anybody's.
MODE = "SELECT to_jsonb(timeline) ->> 'mode' FROM timeline ORDER BY started_at DESC LIMIT 1"


def refuse_other_mode(held: str | None = None) -> None:
    """Refuse a database that says it is of a service of the other mode. Raises: Unavailable."""
    own = settings().mode
    if held not in {None, own}:
        seen = f"The database is of a {held} service, and this process is of a {own} one"
        detail = f"{seen}: correct DATABASE_URL, or set MDM_MODE={held}"
        raise Unavailable("The database is of the other mode", code=WRONG_MODE, detail=detail)


def _confirm_mode(made: psycopg.Connection[Any]) -> None:
    """Ask on a connection just made, which is closed when it is of no use. One that was never migrated is anybody's."""
    try:
        with suppress(psycopg.errors.UndefinedTable):
            refuse_other_mode(*made.execute(MODE).fetchone() or ())
        made.rollback()
    except BaseException:
        made.close()
        raise


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    if _is_closed_by_server(connection):
        raise sqlalchemy.exc.DisconnectionError


def _is_closed_by_server(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Tell without a round trip: an idle connection has nothing to say, unless it was closed (two microseconds)."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def transaction(role: Role = Role.ENGINE, scope: Scope | None = None) -> Iterator[Session]:
    """Open one step: commit when the block ends, roll back when it raises.

    Raises: whatever COMMIT raises; Unavailable when the database had already given the step up (a statement failed and somebody
    caught its error: PostgreSQL answers such a COMMIT with a silent ROLLBACK).
    """
    with Session(engine(role), expire_on_commit=False) as session:
        try:
            _set_scope(session, scope, SET_SCOPE + ONE_PLAN)
            yield session
            session.flush()
            _refuse_aborted(session)
            session.commit()
        except BaseException:
            session.rollback()
            raise


@contextmanager
def read_only(role: Role = Role.ENGINE, scope: Scope | None = None, *, snapshot: bool = False) -> Iterator[Session]:
    """Open a step that cannot write; with `snapshot` all its statements see the database of one moment."""
    with Session(engine(role), expire_on_commit=False) as session:
        level = "ISOLATION LEVEL REPEATABLE READ, " if snapshot else ""
        session.connection().exec_driver_sql(f"SET TRANSACTION {level}READ ONLY")
        _set_scope(session, scope)
        try:
            yield session
        finally:
            session.rollback()


def _set_scope(session: Session, scope: Scope | None, statement: str = SET_SCOPE) -> None:
    if scope is not None:
        session.connection().exec_driver_sql(statement, tuple(scope.parameters(in_transaction=True)))


def _refuse_aborted(session: Session) -> None:
    driver = session.connection().connection.driver_connection
    if isinstance(driver, psycopg.Connection) and driver.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
        raise Unavailable("A statement of this step failed, so nothing of it was stored.", code="step_aborted")


class Doorbell:
    """A connection of its own, outside any transaction, that listens on one NOTIFY channel."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._leads: set[str] = set()

    def leads(self, what: str) -> bool:
        """Whether this connection leads in something of which there is one in the database; it does until it closes."""
        if what not in self._leads:
            (got,) = self._connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (what,)).fetchone() or (
                False,
            )
            self._leads |= {what} if got else set()
        return what in self._leads

    def wait(self, seconds: float) -> bool:
        """Wait until somebody rings or the time is over; True when it rang.

        Raises: psycopg.OperationalError when the server went.
        """
        return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))


@contextmanager
def listen(channel: str) -> Iterator[Doorbell]:
    """Listen on a NOTIFY channel for the length of the block."""
    with psycopg.connect(**connection_parameters(Role.ENGINE, "mdm-listen"), autocommit=True) as connection:
        _confirm_mode(connection)
        connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        yield Doorbell(connection)


class HotConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """An autocommit connection of the app role that remembers which scope it was last given, and that it is of our mode."""

    scope: Scope | None = None
    is_ours = False


HotPool = AsyncConnectionPool[HotConnection]
_pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[str, HotPool, asyncio.Task[None]]] = (
    weakref.WeakKeyDictionary()
)


async def async_pool() -> HotPool:
    """Give the running loop's pool for hot reads (app role, autocommit, statements prepared at first use), opened."""
    loop, url = asyncio.get_running_loop(), settings().require_database_url()
    held = _pools.get(loop)
    if held is not None and held[0] == url:
        return held[1]
    parameters = {**connection_parameters(Role.APP, "mdm-hot"), "autocommit": True, "prepare_threshold": 0}
    # Planning a lookup anew costs twice what running it does (0.55 ms against 0.18 ms), and arrays are planned anew for ever.
    parameters["options"] += " -c plan_cache_mode=force_generic_plan"
    size = settings().db_pool_size
    pool: HotPool = AsyncConnectionPool(
        kwargs={**parameters, **_watching_async},
        connection_class=HotConnection,
        min_size=min(2, size),
        max_size=size,
        timeout=POOL_TIMEOUT_SECONDS,
        open=False,
    )
    # Before the first await: two requests that come at once share it.
    _pools[loop] = (url, pool, loop.create_task(_close_with_loop(pool)))
    await pool.open()
    return pool


async def _close_with_loop(pool: HotPool) -> None:
    """Close the pool when the loop cancels what is left: the pool's own tasks ignore that, and would keep the loop for ever."""
    try:
        await asyncio.Event().wait()
    finally:
        await pool.close()


async def close_async_pool() -> None:
    """Close the running loop's pool; the next hot read opens another."""
    held = _pools.pop(asyncio.get_running_loop(), None)
    if held is not None:
        held[2].cancel()
        await held[1].close()


@asynccontextmanager
async def hot_connection(scope: Scope) -> AsyncIterator[HotConnection]:
    """Borrow a hot connection whose row scope is exactly `scope`; costs a statement only when its last scope was another."""
    pool = await async_pool()
    connection = await _alive(pool)
    try:
        if not connection.is_ours:
            with suppress(psycopg.errors.UndefinedTable):
                refuse_other_mode(*await (await connection.execute(MODE)).fetchone() or ())
            connection.is_ours = True
        if connection.scope != scope:
            connection.scope = None  # Should the next statement fail half-way, nobody trusts the old scope.
            await connection.execute(SET_SCOPE, scope.parameters(in_transaction=False))
            connection.scope = scope
        yield connection
    finally:
        await pool.putconn(connection)


async def _alive(pool: HotPool) -> HotConnection:
    while True:
        connection = await pool.getconn()
        if not _is_closed_by_server(connection):
            return connection
        await connection.close()
        await pool.putconn(connection)


def dispose() -> None:
    """Close the idle connections of all engines of this process."""
    while _engines:
        _engines.popitem()[1].dispose()


def _forget_connections_of_parent() -> None:
    """After a fork the sockets belong to the parent: drop ours without saying goodbye on them."""
    for made in _engines.values():
        made.dispose(close=False)
    _engines.clear()
    _pools.clear()


os.register_at_fork(after_in_child=_forget_connections_of_parent)
