"""Every row of a file comes out with its line number, usable or with its problem; broken files say so."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid
from mdm.files import FileRow, Place, RowFile, fingerprint, open_rows
from mdm.policy_schema import FileFormat

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return made


def told(rows: RowFile) -> list[tuple[int, Any]]:
    return [(row.line_no, row.values if row.problem is None else row.problem.code) for row in rows.rows()]


def test_csv_rows_come_with_line_numbers(write: Write) -> None:
    rows = open_rows(write("a.csv", b'id,name\n1,Ann\n\n2,"Lee\nBob"\n3,Zoe\n'))
    assert told(rows) == [
        (2, {"id": "1", "name": "Ann"}), (4, {"id": "2", "name": "Lee\nBob"}), (6, {"id": "3", "name": "Zoe"}),
    ]  # fmt: skip
    assert rows.blank_lines == 1


def test_a_stray_quote_costs_one_line(write: Write) -> None:
    """DuckDB's sniffer made one column of such a file."""
    rows = open_rows(write("a.csv", b'id,name\n1,"An"n\n2,Lee\n3,"Zoe\n4,"Kim"\n5,Bo\n'))
    assert told(rows) == [
        (2, "broken_quoting"), (3, {"id": "2", "name": "Lee"}), (4, "broken_quoting"), (5, {"id": "4", "name": "Kim"}),
        (6, {"id": "5", "name": "Bo"}),
    ]  # fmt: skip


def test_a_value_that_no_field_can_hold_is_too_long(write: Write) -> None:
    rows = open_rows(write("a.csv", b"id,name\n1," + b"A" * 200_000 + b"\n2,Lee\n"))
    assert told(rows) == [(2, "value_too_long"), (3, {"id": "2", "name": "Lee"})]


@pytest.mark.parametrize(
    "line",
    [b"1," + b"A" * 7_000_000, b"1" + b",A" * 3_500_000, b'1,"A\n' + b"A" * 7_000_000 + b'"'],
    ids=["one value", "many values", "behind an open quote"],
)
def test_a_line_of_any_length_is_one_row_and_the_lines_behind_it_keep_their_numbers(write: Write, line: bytes) -> None:
    rows = open_rows(write("a.csv", b"id,name\n" + line + b"\n2,Lee\n3,Zoe\n"))
    last = 3 + line.count(b"\n")
    found = told(rows)
    assert found[-2:] == [(last, {"id": "2", "name": "Lee"}), (last + 1, {"id": "3", "name": "Zoe"})]
    assert [at for at, _ in found] == list(range(2, last + 2))
    assert {code for _, code in found[:-2]} <= {"payload_too_large", "broken_quoting"}
    reached = [rows.reached for _ in rows.rows()]
    assert [row.values for row in rows.rows(reached[-2] or Place())] == [{"id": "3", "name": "Zoe"}]


def test_a_header_line_longer_than_a_record_is_refused_not_cut(write: Write) -> None:
    with pytest.raises(Invalid, match="longer than a record may be"):
        open_rows(write("a.csv", b"id," + b",".join(b"c%d" % n for n in range(400_000)) + b"\n1\n"))


def test_a_header_line_of_very_many_columns_is_read_at_once(write: Write) -> None:
    """Each name was counted among all: a header line of 2 MB held a worker for minutes, until the job was cancelled."""
    names = [b"c%d" % n for n in range(150_000)]
    assert len(open_rows(write("a.csv", b",".join(names) + b"\n")).columns) == 150_000
    with pytest.raises(Invalid, match=r"twice: c0, c1, c10, c11, c12 and 95 more$"):
        open_rows(write("b.csv", b",".join([*names, *names[:100]]) + b"\n"))


def test_a_quote_that_is_never_closed_costs_one_line(write: Write) -> None:
    rows = open_rows(write("a.csv", b'id,name\n1,"Ann\n' + b"".join(b"%d,Lee\n" % n for n in range(2, 500))))
    found = told(rows)
    assert found[0] == (2, "broken_quoting")
    assert found[1:] == [(n + 1, {"id": str(n), "name": "Lee"}) for n in range(2, 500)]


def test_a_stray_quote_that_swallows_a_line_gives_it_back(write: Write) -> None:
    rows = open_rows(write("a.csv", b'id,name\n1,"Ann\n2,Lee",x\n3,Zoe\n4,"Kim\n5,Bo",\n'))
    assert told(rows) == [
        (2, "wrong_column_count"), (3, "wrong_column_count"), (4, {"id": "3", "name": "Zoe"}), (5, "wrong_column_count"),
        (6, "wrong_column_count"),
    ]  # fmt: skip


CSV_CELLS = st.text('ab,\n\r"\u00e9\u4e16 ', max_size=6)
LINES = st.lists(
    st.one_of(CSV_CELLS, st.builds('{},"{}"'.format, CSV_CELLS, CSV_CELLS), st.builds("{},{}".format, CSV_CELLS, CSV_CELLS))
)


def goes_on_anywhere(path: Path, declared: FileFormat | None = None) -> None:
    """Read from any row on it gives what is left, at the place that was reached there."""
    whole = list(open_rows(path, declared).rows())
    for cut in range(1, len(whole) + 1):
        first = open_rows(path, declared)
        assert list(itertools.islice(first.rows(), cut)) == whole[:cut]
        assert first.reached is not None
        assert list(open_rows(path, declared).rows(first.reached)) == whole[cut:]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_a_csv_file_goes_on_from_any_row(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, lines: list[str], end: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(end.join(["id,name", *lines]).encode(encoding, "replace"))
    goes_on_anywhere(path, FileFormat(encoding=encoding))


def test_an_ndjson_file_goes_on_from_any_row(write: Write) -> None:
    goes_on_anywhere(write("a.ndjson", b'\xef\xbb\xbf{"id": 1}\n\n{"id": 2}\r\nbroken\n' + b"x" * 2_000_000 + b'\n{"id": 3}'))


@pytest.mark.parametrize("groups", [1, 3, 1_000])
def test_a_parquet_file_goes_on_from_any_row(tmp_path: Path, groups: int) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": list(range(7))}), path, row_group_size=groups)
    goes_on_anywhere(path)


def test_what_is_written_in_two_bytes_each_is_read_from_the_beginning(write: Write) -> None:
    rows = open_rows(write("a.csv", "id,name\n1,Ann\n2,Lee\n".encode("utf-16")))
    assert len(list(rows.rows())) == 2
    assert rows.reached is None


@pytest.mark.parametrize("line", [b"1\n", b"1,2,3\n", b"1,2,3"])
def test_a_row_of_the_wrong_width_is_rejected(write: Write, line: bytes) -> None:
    assert told(open_rows(write("a.csv", b"id,name\n" + line))) == [(2, "wrong_column_count")]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_line_endings_and_a_mark_are_no_data(write: Write, ending: bytes) -> None:
    rows = open_rows(write("a.csv", b"\xef\xbb\xbfid,name" + ending + b"1,J\xc3\xbcrgen"))
    assert told(rows) == [(2, {"id": "1", "name": "Jürgen"})]
    assert (rows.encoding, rows.found) == ("utf-8-sig", {"encoding"})


def test_cp1252_is_found_out_once_and_said(write: Write) -> None:
    rows = open_rows(write("a.csv", b"id,name\n1,J\xfcrgen\n2,Ren\xe9e \x80\n3,\x81\n"))
    assert told(rows) == [
        (2, {"id": "1", "name": "Jürgen"}), (3, {"id": "2", "name": "Renée €"}), (4, "invalid_encoding"),
    ]  # fmt: skip
    assert (rows.encoding, rows.found) == ("cp1252", {"encoding"})


def test_one_broken_byte_does_not_turn_a_utf8_file_into_cp1252(write: Write) -> None:
    rows = open_rows(write("a.csv", "id,name\n1,Jürgen\n2,Zoë\n".encode() + b"3,\xfc\n"))
    assert told(rows) == [(2, {"id": "1", "name": "Jürgen"}), (3, {"id": "2", "name": "Zoë"}), (4, "invalid_encoding")]


def test_a_declared_encoding_is_believed(write: Write) -> None:
    rows = open_rows(write("a.csv", "id;name\n1;Łódź\n".encode("cp1250")), FileFormat(encoding="cp1250", delimiter=";"))
    assert told(rows) == [(2, {"id": "1", "name": "Łódź"})]
    assert rows.found == frozenset()


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_an_undeclared_delimiter_is_read_from_the_header_line(write: Write, delimiter: str) -> None:
    rows = open_rows(write("a.csv", f"id{delimiter}name\n1{delimiter}Lee, Ann\n".encode()))
    assert told(rows) == [(2, {"id": "1", "name": "Lee, Ann"})]
    assert (rows.format.delimiter, rows.found) == (delimiter, {"encoding", "delimiter"})


@pytest.mark.parametrize("header", ["id,na;me", "id", '"i;d"'])
def test_a_comma_or_a_single_column_stays(write: Write, header: str) -> None:
    rows = open_rows(write("a.csv", header.encode() + b"\n1\n"))
    assert (rows.format.delimiter, rows.found) == (",", {"encoding"})


@pytest.mark.parametrize(
    ("header", "declared", "told"),
    [
        ("id;na|me", None, "semicolon or bar"),
        ("id;name", ",", 'file: {delimiter: ";"}'),
        ("id,name", ";", 'file: {delimiter: ","}'),
    ],
)
def test_a_header_line_that_belies_the_delimiter_fails(write: Write, header: str, declared: str | None, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_rows(write("a.csv", header.encode() + b"\n1;2\n"), FileFormat(delimiter=declared))
    assert caught.value.code == "wrong_delimiter"
    assert told in caught.value.detail


@pytest.mark.parametrize(
    ("name", "content", "rows"), [("a.csv", b"id\n1\n2", 2), ("a.csv", b"id\n", 0), ("a.ndjson", b"{}\n", 1)]
)
def test_rows_are_counted_before_they_are_read(write: Write, name: str, content: bytes, rows: int) -> None:
    assert open_rows(write(name, content)).estimated_rows() == rows


def test_utf16_is_told_by_its_mark(write: Write) -> None:
    assert told(open_rows(write("a.csv", "id,name\n1,Zoë\n".encode("utf-16")))) == [(2, {"id": "1", "name": "Zoë"})]


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("utf-8-sig", "utf-8"),
        ("utf-8", "UTF8"),
        ("utf-16", "UTF16"),
        ("utf-32", "utf-32"),
        ("shift_jis", "shift_jis"),
        ("gb18030", "gb18030"),
    ],
)
def test_a_declared_encoding_is_read_by_any_of_its_names_with_its_mark_or_without(
    write: Write, written: str, declared: str
) -> None:
    path, declared_format = write("a.csv", "id,name\n1,姓名\n2,名\n".encode(written)), FileFormat(encoding=declared)
    rows = open_rows(path, declared_format)
    assert rows.columns == ("id", "name")
    assert told(rows) == [(2, {"id": "1", "name": "姓名"}), (3, {"id": "2", "name": "名"})]
    place = next((rows.reached for row in rows.rows() if row.line_no == 2), None)
    if place is not None:  # Not where lines cannot be counted by bytes.
        assert [row.line_no for row in open_rows(path, declared_format).rows(place)] == [3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("氏名,電話番号,住所\n".encode("shift_jis"), "no text in cp1252; is it another encoding"),
        (b'"id,name\n', "a quote is not closed"),
    ],
)
def test_a_header_that_cannot_be_read_says_why(write: Write, content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        open_rows(write("a.csv", content))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty_file"),
        ("a.csv", b"\n\n", "empty_file"),
        ("a.ndjson", b"", "empty_file"),
        ("a.parquet", b"", "empty_file"),
        ("a.parquet", b"PAR1 and no more", "broken_file"),
        ("a.csv", b"id,id\n1,2\n", "bad_header"),
        ("a.csv", b'"id,name\n', "bad_header"),
        ("a.csv", b"PK\x03\x04\x00\x00\n1\n", "bad_header"),
        ("a.xlsx", b"PK", "unknown_file_kind"),
        (".", b"", "no_file"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    if name != ".":
        path.write_bytes(content)
    with pytest.raises(Invalid) as caught:
        open_rows(path)
    assert caught.value.code == code


def test_a_header_alone_is_a_file_of_no_rows(write: Write) -> None:
    assert told(open_rows(write("a.csv", b"id,name\n"))) == []


def test_ndjson_rows_come_with_line_numbers(write: Write) -> None:
    content = b'\xef\xbb\xbf{"id": 1}\n\n{"id": NaN}\n[1]\n{"id": "\xff"}\n{"id"\n' + b'{"a":' * 1_100 + b"\n" + b'{"id": 2}'
    rows = open_rows(write("a.ndjson", content))
    assert told(rows) == [
        (1, {"id": 1}), (3, "not_a_number"), (4, "not_an_object"), (5, "invalid_utf8"), (6, "invalid_json"), (7, "too_deep"),
        (8, {"id": 2}),
    ]  # fmt: skip
    assert rows.blank_lines == 1


def test_an_ndjson_line_past_the_limit_is_one_reject(write: Write) -> None:
    rows = open_rows(write("a.ndjson", b'{"a": "' + b"x" * 5_000_000 + b'"}\n{"id": 2}\n'))
    assert told(rows) == [(1, "payload_too_large"), (2, {"id": 2})]


def test_parquet_rows_come_with_row_numbers(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2], "x": [1.5, float("nan")], "b": [b"ok", b"\xff"], "l": [[{"a": float("nan")}], None]})
    pq.write_table(table, tmp_path / "a.parquet")
    rows = open_rows(tmp_path / "a.parquet")
    assert rows.columns == ("id", "x", "b", "l")
    assert told(rows) == [
        (1, {"id": 1, "x": 1.5, "b": "ok", "l": [{"a": None}]}), (2, {"id": 2, "x": None, "b": "\udcff", "l": None}),
    ]  # fmt: skip


def test_parquet_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": list(range(50_000))}), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Invalid) as caught:
        open_rows(tmp_path / "b.parquet")
    assert caught.value.code == "broken_file"


def test_parquet_that_is_broken_inside_says_where(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": [f"key-{n}" for n in range(50_000)]}), tmp_path / "a.parquet", row_group_size=5_000, compression="gzip"
    )
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2_000] = bytes(2_000)
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(Invalid, match=r"breaks off after row \d+"):
        list(open_rows(tmp_path / "a.parquet").rows())


def test_the_fingerprint_tells_content_and_circumstance(write: Write) -> None:
    one, other = write("a.csv", b"id\n1\n"), write("b.csv", b"id\n2\n")
    assert fingerprint(one, "pos") == fingerprint(write("c.csv", b"id\n1\n"), "pos")
    assert (
        len({fingerprint(one, "pos"), fingerprint(other, "pos"), fingerprint(one, "p", "os"), fingerprint(one, "po", "s")}) == 4
    )


LINES = st.lists(
    st.sampled_from([b"1,Ann", b'2,"Lee"', b'3,"a""b"', b'4,"x', b'5,y"', b'6,"a"b', b"7", b"8,\xff", b"", b'9,"m\nn"']),
    max_size=12,
)


@given(LINES)
def test_no_line_of_any_csv_is_lost(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(b"id,name\n" + b"\n".join(lines) + b"\n")
    rows = open_rows(path)
    found: list[FileRow] = list(rows.rows())
    covered = sum(row.raw.count(b"\n") for row in found) + rows.blank_lines
    assert covered == path.read_bytes().count(b"\n") - 1
    assert all((row.values is None) == (row.problem is not None) for row in found)
