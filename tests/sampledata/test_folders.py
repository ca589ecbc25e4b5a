"""A retailer's folder: claimed once, cleared only of what was written there by us."""

from pathlib import Path

import pytest

from sampledata.folders import MARK, SHUFFLE, claim

RIVALS = ["pos.csv", "pos.ndjson", "truth.csv", "truth.ndjson"]


def test_an_empty_or_missing_folder_is_claimed(tmp_path: Path) -> None:
    claim(tmp_path / "deep" / "new", ["pos.csv"], RIVALS)
    assert (tmp_path / "deep" / "new" / MARK).read_text() == "pos.csv\n"


@pytest.mark.parametrize("rival", RIVALS)
def test_a_folder_with_another_retailer_is_refused_in_any_format(tmp_path: Path, rival: str) -> None:
    (tmp_path / rival).write_text("theirs")
    with pytest.raises(FileExistsError, match=rival):
        claim(tmp_path, ["pos.csv"], RIVALS)
    assert [path.name for path in tmp_path.iterdir()] == [rival]


def test_unrelated_files_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("mine")
    claim(tmp_path, ["pos.csv"], RIVALS)


def test_replacing_removes_what_the_mark_names_and_nothing_else(tmp_path: Path) -> None:
    claim(tmp_path, ["pos.csv", "truth.csv"], RIVALS)
    for name in ("pos.csv", "readme.md"):
        (tmp_path / name).write_text("old")
    (tmp_path / SHUFFLE).mkdir()
    claim(tmp_path, ["pos.ndjson"], RIVALS, replace=True)
    assert {path.name for path in tmp_path.iterdir()} == {"readme.md", MARK}
    assert (tmp_path / MARK).read_text() == "pos.ndjson\n"


def test_replacing_spares_files_that_were_not_written_by_us(tmp_path: Path) -> None:
    (tmp_path / "pos.csv").write_text("a till's own export")
    with pytest.raises(FileExistsError, match="not simulated"):
        claim(tmp_path, ["pos.csv"], RIVALS, replace=True)
    assert (tmp_path / "pos.csv").read_text() == "a till's own export"


def test_a_mark_cannot_point_outside(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    claim(folder, ["pos.csv"], RIVALS)
    (tmp_path / "precious").write_text("stays")
    (folder / MARK).write_text("../precious\npos.csv\n")
    claim(folder, ["pos.csv"], RIVALS, replace=True)
    assert (tmp_path / "precious").read_text() == "stays"
