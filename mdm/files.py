"""Files of records: CSV, NDJSON and Parquet in, row by row with line numbers. The one place here that reads Parquet.

Every row comes out, usable or with its problem; nothing is guessed but a CSV file's encoding and an unmistakable delimiter, once
a file, and that is said (mdm.csv_files).
"""

import codecs
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kernel.errors import Invalid
from mdm import payloads
from mdm.csv_files import BLOCK_BYTES, CsvRecords, read_header
from mdm.mapping_values import Problem
from mdm.policy_schema import FileFormat

KINDS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
PARQUET_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file: its values, or what is wrong with it. `raw` are the bytes it was read from, when there are any."""

    line_no: int
    values: dict[str, Any] | None
    raw: bytes = b""
    problem: Problem | None = None
    is_json: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two rows of a file: after so many lines, at a byte (Parquet: after so many bytes as decoded)."""

    line_no: int = 0
    at: int = 0


BEGINNING = Place()


@dataclass(slots=True)
class RowFile:
    """A file of records, opened. `format` is how it is read; `found` says what of it was found out by reading, to be told.

    `most_bytes`: what a Parquet file may come to when decoded; its own figures need not be true. `reached`: the place after the
    row that was read last; None where there is none to go on from.
    """

    path: Path
    kind: str
    format: FileFormat
    encoding: str = ""
    found: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    blank_lines: int = field(default=0)
    most_bytes: int | None = None
    reached: Place | None = BEGINNING

    def estimated_rows(self) -> int | None:
        """How many rows there are: exact for Parquet, lines otherwise; a value over several lines makes them fewer."""
        if self.kind == "parquet":
            with pq.ParquetFile(self.path) as file:
                return int(file.metadata.num_rows)
        lines, last = 0, b""
        with self.path.open("rb") as opened:
            while block := opened.read(BLOCK_BYTES):
                lines, last = lines + block.count(b"\n"), block
        return lines + (not last.endswith(b"\n")) - (self.kind == "csv")

    def rows(self, after: Place = BEGINNING) -> Iterator[FileRow]:
        """Read every row, from the first or from a place that was reached. Raises: Invalid (broken_file, decodes_too_large) where
        a Parquet file ends."""
        self.blank_lines = 0
        return {"csv": self._csv_rows, "ndjson": self._ndjson_rows, "parquet": self._parquet_rows}[self.kind](after)

    def _csv_rows(self, after: Place) -> Iterator[FileRow]:
        reader = CsvRecords(self.path, self.format, self.encoding, after.line_no, after.at)
        if after == BEGINNING:
            next(reader.records())
        for line_no, cells, raw, problem in reader.records():
            if problem is None and not raw.strip():
                self.blank_lines += 1
                continue
            if problem is None and len(cells) != len(self.columns):
                row = self._miscounted(reader, line_no, raw, len(cells))
            else:
                values = None if problem else dict(zip(self.columns, cells, strict=True))
                row = FileRow(line_no, values, raw, problem)
            self.reached = Place(*reader.place) if reader.place else None
            yield row

    def _miscounted(self, reader: CsvRecords, line_no: int, raw: bytes, found: int) -> FileRow:
        """A record of the wrong width over several lines is a stray quote: give back all but its first line."""
        return FileRow(line_no, None, reader.give_back(raw), Problem("wrong_column_count", f"{found} of {len(self.columns)}"))

    def _ndjson_rows(self, after: Place) -> Iterator[FileRow]:
        with self.path.open("rb") as file:
            file.seek(after.at)
            for line_no, raw in enumerate(_lines(file), after.line_no + 1):
                self.reached = Place(line_no, file.tell())
                line = raw.removeprefix(codecs.BOM_UTF8).strip() if line_no == 1 else raw.strip()
                if not line:
                    self.blank_lines += 1
                    continue
                parsed = payloads.parse(line)
                if isinstance(parsed, Problem):
                    yield FileRow(line_no, None, line, parsed)
                else:
                    yield FileRow(line_no, parsed, line, is_json=True)

    def _parquet_rows(self, after: Place) -> Iterator[FileRow]:
        line_no, decoded = after.line_no, after.at
        try:
            with pq.ParquetFile(self.path) as file:
                groups, passed = _groups_after(file, line_no)
                for batch in _after(file.iter_batches(batch_size=PARQUET_ROWS, row_groups=groups), line_no - passed):
                    decoded += batch.nbytes
                    if self.most_bytes is not None and decoded > self.most_bytes:
                        raise Invalid(
                            f"{self.path.name} decodes to more than {self.most_bytes:,} bytes", code="decodes_too_large"
                        )
                    for values in batch.to_pylist():
                        line_no += 1
                        self.reached = Place(line_no, decoded)
                        yield FileRow(line_no, {name: _plain(value) for name, value in values.items()})
        except MemoryError:
            raise  # Arrow's own is an ArrowException too, and says nothing about the file.
        except (pa.ArrowException, OSError) as error:
            raise Invalid(f"{self.path.name} breaks off after row {line_no}: is it whole?", code="broken_file") from error


def open_rows(path: str | Path, declared: FileFormat | None = None, kind: str | None = None) -> RowFile:
    """Open a file of records and read its header.

    Raises: Invalid with one of the codes no_file, unknown_file_kind, empty_file, broken_file, bad_header, wrong_delimiter.
    """
    path, declared = Path(path), declared or FileFormat()
    if not path.is_file():
        raise Invalid(f"{path} is a folder, not a file" if path.is_dir() else f"There is no file {path}", code="no_file")
    kind = kind or KINDS.get(path.suffix.casefold())
    if kind is None:
        raise Invalid(f"{path.name}: is it CSV, NDJSON or Parquet? Name it .csv, .ndjson or .parquet", code="unknown_file_kind")
    if path.stat().st_size == 0:
        raise Invalid(f"{path.name} is empty", code="empty_file")
    if kind == "csv":
        header = read_header(path, declared)
        return RowFile(path, kind, header.format, header.encoding, header.found, header.columns)
    if kind == "ndjson":
        return RowFile(path, kind, declared, "utf-8")
    return RowFile(path, kind, declared, "", columns=_parquet_columns(path))


def key_rows(path: Path) -> Iterator[FileRow]:
    """Read a list of keys, one a line: all of a line is the key."""
    with path.open("rb") as file:
        for line_no, raw in enumerate(_lines(file), 1):
            line = (raw.removeprefix(codecs.BOM_UTF8) if line_no == 1 else raw).rstrip(b"\r\n")
            try:
                yield FileRow(line_no, {"key": line.decode()}, line)
            except UnicodeDecodeError:
                yield FileRow(line_no, None, line, Problem("not_utf8", ""))


def fingerprint(path: str | Path, *about: str) -> str:
    """A hash of a file's content and of what else the import depends on."""
    digest = hashlib.blake2b(digest_size=16)
    for text in about:
        digest.update(f"{len(text)}:{text}".encode())
    with Path(path).open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _parquet_columns(path: Path) -> tuple[str, ...]:
    try:
        with pq.ParquetFile(path) as file:
            return tuple(file.schema_arrow.names)
    except MemoryError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise Invalid(f"{path.name} is not a whole Parquet file: it may be cut off", code="broken_file") from error


def _groups_after(file: pq.ParquetFile, rows: int) -> tuple[list[int], int]:
    """The row groups that hold rows beyond the first so many, and how many rows those before hold."""
    passed = 0
    for group in range(file.num_row_groups):
        held = file.metadata.row_group(group).num_rows
        if passed + held > rows:
            return list(range(group, file.num_row_groups)), passed
        passed += held
    return [], passed


def _after(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Batches without the first so many rows."""
    for batch in batches:
        if rows < batch.num_rows:
            yield batch.slice(rows)
        rows = max(0, rows - batch.num_rows)


def _plain(value: Any) -> Any:
    """A Parquet value as JSON has it: NaN, which pandas writes for nothing, is nothing; bytes are text when they are UTF-8."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dict):
        return {key: _plain(element) for key, element in value.items()}
    return value


def _lines(file: Any) -> Iterator[bytes]:
    """Lines of at most the payload limit plus one byte; what a line has beyond is passed over, so that memory stays bounded."""
    limit = payloads.LARGEST_PAYLOAD_BYTES + 1
    while line := file.readline(limit):
        whole = line
        while len(line) == limit and not line.endswith(b"\n"):
            line = file.readline(limit)
        yield whole
