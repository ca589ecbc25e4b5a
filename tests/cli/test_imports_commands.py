"""`mdm imports`: what was loaded is listed, looked at before it is undone, undone on a yes only, and loaded again anew."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import import_commands, imports_commands
from kernel.errors import Conflict, Invalid, NotFound
from kernel.settings import settings

from .. import resolution as master
from ..resolution import Master, contents, query
from .test_import_commands import ROOT

HEADER = "id,given_name,surname,birth_date,emails\n"
ROWS = "1,Otto,Becker,1950-01-07,otto@telefonica.net\n2,Ines,Duarte,1977-05-05,ines@telefonica.net\n"


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "c.csv"
    path.write_text(HEADER + ROWS, encoding="utf-8")
    return path


def run(*arguments: object, answer: str | None = None) -> Result:
    app = typer.Typer()
    for module in (import_commands, imports_commands):
        module.register(app)
        module.console.width = 200
    return CliRunner().invoke(app, [*map(str, arguments)], input=answer, env={"COLUMNS": "200"})


def imported(mdm: Master, file: Path) -> tuple[str, str]:
    """Load the file into the shop and resolve it: the import's id, and what was said."""
    said = run("import", file, "-s", "shop")
    assert said.exit_code == 0, said.output
    mdm.drain()
    return str(query("SELECT job_id FROM job WHERE kind = 'import' ORDER BY created_at DESC LIMIT 1")[0][0]), said.output


def test_an_import_is_listed_looked_at_undone_and_loaded_again(mdm: Master, file: Path) -> None:
    assert "No file was imported yet" in run("imports", "list").output
    job, _ = imported(mdm, file)
    before = contents()
    listed = run("imports", "list").output
    assert all(text in listed for text in (job, "c.csv", "shop", "finished"))
    looked = run("imports", "undo", job, "--dry-run").output
    assert "2 were first brought by it and end" in looked
    assert "Golden ids that would answer otherwise: 2 ended" in looked
    refused = run("imports", "undo", job, "--reason", "Wrong file", answer="n\n")
    assert (refused.exit_code, contents(), query("SELECT count(*) FROM record_withdrawal")) == (1, before, [(0,)])
    done = run("imports", "undo", job, "--reason", "Wrong file", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "2 records taken back" in done.output
    mdm.drain()
    assert contents() == {}
    assert "undone" in run("imports", "list").output
    assert query("SELECT actor, after_hash IS NOT NULL FROM audit WHERE action = 'import.undo'")[0][1]
    assert isinstance(run("imports", "undo", job, "--reason", "again", "--yes").exception, Conflict)
    again, said = imported(mdm, file)
    assert "An import of this file was undone" in said
    assert "created" in said
    assert (again != job, contents().keys()) == (True, before.keys())
    assert "was undone" not in imported(mdm, file)[1]


def test_what_cannot_be_undone_is_refused(mdm: Master, file: Path) -> None:
    job, _ = imported(mdm, file)
    assert isinstance(run("imports", "undo", job, "--yes").exception, Invalid)
    assert isinstance(run("imports", "undo", "00000000-0000-0000-0000-000000000001", "--dry-run").exception, NotFound)


def test_a_killed_undo_goes_on_and_leaves_nothing_behind(mdm: Master, file: Path) -> None:
    rows = (f"{n},Ann{n},Lee{n % 97},1980-05-03,a{n}@lee.org\n" for n in range(1_500))
    file.write_text(HEADER + "".join(rows), encoding="utf-8")
    assert run("import", file, "-s", "shop").exit_code == 0
    job = str(query("SELECT job_id FROM job WHERE kind = 'import'")[0][0])
    process = subprocess.Popen(
        [sys.executable, "-c", "from cli.main import main; main()", "imports", "undo", job, "--reason", "Wrong", "--yes"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=settings().child_environment(),
    )  # fmt: skip
    deadline = time.monotonic() + 240
    while query("SELECT count(*) FROM record_withdrawal")[0][0] == 0:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    left = query("SELECT count(*) FROM source_record WHERE NOT is_deleted")[0][0]
    assert 0 < left < 1_500
    assert query("SELECT count(*) FROM record_withdrawal") == [(1_500 - left,)]
    done = run("imports", "undo", job, "--reason", "Wrong", "--yes")
    assert done.exit_code == 0, done.output
    assert re.search(r"cut off after (500|1,000) records", done.output), done.output
    assert query("SELECT count(*) FROM source_record WHERE NOT is_deleted") == [(0,)]
    assert query("SELECT count(*) FROM standard_record") == query("SELECT count(*) FROM blocking_key") == [(0,)]
    assert query("SELECT state, done_units, checkpoint FROM job WHERE kind = 'import_undo'") == [
        ("finished", 1_500, {"ended": 1_500})
    ]
