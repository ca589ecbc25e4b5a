"""The most memory that a program holds while it works, its helpers counted with it."""

import threading
from types import TracebackType
from typing import Self

import psutil

from matching.evaluate import peak_mb

EVERY_SECONDS = 0.2
BYTES_PER_MB = 1_000_000


class Watched:
    """Looks every fifth of a second, while the block runs, at this process and those of the same program that it started."""

    def __init__(self) -> None:
        self.most_mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self.most_mb = max(self.most_mb, peak_mb())

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self.most_mb = max(self.most_mb, held_mb())


def held_mb() -> float:
    """What this process and its helpers hold now; a database that it started is another program."""
    mine = psutil.Process()
    held = mine.memory_info().rss
    for child in mine.children(recursive=True):
        try:
            held += child.memory_info().rss if child.name() == mine.name() else 0
        except psutil.NoSuchProcess:  # It has ended since it was listed.
            continue
    return held / BYTES_PER_MB
