"""Cuts a stream of bytes into lines, holding at most one line of bounded length."""

import codecs
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its number from 1; `raw` is None for a line that was too long to hold."""

    number: int
    raw: bytes | None


@dataclass(slots=True)
class LineSplitter:
    """Feed it what arrives; blank lines are counted, and left out."""

    limit_bytes: int
    number: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _held: int = 0
    _is_oversize: bool = False

    def feed(self, data: bytes) -> list[Line]:
        """Take in bytes; the lines that they complete."""
        first, *rest = data.split(b"\n")
        if not rest:
            self._hold(first)
            return []
        self._hold(first)
        found = [self._end()]
        for middle in rest[:-1]:
            self._hold(middle)
            found.append(self._end())
        self._hold(rest[-1])
        return [line for line in found if line is not None]

    def finish(self) -> list[Line]:
        """The last line, when it was not ended."""
        line = self._end() if self._held or self._is_oversize else None
        return [line] if line is not None else []

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self.limit_bytes:
            self._parts, self._is_oversize = [], True
        elif part:
            self._parts.append(part)

    def _end(self) -> Line | None:
        self.number += 1
        raw, is_oversize = b"".join(self._parts), self._is_oversize
        raw = (raw.removeprefix(codecs.BOM_UTF8) if self.number == 1 else raw).strip()
        self._parts, self._held, self._is_oversize = [], 0, False
        if is_oversize:
            return Line(self.number, None)
        return Line(self.number, raw) if raw else None
