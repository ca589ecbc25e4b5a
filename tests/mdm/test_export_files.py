"""The file of an export: every value comes back, a spreadsheet computes none of it, and what is not whole is not there."""

import csv
import errno
import hashlib
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Unavailable
from mdm import export_files
from mdm.export_files import ExportFile, Kind, Written, without_formula

COLUMNS = {"key": Kind.TEXT, "version": Kind.NUMBER, "said": Kind.TEXT}
ROWS = [("=1+1", 1, None), ('a,"b"\r\nc', 2, "\u00fc"), ("+34600123123", None, "'@x")]


Rows = Sequence[tuple[object, ...]]
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def made(path: Path, file_format: str, rows: Rows, columns: dict[str, Kind] | None = None) -> Written:
    with ExportFile(path, file_format, columns or COLUMNS) as file:
        for start in range(0, len(rows), 500):
            file.write(rows[start : start + 500])
        return file.publish()


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+A1", "'+A1"),
        ("-2+3", "'-2+3"),
        ("+1-1", "'+1-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("+4930123456", "+4930123456"),
        ("-12.5", "-12.5"),
        ("Ada", "Ada"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
    ids=[
        "dde",
        "plus",
        "minus",
        "arithmetic",
        "at",
        "tab",
        "return",
        "space",
        "wide",
        "quoted",
        "phone",
        "number",
        "name",
        "own",
        "none",
    ],
)
def test_what_a_spreadsheet_would_compute_gets_a_quote(cell: str, safe: str) -> None:
    assert without_formula(cell) == safe


@given(st.text(st.sampled_from("'=+-@|%\t\r\n 1a\uff1d\ufeff"), max_size=6))
def test_the_quote_comes_off_again(cell: str) -> None:
    safe = without_formula(cell)
    back = safe[1:] if safe.startswith("'") and export_files.FORMULA.match(safe) else safe
    assert back == cell
    assert not safe.startswith(("=", "@")) or safe == cell


@given(st.lists(st.tuples(TEXTS, st.none() | st.integers(0, 2**62))))
def test_every_value_comes_back_from_csv(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int | None]]) -> None:
    path = tmp_path_factory.mktemp("x") / "x.csv"
    made(path, "csv", rows, {"key": Kind.TEXT, "version": Kind.NUMBER})
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.reader(file))[1:]
    assert read == [[without_formula(key), "" if version is None else str(version)] for key, version in rows]


def test_each_format_holds_the_rows_and_the_hash_is_of_the_file(tmp_path: Path) -> None:
    for name in export_files.FORMATS:
        written = made(tmp_path / name, name, ROWS)
        data = (tmp_path / name).read_bytes()
        assert (written.rows, written.size, written.sha256) == (3, len(data), hashlib.sha256(data).digest())
        assert written.neutralised == (2 if name == "csv" else 0)
    assert [tuple(one.values()) for one in map(orjson.loads, (tmp_path / "ndjson").read_bytes().splitlines())] == ROWS
    assert [tuple(one.values()) for one in pq.read_table(tmp_path / "parquet").to_pylist()] == ROWS
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(export_files.FORMATS)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_json_stands_in_ndjson_as_it_is(tmp_path: Path) -> None:
    made(tmp_path / "x", "ndjson", [('{"given":"Ada"}',), ('"de"',), (None,)], {"said": Kind.JSON})
    assert (tmp_path / "x").read_text() == '{"said":{"given":"Ada"}}\n{"said":"de"}\n{"said":null}\n'


@pytest.mark.parametrize("file_format", export_files.FORMATS)
def test_without_rows_there_is_a_file_still(tmp_path: Path, file_format: str) -> None:
    assert made(tmp_path / "x", file_format, []).rows == 0
    expected = {"csv": b"key,version,said\r\n", "ndjson": b""}
    assert (tmp_path / "x").read_bytes() == expected.get(file_format, (tmp_path / "x").read_bytes())


@pytest.fixture
def small_disk() -> Iterator[None]:
    """The system refuses to let a file grow beyond 100 kB, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("file_format", export_files.FORMATS)
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, small_disk: None, file_format: str) -> None:
    rows = [(hashlib.sha256(b"%d" % n).hexdigest(), n, "x") for n in range(10_000)]
    with pytest.raises(Unavailable) as full:
        made(tmp_path / "x", file_format, rows)
    assert full.value.code == "storage_full"
    assert list(tmp_path.iterdir()) == []


def test_the_last_of_a_disk_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "LEFT_FREE_BYTES", 2**62)
    with pytest.raises(Unavailable), ExportFile(tmp_path / "x", "csv", COLUMNS) as file:
        file.write(ROWS)
    assert list(tmp_path.iterdir()) == []


def test_another_trouble_than_a_full_disk_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        made(tmp_path / "away" / "x", "csv", [])
    assert error.value.errno == errno.ENOENT
