"""How far a long command has come: a bar on a terminal, else a line for every tenth, so that a log is not silent.

Writes to standard error only; never into what a command prints for another program.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Tell = Callable[[int, int | None], None]
LINES = 10
# Quick commands stay silent, and slow ones say no more than anybody reads.
SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(console: Console, what: str, unit: str = "records") -> Iterator[Tell]:
    """Give a function that is told how many are done, and of how many when that is known."""
    if not console.is_terminal:
        yield _Lines(console, what, unit).tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        bar = shown.add_task(what, total=None)

        def tell(done: int, total: int | None) -> None:
            shown.update(bar, completed=done, total=max(done, total) if total else None)

        yield tell


class _Lines:
    """Says a line when another tenth is done, at most one every few seconds."""

    def __init__(self, console: Console, what: str, unit: str) -> None:
        self._console, self._what, self._unit = console, what, unit
        self._said_at = time.monotonic()
        self._tenth = 0

    def tell(self, done: int, total: int | None) -> None:
        """Take note of how many are done."""
        tenth = done * LINES // max(1, done, total or 0)
        if tenth <= self._tenth or time.monotonic() - self._said_at < SECONDS_BETWEEN_LINES:
            return
        self._tenth, self._said_at = tenth, time.monotonic()
        share = f" of {max(done, total or 0):,} ({tenth * 100 // LINES} %)" if total else ""
        self._console.print(f"{self._what}: {done:,}{share} {self._unit}", highlight=False, soft_wrap=True)
