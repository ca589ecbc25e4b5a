"""A full shuffle of any number of lines in bounded memory: thrown into many small files by lot, each put in order at the end.

The lot is a hash of the line's own name, so the same lines come out in the same order on every machine and in whatever order
they came in. Disk: the lines once more, for the time of the shuffle.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

# 4,000 lines of a million to a file: 2 MB to sort at a time, and 20 MB of ten million.
PARTS = 256
LINES_HELD = 20_000
LOT_BYTES = 8


class Shuffle:
    """Takes lines in any order and gives them back in another; a context that removes its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: list[list[str]] = [[] for _ in range(PARTS)]
        self._count = 0

    def __enter__(self) -> Self:
        self._folder.mkdir()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        shutil.rmtree(self._folder)

    def add(self, name: str, line: str) -> None:
        """Take a line that ends with its only newline, under a name that no other line has."""
        lot = hashlib.blake2b(name.encode(), digest_size=LOT_BYTES).hexdigest()
        self._held[int(lot[:2], 16)].append(lot + line)
        self._count += 1
        if self._count >= LINES_HELD:
            self._flush()

    def lines(self) -> Iterator[str]:
        """Give every line back once, in the order of the lots."""
        self._flush()
        for part in range(PARTS):
            path = self._path(part)
            if path.exists():
                with path.open(encoding="utf-8", newline="\n") as file:
                    yield from (line[LOT_BYTES * 2 :] for line in sorted(file))

    def _flush(self) -> None:
        """Append what is held; the files stay closed between, because a system may allow no more than 256 open ones."""
        for part, held in enumerate(self._held):
            if held:
                with self._path(part).open("a", encoding="utf-8", newline="\n") as file:
                    file.writelines(held)
                held.clear()
        self._count = 0

    def _path(self, part: int) -> Path:
        return self._folder / f"{part:03d}"
