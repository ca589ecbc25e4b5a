"""The retailer as files: every format holds the same values, and the truth names every row."""

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sampledata.files import CSV_DELIMITERS, FORMATS, LABELLED, flattened, row_of, write
from sampledata.retailer import SOURCES, simulate


@pytest.mark.parametrize("form", FORMATS)
def test_every_channel_has_its_file_and_the_truth(tmp_path: Path, form: str) -> None:
    counted = write(simulate(150, 1), tmp_path, form)
    files = {f"{name}.{form}" for name in (*SOURCES, "truth", "pairs")}
    assert {path.name for path in tmp_path.iterdir()} == files | {LABELLED}
    assert set(counted) == set(SOURCES)


def test_the_three_formats_hold_the_same_values(tmp_path: Path) -> None:
    for form in FORMATS:
        write(simulate(150, 1), tmp_path / form, form)
    for source in SOURCES:
        lines = (tmp_path / "ndjson" / f"{source}.ndjson").read_text(encoding="utf-8").splitlines()
        rows = [{name: text for name, text in flattened(json.loads(line)) if text} for line in lines]
        with (tmp_path / "csv" / f"{source}.csv").open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter=CSV_DELIMITERS.get(source, ","))
            assert [{name: text for name, text in row.items() if text} for row in reader] == rows
        table = pq.read_table(tmp_path / "parquet" / f"{source}.parquet").to_pylist()
        assert [{name: text for name, text in row.items() if text} for row in table] == rows


def test_the_truth_names_every_row(tmp_path: Path) -> None:
    write(simulate(150, 1), tmp_path, "ndjson")
    truth = [json.loads(line) for line in (tmp_path / "truth.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [(row["source"], row["record_key"], row["truth"]) for row in truth] == [
        (record.source, record.key, record.truth) for record in simulate(150, 1)
    ]


def test_the_labelled_file_holds_every_row_of_every_channel(tmp_path: Path) -> None:
    write(simulate(150, 1), tmp_path, "csv")
    rows = [json.loads(line) for line in (tmp_path / LABELLED).read_text(encoding="utf-8").splitlines()]
    assert rows == [{"source": one.source, "truth": one.truth, **row_of(one)} for one in simulate(150, 1)]


def test_no_payload_knows_the_truth() -> None:
    """The labelled file puts source and truth before the payload: a field of that name would stand over them."""
    for record in simulate(300, 1):
        assert record.payload.keys().isdisjoint({"source", "truth", "record_key", "record_updated_at"})
        assert record.truth not in json.dumps(record.payload)


def test_rows_carry_key_and_time() -> None:
    record = next(simulate(1, 1))
    assert list(row_of(record))[:2] == ["record_key", "record_updated_at"]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ndjson, csv, parquet"):
        write(simulate(1, 1), tmp_path, "xlsx")
