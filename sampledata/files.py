"""The simulated retailer as files: one per channel, the truth and the labelled pairs, in NDJSON, CSV or Parquet.

A row is the payload with `record_key` and `record_updated_at` before it. CSV and Parquet hold texts under dotted headers
(`member.given`, `parent_id.0`). `labelled.ndjson` holds all rows of all channels, each with its source and truth before it.
Rows stand in an order that tells nothing of the customers: shuffled as a whole, by their keys, in bounded memory.
"""

import csv
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sampledata.folders import SHUFFLE, claim
from sampledata.pairs import LabelledPair, PairMaker
from sampledata.retailer import SOURCES, SimulatedRecord, simulate
from sampledata.shuffle import Shuffle

FORMATS = ("ndjson", "csv", "parquet")
TRUTH, PAIRS = "truth", "pairs"
LABELLED, POLICY = "labelled.ndjson", "policy.yaml"
TRUTH_HEADERS = ["source", "record_key", "truth"]
PAIR_HEADERS = ["source_a", "record_key_a", "source_b", "record_key_b", "same", "why"]
# The acquired mail-order house never heard of commas.
CSV_DELIMITERS = {"acquired": ";"}
ROWS_A_PIECE = 20_000
HEADERS_FROM = 400


class _Sink(ABC):
    """A file of rows, each given as it is or as its line of JSON."""

    @abstractmethod
    def write(self, row: dict[str, Any]) -> None: ...

    def write_line(self, line: str) -> None:
        self.write(json.loads(line))

    @abstractmethod
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


class _Ndjson(_Sink):
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def write(self, row: dict[str, Any]) -> None:
        self._file.write(_text(row))

    def write_line(self, line: str) -> None:
        self._file.write(line)

    def close(self) -> None:
        self._file.close()


class _Csv(_Sink):
    def __init__(self, path: Path, headers: list[str]) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        delimiter = CSV_DELIMITERS.get(path.stem, ",")
        self._writer = csv.DictWriter(self._file, headers, restval="", delimiter=delimiter, lineterminator="\n")
        self._writer.writeheader()

    def write(self, row: dict[str, Any]) -> None:
        self._writer.writerow(dict(flattened(row)))

    def close(self) -> None:
        self._file.close()


class _Parquet(_Sink):
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
    """The files of one retailer, each opened with its first row; a context that fills them when the last record is in."""

    def __init__(self, folder: Path, form: str) -> None:
        self._folder, self._form = folder, form
        self._headers = {**channel_headers(), TRUTH: TRUTH_HEADERS, PAIRS: PAIR_HEADERS} if form != "ndjson" else {}
        self._sinks: dict[str, _Sink] = {}
        self._shuffle = Shuffle(folder / SHUFFLE)
        self._pairs = PairMaker()

    def __enter__(self) -> Self:
        self._shuffle.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Write all rows in their shuffled order; after a failure only close what is open."""
        try:
            if kind is None:
                self._put_pairs(self._pairs.close())
                self._unfold()
        finally:
            for sink in self._sinks.values():
                sink.close()
            self._shuffle.__exit__(kind, error, trace)

    def write(self, record: SimulatedRecord) -> None:
        """Take a record for its channel's file, the labelled one and the truth; write the pairs that are complete with it."""
        head = "\t".join((record.source, record.truth, record.key))
        self._shuffle.add(f"{record.source}:{record.key}", f"{head}\t{_text(row_of(record))}")
        self._put_pairs(self._pairs.add(record))

    def _put_pairs(self, pairs: Iterable[LabelledPair]) -> None:
        for pair in pairs:
            self._sink(PAIRS).write(pair.as_row())

    def _unfold(self) -> None:
        with (self._folder / LABELLED).open("w", encoding="utf-8", newline="\n") as labelled:
            for told in self._shuffle.lines():
                source, truth, key, line = told.split("\t", 3)  # JSON writes a tab of its own as \\t.
                labelled.write(f'{{"source": "{source}", "truth": "{truth}", {line[1:]}')
                self._sink(source).write_line(line)
                self._sink(TRUTH).write({"source": source, "record_key": key, "truth": truth})

    def _sink(self, name: str) -> _Sink:
        if name not in self._sinks:
            self._sinks[name] = _sink(self._folder / f"{name}.{self._form}", self._form, self._headers.get(name, []))
        return self._sinks[name]


def _text(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def policy_text() -> str:
    """The policy that maps all channels, as YAML."""
    return resources.files("sampledata").joinpath(POLICY).read_text(encoding="utf-8")


def names_of(form: str) -> list[str]:
    """The files of a retailer in one format."""
    return [*(f"{name}.{form}" for name in (*SOURCES, TRUTH, PAIRS)), LABELLED, POLICY]


def write(records: Iterable[SimulatedRecord], folder: Path, form: str = "ndjson", *, replace: bool = False) -> Counter[str]:
    """Write a retailer's folder: `<source>.<form>` per channel, truth, pairs, labelled.ndjson and policy; count by source.

    With `replace`, the files of an earlier run there are removed first; others are never touched.

    Raises: ValueError for another format than FORMATS; FileExistsError for a folder that holds such files already.
    """
    if form not in FORMATS:
        raise ValueError(f"say one of {', '.join(FORMATS)}")
    claim(folder, names_of(form), {name for each in FORMATS for name in names_of(each)}, replace)
    counted: Counter[str] = Counter()
    with Writer(folder, form) as writer:
        for record in records:
            writer.write(record)
            counted[record.source] += 1
    (folder / POLICY).write_text(policy_text(), encoding="utf-8")
    return counted
