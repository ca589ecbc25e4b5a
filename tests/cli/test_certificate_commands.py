"""`mdm source certify` says what differs and writes the signed report; `heal` does what it has said before."""

import json
import re
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from cli import certificate_commands, policy_commands
from kernel import clock
from kernel.errors import MdmError
from mdm import export_registry, uploads

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    for folder in (uploads.folder(), export_registry.folder()):
        for left in folder.iterdir():
            left.unlink()
    mdm = master.start()
    mdm.put("shop", "1", MARIA)
    mdm.put("shop", "2", {"given_name": "Otto", "surname": "Becker"})
    mdm.drain()
    return mdm


def run(*arguments: object) -> Result:
    app = typer.Typer()
    for module in (policy_commands, certificate_commands):
        module.register(app)
        module.console.width = 200
    return CliRunner().invoke(app, ["source", *map(str, arguments)], catch_exceptions=False)


def test_a_source_is_certified_and_healed(mdm: Master, tmp_path: Path) -> None:
    extract, report = tmp_path / "keys.csv", tmp_path / "report.json"
    extract.write_text("key\n1\n3\n")
    now = clock.now().isoformat()
    said = run("certify", "shop", extract, "--taken-at", now, "--report", report)
    assert said.exit_code == certificate_commands.NOT_CLEAN
    assert re.search(r"1\s+here, and not in the source\s+2\s", said.output)
    assert json.loads(report.read_text())["report"]["examples"]["missing"] == ["3"]
    made = re.findall(r"Certificate (\S+),", said.output)[0]
    assert "To be confirmed: deletes_much" in run("heal", "shop", made, "--dry-run").output
    with pytest.raises(MdmError, match="confirm"):
        run("heal", "shop", made, "--reason", "Nightly.")
    assert "1 deleted, 0 given up" in run("heal", "shop", made, "--reason", "Nightly.", "--confirm").output
    assert query("SELECT source_key FROM source_record WHERE NOT is_deleted") == [("1",)]
    extract.write_text("key\n1\n")
    assert run("certify", "shop", extract, "--taken-at", clock.now().isoformat()).exit_code == 0


def test_what_cannot_be_is_told(mdm: Master, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("key\n")
    for code, arguments in {
        "empty_extract": (tmp_path / "x.csv", "--taken-at", clock.now().isoformat()),
        "bad_time": (tmp_path / "x.csv", "--taken-at", "2026-03-01T02:00:00"),
        "no_file": (tmp_path / "y.csv", "--taken-at", clock.now().isoformat()),
    }.items():
        with pytest.raises(MdmError) as refused:
            run("certify", "shop", *arguments)
        assert refused.value.code == code
    assert list(uploads.folder().iterdir()) == []
