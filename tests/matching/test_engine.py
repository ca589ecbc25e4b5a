"""DuckDB within a memory limit: what does not fit spills, and a limit that is none is refused."""

from pathlib import Path

import duckdb
import pytest

from matching.engine import engine, is_memory_limit, memory_bytes


def test_what_does_not_fit_into_memory_spills_into_a_folder_that_goes() -> None:
    with engine("100MB") as connection:
        folder = Path(str(connection.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))
        wide = "SELECT range AS number, md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS text FROM range(2_000_000)"
        connection.execute(f"CREATE TABLE sorted AS SELECT * FROM ({wide}) ORDER BY text")
        assert connection.execute("SELECT count(DISTINCT number) FROM sorted").fetchall() == [(2_000_000,)]
        assert any(folder.iterdir())
    assert not folder.exists()


def test_a_limit_that_is_none_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="such as 4GB"), engine("plenty"):
        pass


@pytest.mark.parametrize(
    ("text", "is_one"), [("4GB", True), ("512 MB", True), ("1.5GiB", True), ("4", False), ("GB", False), ("-1GB", False)]
)
def test_a_size_is_a_number_and_a_unit(text: str, is_one: bool) -> None:
    assert is_memory_limit(text) is is_one
    with duckdb.connect() as connection:
        if is_one:
            connection.execute("SET memory_limit = ?", [text])


@pytest.mark.parametrize("text", ["4GB", "512 MB", "1.5GiB", " 2tb ", "100kib", "0.25 GB"])
def test_a_size_is_as_many_bytes_as_duckdb_reads(text: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = ?", [text.strip()])
        shown = connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
        connection.execute("SET memory_limit = ?", [f"{memory_bytes(text) / 1000:.3f} KB"])
        assert connection.execute("SELECT current_setting('memory_limit')").fetchall()[0][0] == shown
