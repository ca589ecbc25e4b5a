"""Waits until a worker has resolved records: one poll a tick for everybody who waits in this process. Never resolves.

A caller waits for its own write; where the record stands is then read in the caller's own row scope.
"""

import asyncio
import contextlib
import weakref
from dataclasses import dataclass, field

import psycopg
import psycopg_pool

from kernel import db
from kernel.actor import Principal
from mdm.lookup import Crossed, resolution

TICK_SECONDS = 0.02

# A quarantined record waits for a human: nobody should wait with it.
OPEN = "SELECT record_id::text FROM pending_record WHERE record_id = ANY(%s::uuid[]) AND quarantined_at IS NULL"
STANDS = """
SELECT c.record_id::text, c.state, c.golden_id::text, p.record_id IS NOT NULL, p.quarantined_at IS NOT NULL
FROM crosswalk c LEFT JOIN pending_record p USING (record_id) WHERE c.record_id = %s::uuid
"""


@dataclass(slots=True)
class _Poller:
    """Who waits for which record, and the task that asks for all of them."""

    waiting: dict[str, set["asyncio.Future[None]"]] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None

    def wait(self, record_id: str) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(record_id, set()).add(future)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._poll())
        return future

    def leave(self, record_id: str, future: "asyncio.Future[None]") -> None:
        held = self.waiting.get(record_id, set())
        held.discard(future)
        if not held:
            self.waiting.pop(record_id, None)

    async def _poll(self) -> None:
        while self.waiting:
            with contextlib.suppress(psycopg.OperationalError, psycopg_pool.PoolTimeout):  # It may come back while they wait.
                for record_id in set(self.waiting) - await _open(list(self.waiting)):
                    for future in self.waiting.pop(record_id, ()):
                        if not future.done():
                            future.set_result(None)
            await asyncio.sleep(TICK_SECONDS)


async def _open(record_ids: list[str]) -> set[str]:
    async with db.hot_connection(db.Scope()) as connection:
        return {row[0] for row in await (await connection.execute(OPEN, [record_ids])).fetchall()}


_pollers: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Poller]" = weakref.WeakKeyDictionary()


async def settled(caller: Principal, record_id: str, wait_seconds: float) -> Crossed:
    """Say where a record stands, after waiting at most so long for a worker."""
    if wait_seconds > 0:
        poller = _pollers.setdefault(asyncio.get_running_loop(), _Poller())
        future = poller.wait(record_id)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(future, wait_seconds)
        finally:
            poller.leave(record_id, future)
    async with db.hot_connection(caller.scope) as connection:
        row = await (await connection.execute(STANDS, [record_id])).fetchone()
    return Crossed() if row is None else Crossed(resolution(*row[1:]), row[0], row[2])
