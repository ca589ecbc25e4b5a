"""Worker processes of a soak: each resolves what is owed over connections of its own, in batches of the size that it is told."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from time import sleep

from kernel import db, log
from kernel.settings import Settings, configure, settings
from mdm import owed, resolve
from stewardship import tasks

PAUSE_SECONDS = 0.1  # Looking costs five milliseconds: at fifty looks a second idle workers took a core from the busy ones.
_told: list[Event] = []  # In a worker: what tells it that no more arrives.


class Workers:
    """At most so many processes, started at first use."""

    def __init__(self, most: int) -> None:
        context = get_context("spawn")
        self._last_came = context.Event()
        self._pool = ProcessPoolExecutor(most, context, _begin, (settings(), self._last_came))

    @contextmanager
    def at_work(self, number: int, batch_size: int) -> Iterator[None]:
        """Let so many resolve beside what the block does; ends when nothing is owed any more. Raises what a worker raised."""
        self._last_came.clear()
        running = [self._pool.submit(_work, batch_size) for _ in range(number)]
        try:
            yield
        finally:
            self._last_came.set()
        for one in running:
            one.result()

    def close(self) -> None:
        """End the processes."""
        self._last_came.set()
        self._pool.shutdown()


def _begin(chosen: Settings, last_came: Event) -> None:
    configure(chosen)
    log.configure(level="ERROR")
    _told.append(last_came)


@cache
def _resolver() -> resolve.Resolver:
    return resolve.Resolver(db.transaction, tasks.project)


def _work(batch_size: int) -> None:
    while True:
        is_last = _told[0].is_set()
        owed.drain(_resolver(), batch_size)
        if is_last:
            return
        sleep(PAUSE_SECONDS)
