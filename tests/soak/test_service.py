"""What a soak removes of those before it: the data of a soak, and nothing else."""

from pathlib import Path

import pytest

from soak import service


@pytest.mark.parametrize("noted", ["", ".", "..", "kept"])
def test_a_note_that_names_no_soaks_folder_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted: str) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.chdir(kept)
    (kept / "file").touch()
    service._remove(Path(noted) if noted != "kept" else kept)
    assert (kept / "file").exists()
