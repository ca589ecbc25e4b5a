"""Writes rows to the file of an export, as CSV, NDJSON or Parquet: in bounded memory, counted and hashed as they are written.

A file has another name until it is whole and on disk. Knows nothing of what the rows say.
"""

import csv
import errno
import hashlib
import io
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from kernel.errors import Unavailable

STORAGE_FULL = "storage_full"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Neither an export nor an upload takes the last of a disk: the database may write to the same one.
LEFT_FREE_BYTES = 256_000_000
PART = ".part"

# What makes a spreadsheet compute: these signs, also in their wide forms, behind white space or a quote that we set as well.
FORMULA = re.compile("'*[\\s\\x00-\\x1f\ufeff\u200b]*[=+\\-@|%\uff1d\uff0b\uff0d\uff20]|'*[\\t\\r\\n\\x00]")
# A number, as a phone number in E.164 is one, computes nothing.
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")


class Kind(StrEnum):
    """What the values of a column are. JSON stands as it is in a line of NDJSON."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    JSON = "json"


ARROW = {Kind.TEXT: pa.string(), Kind.NUMBER: pa.int64(), Kind.TIME: pa.string(), Kind.JSON: pa.string()}
Columns = Mapping[str, Kind]
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that is whole. `neutralised`: cells of a CSV file that got a quote in front, so that nothing computes them."""

    path: Path
    size: int
    sha256: bytes
    rows: int
    neutralised: int


class _Hashing(io.RawIOBase):
    """A new file that knows the hash and the length of what was written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # noqa: SIM115 - closed by close().
        self.sha256, self.size = hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, data: Any) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def store(self) -> None:
        """Have it on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        with suppress(OSError):  # What a full disk has not taken is not wanted any more.
            self._file.close()
        super().close()


class _Csv:
    """RFC 4180 with a header. What nobody said is an empty cell."""

    def __init__(self, sink: _Hashing, columns: Columns) -> None:
        self.neutralised = 0
        self._sink = sink
        self._text = [place for place, kind in enumerate(columns.values()) if kind in {Kind.TEXT, Kind.JSON}]
        self._buffer = io.StringIO(newline="")
        self._lines = csv.writer(self._buffer, lineterminator="\r\n")
        self._lines.writerow(columns)

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows; what would be a formula gets a quote in front."""
        self._lines.writerows(map(self._safe, rows))
        self._sink.write(self._buffer.getvalue().encode())
        self._buffer.seek(0)
        self._buffer.truncate()

    def _safe(self, row: Row) -> Row:
        cells = list(row)
        for place in self._text:
            cell = cells[place]
            if cell is not None and (safe := without_formula(cell)) is not cell:
                cells[place] = safe
                self.neutralised += 1
        return cells

    def finish(self) -> None:
        self.write(())


class _Ndjson:
    """One object a line; what nobody said is null."""

    neutralised = 0

    def __init__(self, sink: _Hashing, columns: Columns) -> None:
        self._sink, self._columns = sink, tuple(columns)
        self._json = [place for place, kind in enumerate(columns.values()) if kind is Kind.JSON]

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        self._sink.write(b"".join([self._line(row) for row in rows]))

    def _line(self, row: Row) -> bytes:
        cells = list(row)
        for place in self._json:
            cells[place] = None if cells[place] is None else orjson.Fragment(cells[place])
        return orjson.dumps(dict(zip(self._columns, cells, strict=True)), option=orjson.OPT_APPEND_NEWLINE)

    def finish(self) -> None:
        """Nothing more."""


class _Parquet:
    """A row group for each portion."""

    neutralised = 0

    def __init__(self, sink: _Hashing, columns: Columns) -> None:
        self._schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
        self._file = pq.ParquetWriter(sink, self._schema, compression="zstd")

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows."""
        if rows:
            arrays = [
                pa.array(list(values), kind) for values, kind in zip(zip(*rows, strict=True), self._schema.types, strict=True)
            ]
            self._file.write_table(pa.table(arrays, self._schema))

    def finish(self) -> None:
        """Write the footer."""
        self._file.close()


WRITERS: Mapping[str, type[_Csv | _Ndjson | _Parquet]] = {"csv": _Csv, "ndjson": _Ndjson, "parquet": _Parquet}
FORMATS = tuple(WRITERS)


def without_formula(cell: str) -> str:
    """Put a quote before what a spreadsheet would compute; the same text when it would not.

    Taking one quote off every cell that has quotes and then one of these signs in front gives the values back exactly.
    """
    return f"'{cell}" if FORMULA.match(cell) and not PLAIN_NUMBER.fullmatch(cell) else cell


def refuse_full_disk(folder: Path) -> None:
    """Leave the last of a disk free. Raises: OSError (ENOSPC)."""
    if shutil.disk_usage(folder).free < LEFT_FREE_BYTES:
        raise OSError(errno.ENOSPC, "too little is left free")


class ExportFile:
    """A file in the making. Whoever leaves the block without `publish` leaves nothing behind."""

    def __init__(self, path: Path, file_format: str, columns: Columns) -> None:
        self._path, self._draft = path, path.with_name(path.name + PART)
        self._columns, self._format, self._rows = columns, file_format, 0

    def __enter__(self) -> "ExportFile":
        """Begin. Raises: Unavailable (storage_full)."""
        with _fullness_told():
            self._sink = _Hashing(self._draft)
            self._writer = WRITERS[self._format](self._sink, self._columns)
        return self

    def write(self, rows: Sequence[Row]) -> None:
        """Write a portion of rows. Raises: Unavailable (storage_full)."""
        with _fullness_told():
            refuse_full_disk(self._path.parent)
            self._writer.write(rows)
        self._rows += len(rows)

    def publish(self) -> Written:
        """End the file, have it on disk and give it its name. Raises: Unavailable (storage_full), FileNotFoundError when somebody
        who took the work over has removed it.
        """
        with _fullness_told():
            self._writer.finish()
            self._sink.store()
            self._draft.rename(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return Written(self._path, self._sink.size, self._sink.sha256.digest(), self._rows, self._writer.neutralised)

    def __exit__(self, *_: object) -> None:
        """Close, and remove what was not published."""
        self._sink.close()
        self._draft.unlink(missing_ok=True)


class _fullness_told:
    """Turns what a full disk says into Unavailable."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Raises: Unavailable."""
        if isinstance(error, OSError) and error.errno in FULL:
            raise Unavailable("The disk is full", code=STORAGE_FULL, detail="Try again later.") from error
