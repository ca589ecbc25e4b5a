"""A crew: several processes of this program for work that falls into pieces, given out and taken back by the one that leads them.

Whatever a helper holds is safe to lose: it ends with its leader, wherever that one was killed. Owns no work of its own.
"""

import atexit
import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

from kernel import log
from kernel.settings import Settings, configure, settings

# A helper takes seconds of its core before it is of use: it loads this program, and learns the phones and names of the world.
WORTH_A_CREW = 50_000  # Records.
PIECES_EACH = 2  # Given out in advance, so that no helper waits for its leader.
BEAT_SECONDS = 1.0
COLLECT_AFTER = (100_000, 50, 100)
Piece = TypeVar("Piece")
Made = TypeVar("Made")


class Crew:
    """Helpers that are up. Pieces and what is made of them are pickled."""

    def __init__(self, pool: ProcessPoolExecutor, processes: int) -> None:
        self._pool, self._most = pool, processes * PIECES_EACH

    def in_order(self, act: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
        """Give what is made of each piece, in the order of the pieces; a few are read and worked at in advance."""
        under_way: deque[Future[Made]] = deque()
        for piece in pieces:
            under_way.append(self._pool.submit(act, piece))
            if len(under_way) > self._most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def as_made(self, act: Callable[[Piece], Made], pieces: Iterator[Piece], beat: Callable[[], object]) -> Iterator[Made]:
        """Give what is made of each piece as soon as it is; the next piece is asked for when a helper is free. `beat` is called
        every second and after each piece."""
        under_way: set[Future[Made]] = set()
        more = True
        while more or under_way:
            while more and len(under_way) < self._most:
                piece = next(pieces, None)
                more = piece is not None
                if piece is not None:
                    under_way.add(self._pool.submit(act, piece))
            done, under_way = wait(under_way, BEAT_SECONDS, FIRST_COMPLETED)
            beat()
            yield from (one.result() for one in done)


@contextmanager
def crew(processes: int, begin: Callable[..., None] | None = None, *given: Any) -> Iterator[Crew]:
    """Raise a crew; each helper first calls `begin` with what is given. What is not begun when the block fails is dropped."""
    spawning = multiprocessing.get_context("spawn")  # A fork would inherit the threads of DuckDB and the sockets of others.
    arguments = (settings(), begin, given)
    with ProcessPoolExecutor(processes, mp_context=spawning, initializer=_enlist, initargs=arguments) as pool:
        try:
            for _ in range(processes):  # They come up while the leader does something else.
                pool.submit(os.getpid)
            yield Crew(pool, processes)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _enlist(chosen: Settings, begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    """Make this process a helper: the leader's settings, and no life after the leader's."""
    configure(chosen)
    log.configure(json=chosen.log_json, level=chosen.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The leader is told, and says what is to be done.
    threading.Thread(target=_end_with_leader, daemon=True).start()
    if begin is not None:
        begin(*given)
    collect_seldom()


def _end_with_leader() -> None:
    leader = multiprocessing.parent_process()
    if leader is not None:
        leader.join()
        os._exit(1)


def collect_seldom(after: tuple[int, int, int] = COLLECT_AFTER) -> None:
    """Look for reference cycles seldom (`after`: gc's thresholds), and never in what is loaded by now.

    Resolution makes hundreds of thousands of small values a batch and next to no cycles: looking for those after each 700 took a
    fifth of its time.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)  # DuckDB would tell of hundreds of leaks at the end.
    gc.set_threshold(*after)
