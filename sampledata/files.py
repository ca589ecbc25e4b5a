"""The simulated retailer as files: one per channel, the truth and the labelled pairs, in NDJSON, CSV or Parquet.

A row is the payload with `record_key` and `record_updated_at` before it. CSV and Parquet hold texts under dotted headers
(`member.given`, `parent_id.0`). `labelled.ndjson` holds all rows of all channels, each with its source and truth before it.
Written as the records stream by, so memory stays bounded.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, Self

from sampledata.pairs import PairMaker
from sampledata.retailer import SimulatedRecord, simulate

FORMATS = ("ndjson", "csv", "parquet")
TRUTH, PAIRS = "truth", "pairs"
LABELLED = "labelled.ndjson"
TRUTH_HEADERS = ["source", "record_key", "truth"]
PAIR_HEADERS = ["source_a", "record_key_a", "source_b", "record_key_b", "same", "why"]
# The acquired mail-order house never heard of commas.
CSV_DELIMITERS = {"acquired": ";"}
ROWS_A_PIECE = 20_000
HEADERS_FROM = 400


class _Sink(Protocol):
    def write(self, row: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


def row_of(record: SimulatedRecord) -> dict[str, Any]:
    """The record as a row of its channel's file."""
    return {"record_key": record.key, "record_updated_at": record.updated_at, **record.payload}


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar of a payload as text, with its dotted path; null is left out."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in items:
            yield from flattened(inner, f"{path}.{name}" if path else str(name))
    elif value is not None:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)


class _Ndjson:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def write(self, row: dict[str, Any]) -> None:
        self._file.write(_text(row))

    def close(self) -> None:
        self._file.close()


class _Csv:
    def __init__(self, path: Path, headers: list[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        delimiter = CSV_DELIMITERS.get(path.stem, ",")
        self._writer = csv.DictWriter(self._file, headers, restval="", delimiter=delimiter, lineterminator="\n")
        self._writer.writeheader()

    def write(self, row: dict[str, Any]) -> None:
        self._writer.writerow(dict(flattened(row)))

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path, headers: list[str]) -> None:
        import pyarrow as pa  # noqa: PLC0415 - only this format needs it.
        from pyarrow import parquet  # noqa: PLC0415 - only this format needs it.

        self._schema = pa.schema([(header, pa.string()) for header in headers])
        self._table = pa.Table
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[dict[str, str]] = []

    def write(self, row: dict[str, Any]) -> None:
        self._rows.append(dict(flattened(row)))
        if len(self._rows) >= ROWS_A_PIECE:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(self._table.from_pylist(self._rows, self._schema))
            self._rows = []

    def close(self) -> None:
        self._flush()
        self._writer.close()


def channel_headers() -> dict[str, list[str]]:
    """The flat columns of every channel, learnt from a small run, in the order in which they first appear."""
    found: dict[str, dict[str, None]] = {}
    for record in simulate(HEADERS_FROM, 1):
        blank = {key: None for key, _ in flattened(_with_nulls(row_of(record)))}
        found.setdefault(record.source, {}).update(blank)
    return {source: list(headers) for source, headers in found.items()}


def _with_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_nulls(inner) for key, inner in value.items()}
    return "" if value is None else value


def _sink(path: Path, form: str, headers: list[str]) -> _Sink:
    if form == "ndjson":
        return _Ndjson(path)
    return _Csv(path, headers) if form == "csv" else _Parquet(path, headers)


class Writer:
    """The files of one retailer, each opened with its first row; a context that closes them."""

    def __init__(self, folder: Path, form: str) -> None:
        self._folder, self._form = folder, form
        self._headers = {**channel_headers(), TRUTH: TRUTH_HEADERS, PAIRS: PAIR_HEADERS} if form != "ndjson" else {}
        self._sinks: dict[str, _Sink] = {}
        self._labelled = (folder / LABELLED).open("w", encoding="utf-8")
        self._pairs = PairMaker()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pair in self._pairs.close():
            self._put(PAIRS, pair.as_row())
        self._labelled.close()
        for sink in self._sinks.values():
            sink.close()

    def write(self, record: SimulatedRecord) -> None:
        """Write a record into its channel's file and the labelled one, its truth, and the pairs that are complete with it."""
        row = row_of(record)
        self._put(record.source, row)
        self._put(TRUTH, {"source": record.source, "record_key": record.key, "truth": record.truth})
        self._labelled.write(f'{{"source": "{record.source}", "truth": "{record.truth}", {_text(row)[1:]}')
        for pair in self._pairs.add(record):
            self._put(PAIRS, pair.as_row())

    def _put(self, name: str, row: dict[str, Any]) -> None:
        if name not in self._sinks:
            self._sinks[name] = _sink(self._folder / f"{name}.{self._form}", self._form, self._headers.get(name, []))
        self._sinks[name].write(row)


def _text(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def write(records: Iterable[SimulatedRecord], folder: Path, form: str = "ndjson") -> Counter[str]:
    """Write `<source>.<form>` for every channel, `truth.<form>`, `pairs.<form>` and labelled.ndjson; count records by source.

    Raises: ValueError for another format than FORMATS.
    """
    if form not in FORMATS:
        raise ValueError(f"say one of {', '.join(FORMATS)}")
    folder.mkdir(parents=True, exist_ok=True)
    counted: Counter[str] = Counter()
    with Writer(folder, form) as writer:
        for record in records:
            writer.write(record)
            counted[record.source] += 1
    return counted
