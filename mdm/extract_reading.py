"""Reads a source's full extract: a key a row, perhaps with version, time of change, deletion, and the key it was merged into.

A row with a field `key` is read by plain names, any other as the source's policy reads its records. Touches no storage.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kernel import clock
from mdm import files, imports
from mdm.files import FileRow
from mdm.incoming import key_problem, mark_of
from mdm.mapping_schema import Expression
from mdm.mapping_values import Problem, text_of
from mdm.policy_schema import Source

KEYS = "keys"
FORMATS = (KEYS, "csv", "ndjson", "parquet")
KEY, MERGED_INTO = "key", "merged_into"


@dataclass(frozen=True, slots=True)
class Said:
    """What an extract says of one key."""

    key: str
    version: int | None
    updated_at: datetime | None
    is_deleted: bool
    merged_into: str | None
    line_no: int


@dataclass(slots=True)
class Extract:
    """An extract, read row by row. `rejected` counts the rows that say nothing usable, by reason; known once all is read."""

    path: Path
    kind: str
    source: Source
    most_bytes: int
    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def said(self) -> Iterator[Said]:
        """Read every row. Raises: Invalid as `files.open_rows` and `RowFile.rows`."""
        plain, declared = _reader(_plain(self.source), self.source), _reader(self.source, self.source)
        for row in self._rows():
            self.rows += 1
            found = (plain if row.values is not None and KEY in row.values else declared)(row)
            if isinstance(found, Said):
                yield found
            else:
                self.rejected[found.code] += 1

    def _rows(self) -> Iterator[FileRow]:
        if self.kind == KEYS:
            return files.key_rows(self.path)
        opened = files.open_rows(self.path, self.source.file, self.kind)
        opened.most_bytes = self.most_bytes
        return opened.rows()


def _plain(source: Source) -> Source:
    """The source as if its rows had our own names."""
    names = {"key": KEY, "version": "version", "updated_at": "updated_at", "deleted": "deleted"}
    return source.model_copy(update={of: Expression(path=name) for of, name in names.items()})


def _reader(names: Source, source: Source) -> Callable[[FileRow], Said | Problem]:
    read, now = imports.deliveries(names), clock.now()

    def said(row: FileRow) -> Said | Problem:
        found = read(row)
        if isinstance(found, Problem):
            return found
        survivor = _survivor(row.values)
        problem = key_problem(found.key) or (key_problem(survivor) if survivor is not None else None)
        if problem is not None:
            return problem
        if survivor == found.key:
            return Problem("merged_into_itself", MERGED_INTO)
        mark = mark_of(source, found, now)
        if isinstance(mark, Problem):
            return mark
        return Said(found.key, mark.source_version, mark.source_updated_at, found.delete, survivor, row.line_no)

    return said


def _survivor(values: dict[str, Any] | None) -> str | None:
    return text_of((values or {}).get(MERGED_INTO))
