"""Files of records: CSV, NDJSON and Parquet in, row by row with line numbers. The one place here that reads Parquet.

Every row comes out, usable or with its problem; nothing is guessed but the encoding, once a file, and that is said. Python's csv
module is used because it can go on at the very next line after a broken record: a stray quote costs one line, not the whole file.
"""

import codecs
import csv
import hashlib
import io
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kernel.errors import Invalid
from mdm import payloads
from mdm.mapping_values import Problem
from mdm.policy_schema import FileFormat

KINDS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
# An open quote is given up after this much: no value may be longer than 1,000 characters anyway.
LONGEST_RECORD_LINES = 100
BLOCK_BYTES = 1024 * 1024
PARQUET_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file: its values, or what is wrong with it. `raw` are the bytes it was read from, when there are any."""

    line_no: int
    values: dict[str, Any] | None
    raw: bytes = b""
    problem: Problem | None = None
    is_json: bool = False


@dataclass(slots=True)
class RowFile:
    """A file of records, opened. `encoding_declared` False: it was found out by reading, and is said in the summary."""

    path: Path
    kind: str
    format: FileFormat
    encoding: str = ""
    encoding_declared: bool = True
    columns: tuple[str, ...] = ()
    blank_lines: int = field(default=0)

    @property
    def size_bytes(self) -> int:
        """The size of the file, for a progress bar."""
        return self.path.stat().st_size

    def estimated_rows(self) -> int | None:
        """How many rows there are: exact for Parquet, by the length of the first lines otherwise."""
        if self.kind == "parquet":
            with pq.ParquetFile(self.path) as file:
                return int(file.metadata.num_rows)
        with self.path.open("rb") as opened:
            start = opened.read(BLOCK_BYTES)
        return round(self.size_bytes / len(start) * start.count(b"\n")) or 1

    def rows(self) -> Iterator[FileRow]:
        """Read every row, from the first. Raises: Invalid (broken_file) where a Parquet file breaks off."""
        self.blank_lines = 0
        return {"csv": self._csv_rows, "ndjson": self._ndjson_rows, "parquet": self._parquet_rows}[self.kind]()

    def _csv_rows(self) -> Iterator[FileRow]:
        reader = _CsvRecords(self.path, self.format, self.encoding)
        next(reader.records())
        for line_no, cells, raw, problem in reader.records():
            if problem is None and not raw.strip():
                self.blank_lines += 1
            elif problem is None and len(cells) != len(self.columns):
                yield from self._miscounted(reader, line_no, raw)
            else:
                values = None if problem else dict(zip(self.columns, cells, strict=True))
                yield FileRow(line_no, values, raw, problem)

    def _miscounted(self, reader: "_CsvRecords", line_no: int, raw: bytes) -> Iterator[FileRow]:
        """A record of the wrong width over several lines is a stray quote: give back all but its first line."""
        yield FileRow(line_no, None, reader.give_back(raw), Problem("wrong_column_count", ""))

    def _ndjson_rows(self) -> Iterator[FileRow]:
        with self.path.open("rb") as file:
            for line_no, raw in enumerate(_lines(file), 1):
                line = raw.removeprefix(codecs.BOM_UTF8).strip() if line_no == 1 else raw.strip()
                if not line:
                    self.blank_lines += 1
                    continue
                parsed = payloads.parse(line)
                if isinstance(parsed, Problem):
                    yield FileRow(line_no, None, line, parsed)
                else:
                    yield FileRow(line_no, parsed, line, is_json=True)

    def _parquet_rows(self) -> Iterator[FileRow]:
        line_no = 0
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=PARQUET_ROWS):
                    for values in batch.to_pylist():
                        line_no += 1
                        yield FileRow(line_no, {name: _plain(value) for name, value in values.items()})
        except (pa.ArrowException, OSError) as error:
            raise Invalid(f"{self.path.name} breaks off after row {line_no}: is it whole?", code="broken_file") from error


def open_rows(path: str | Path, declared: FileFormat | None = None, kind: str | None = None) -> RowFile:
    """Open a file of records and read its header.

    Raises: Invalid with one of the codes no_file, unknown_file_kind, empty_file, broken_file, bad_header.
    """
    path, declared = Path(path), declared or FileFormat()
    if not path.is_file():
        raise Invalid(f"There is no file {path.name}", code="no_file")
    kind = kind or KINDS.get(path.suffix.casefold())
    if kind is None:
        raise Invalid(f"{path.name}: is it CSV, NDJSON or Parquet? Name it .csv, .ndjson or .parquet", code="unknown_file_kind")
    if path.stat().st_size == 0:
        raise Invalid(f"{path.name} is empty", code="empty_file")
    if kind == "csv":
        return _open_csv(path, declared)
    if kind == "ndjson":
        return RowFile(path, kind, declared, "utf-8")
    return RowFile(path, kind, declared, "", columns=_parquet_columns(path))


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
    except (pa.ArrowException, OSError) as error:
        raise Invalid(f"{path.name} is not a whole Parquet file: it may be cut off", code="broken_file") from error


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


def _open_csv(path: Path, declared: FileFormat) -> RowFile:
    found = declared.encoding or detect_encoding(path)
    delimiter = "\t" if path.suffix.casefold() == ".tsv" else declared.delimiter
    chosen = declared.model_copy(update={"delimiter": delimiter})
    header = next(_CsvRecords(path, chosen, found).records(), None)
    if header is None or not header[2].strip():
        raise Invalid(f"{path.name} has no header line", code="empty_file")
    _, cells, _, problem = header
    names = tuple(cell.strip() or f"column_{place}" for place, cell in enumerate(cells, 1))
    twice = sorted({name for name in names if names.count(name) > 1})
    if problem is not None or twice or any("\x00" in name for name in names):
        raise Invalid(f"{path.name}: the header line is broken or names a column twice: {', '.join(twice)}", code="bad_header")
    return RowFile(path, "csv", chosen, found, declared.encoding is not None, names)


def detect_encoding(path: Path) -> str:
    """UTF-16 by its mark; UTF-8 when most of what is not ASCII is valid UTF-8 (broken rows are then rejected); else CP1252."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder, valid, broken = codecs.getincrementaldecoder("utf-8")("replace"), 0, 0
        block = start
        while block:
            text = decoder.decode(block)
            broken += text.count("\ufffd")
            valid += len(text) - len(text.encode("ascii", "ignore"))
            block = file.read(BLOCK_BYTES)
        broken += decoder.decode(b"", final=True).count("\ufffd")
    if start.startswith(codecs.BOM_UTF8) or valid - broken >= broken:
        return "utf-8-sig"
    return "cp1252"


CsvRecord = tuple[int, list[str], bytes, Problem | None]


class _CsvRecords:
    """The records of a CSV file with the line on which each starts; goes on at the next line after a broken one."""

    def __init__(self, path: Path, chosen: FileFormat, encoding: str) -> None:
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        self._file = io.TextIOWrapper(path.open("rb"), encoding=encoding, errors="surrogateescape", newline="")
        self._format = chosen
        self._pushed: deque[str] = deque()
        self._line_no = 0
        self._taken: list[str] = []
        self._made = self._read()

    def records(self) -> Iterator[CsvRecord]:
        """Every record, once; a second call goes on where the first stopped."""
        return self._made

    def give_back(self, raw: bytes) -> bytes:
        """Read all but the first line of the last record again; the first line's bytes."""
        self._push(self._taken[1:])
        return self._taken[0].encode(self._encoding, "surrogateescape") if self._taken else raw

    def _push(self, lines: list[str]) -> None:
        self._pushed.extendleft(reversed(lines))
        self._line_no -= len(lines)

    def _physical(self) -> Iterator[str]:
        """Lines for the parser; ends early when a record takes too many."""
        while len(self._taken) < LONGEST_RECORD_LINES:
            line = self._pushed.popleft() if self._pushed else self._file.readline(payloads.LARGEST_PAYLOAD_BYTES)
            if not line:
                return
            self._line_no += 1
            self._taken.append(line)
            yield line

    def _read(self) -> Iterator[CsvRecord]:
        try:
            while True:
                self._taken = []
                start = self._line_no + 1
                cells, problem = self._parse()
                if not self._taken:
                    return
                if problem is not None:
                    self._push(self._taken[1:])
                    self._taken = self._taken[:1]
                text = "".join(self._taken)
                if not text.isascii() and any("\udc80" <= character <= "\udcff" for character in text):
                    problem = Problem("invalid_encoding", "")
                yield start, cells, text.encode(self._encoding, "surrogateescape"), problem
        finally:
            self._file.close()

    def _parse(self) -> tuple[list[str], Problem | None]:
        reader = csv.reader(
            self._physical(), delimiter=self._format.delimiter, quotechar=self._format.quote, strict=True, doublequote=True
        )
        try:
            return next(reader, []), None
        except csv.Error:
            return [], Problem("broken_quoting", "")
