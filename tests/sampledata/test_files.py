"""The retailer as files: every format holds the same values, and the truth names every row."""

import csv
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sampledata.files import CSV_DELIMITERS, FORMATS, LABELLED, POLICY, flattened, row_of, write
from sampledata.folders import MARK
from sampledata.retailer import SOURCES, SimulatedRecord, simulate


@pytest.mark.parametrize("form", FORMATS)
def test_every_channel_has_its_file_and_the_truth(tmp_path: Path, form: str) -> None:
    counted = write(simulate(150, 1), tmp_path, form)
    files = {f"{name}.{form}" for name in (*SOURCES, "truth", "pairs")}
    assert {path.name for path in tmp_path.iterdir()} == files | {LABELLED, POLICY, MARK}
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
    assert sorted((row["source"], row["record_key"], row["truth"]) for row in truth) == sorted(
        (record.source, record.key, record.truth) for record in simulate(150, 1)
    )


def labelled_rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / LABELLED).read_text(encoding="utf-8").splitlines()]


def test_the_labelled_file_holds_every_row_of_every_channel(tmp_path: Path) -> None:
    write(simulate(150, 1), tmp_path, "csv")
    rows = {(row["source"], row["record_key"]): row for row in labelled_rows(tmp_path)}
    expected = [{"source": one.source, "truth": one.truth, **row_of(one)} for one in simulate(150, 1)]
    assert len(labelled_rows(tmp_path)) == len(expected)
    assert rows == {(row["source"], row["record_key"]): row for row in expected}


def test_rows_beside_each_other_are_strangers(tmp_path: Path) -> None:
    """Customer by customer, more than half of the rows would follow one of the same customer; by chance one in a thousand."""
    write(simulate(1_000, 1), tmp_path)
    truths = [row["truth"] for row in labelled_rows(tmp_path)]
    assert sum(one == other for one, other in pairwise(truths)) < 20
    numbers = [int(truth[1:]) for truth in truths]
    assert sum(abs(one - other) < 5 for one, other in pairwise(numbers)) < len(numbers) * 0.03


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(simulate(150, seed), tmp_path / name)
    same, other, different = ((tmp_path / name / LABELLED).read_bytes() for name in "abc")
    assert same == other != different


def test_two_retailers_never_share_a_folder(tmp_path: Path) -> None:
    write(simulate(150, 1), tmp_path, "csv")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match=r"acquired\.csv"):
        write(simulate(1, 2), tmp_path, "ndjson")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "notes.txt").write_text("mine")
    write(simulate(1, 2), tmp_path, "ndjson", replace=True)
    assert not list(tmp_path.glob("*.csv"))
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_run_cut_short_is_known_as_ours(tmp_path: Path) -> None:
    def failing() -> Iterator[SimulatedRecord]:
        yield from simulate(50, 1)
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        write(failing(), tmp_path)
    write(simulate(50, 1), tmp_path, replace=True)
    assert len(labelled_rows(tmp_path)) == len(list(simulate(50, 1)))


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
