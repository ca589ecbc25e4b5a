"""`mdm export` writes a file whole or not at all, leaves none in the service's folder, and says the cursor."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from cli import export_commands
from kernel.errors import Invalid, MdmError
from mdm import export_files, export_registry

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    for left in export_registry.folder().iterdir():
        left.unlink()
    mdm = master.start()
    mdm.put("shop", "=1", MARIA)
    mdm.drain()
    return mdm


def run(*arguments: object) -> Result:
    app = typer.Typer()
    export_commands.register(app)
    export_commands.console.width = 200
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def test_a_file_is_written_and_its_cursor_said(mdm: Master, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    out.write_text("of yesterday")
    said = run("crosswalk", "--out", out).output
    assert out.read_text().splitlines()[1].startswith("shop,'=1,")
    assert "1 row, consistent with" in said
    assert "got a quote in front" in said
    assert (list(tmp_path.iterdir()), list(export_registry.folder().iterdir())) == ([out], [])
    assert query("SELECT state FROM job") == [("finished",)]
    run("golden", "--field", "birth_date", "--format", "parquet", "--brand", "acme", "--source", "shop", "--out", tmp_path / "p")
    assert pq.read_table(tmp_path / "p").column("birth_date").to_pylist() == ["1984-03-12"]


def test_what_cannot_be_leaves_no_file(mdm: Master, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        run("crosswalk", "--out", tmp_path / "away" / "x.csv")
    monkeypatch.setattr(export_files, "LEFT_FREE_BYTES", 2**62)
    with pytest.raises(MdmError, match="storage_full"):
        run("crosswalk", "--out", tmp_path / "x.csv")
    assert (list(tmp_path.iterdir()), list(export_registry.folder().iterdir())) == ([], [])
