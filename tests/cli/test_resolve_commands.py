"""`mdm verify` and `mdm reconcile` as their user runs them."""

import dataclasses
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from cli import rebuild_commands, resolve_commands
from cli.doctor import examine
from cli.findings import State
from kernel import db
from kernel.settings import configure, settings
from matching import calibration
from matching.model import default_model
from mdm import versions
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, query


@pytest.fixture
def mdm(database: str) -> Iterator[Master]:
    made, given = master.start(), settings()
    made.put("shop", "1", MARIA)
    made.put("pos", "A", MARIA)
    yield made
    configure(given)


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    resolve_commands.register(app)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_reconcile_resolves_and_verify_finds_no_difference(mdm: Master) -> None:
    code, said = run("reconcile")
    assert (code, "2 records" in said, "1 golden record written" in said) == (0, True, True)
    code, said = run("verify", "--deep")
    assert (code, "0 differences" in said) == (0, True)


def test_reconcile_says_which_path_it_chose(mdm: Master) -> None:
    code, said = run("reconcile")
    assert (code, "2 records: resolved one by one; in bulk from 10,000 on" in " ".join(said.split())) == (0, True)
    configure(settings().model_copy(update={"bulk_from_records": 2}))
    code, said = run("reconcile", "--memory-limit", "512MB")
    assert (code, "2 records: resolved in bulk, DuckDB within 512MB" in " ".join(said.split())) == (0, True)


def test_a_model_that_was_trained_for_far_fewer_records_is_told_of(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "trained for 1 record, of which there are 2: it gives each pair some 1 bits too much"
    monkeypatch.setattr(calibration, "OUTGROWN", 2)
    assert told not in " ".join(run("reconcile")[1].split())
    with db.transaction() as session:
        versions.adopt(session, model=dataclasses.replace(default_model(), report={"records": 1}, fingerprint=""))
    said = " ".join(run("reconcile")[1].split())
    assert told in said
    assert "train --use` fits one" in said
    (finding,) = (one for one in examine(settings()) if one.what == "model")
    assert (finding.state, finding.mend, told in finding.seen) == (State.ODD, "mdm train --use", True)


def test_reconcile_takes_a_part_and_plans_it_first(mdm: Master) -> None:
    code, said = run("reconcile", "--dry-run", "--source", "pos")
    assert (code, "1 golden id would answer otherwise" in " ".join(said.split())) == (0, True)
    assert query("SELECT count(*) FROM golden") == [(0,)]
    code, said = run("reconcile", "--brand", "acme")
    assert (code, "1 golden record written" in said) == (0, True)
    assert run("reconcile", "--brand", "none")[0] == 1


@pytest.mark.parametrize("part", [[], ["--source", "pos"]], ids=["everybody", "a part"])
def test_what_could_not_be_resolved_is_told_as_that_and_by_the_exit_code(
    mdm: Master, part: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(tasks, "project", fail)
    code, said = run("reconcile", *part)
    assert (code, "could not be resolved here" in said, "meanwhile" in said) == (2, True, False)


def test_a_memory_limit_that_is_no_size_is_wrong_usage(mdm: Master) -> None:
    code, said = run("reconcile", "--memory-limit", "plenty")
    assert (code, "such as 4GB" in said) == (2, True)  # What typer calls wrong usage.


def test_verify_names_what_differs_and_says_so_by_its_exit_code(mdm: Master) -> None:
    mdm.drain()
    query('UPDATE golden SET body = body || \'{"display_name": "X"}\'')
    for arguments in (["verify"], ["verify", "--golden", str(golden_of("shop", "1"))]):
        code, said = run(*arguments)
        assert (code, "golden_value" in said, str(golden_of("shop", "1")) in said) == (2, True, True)
        assert "Garcia" not in said


def test_rebuild_puts_right_what_differs_and_says_what_did(mdm: Master) -> None:
    mdm.drain()
    golden_id = golden_of("shop", "1")
    query('UPDATE golden SET body = body || \'{"display_name": "X"}\'')
    code, said = rebuild_by_command()
    assert (code, "2 differences found" in said, str(golden_id) in said, "0 differences" in said) == (0, True, True, True)
    assert "Garcia" not in said
    code, said = rebuild_by_command()
    assert (code, "0 differences found" in said, golden_of("shop", "1")) == (0, True, golden_id)


def test_rebuild_says_by_its_exit_code_what_it_cannot_put_right(mdm: Master) -> None:
    mdm.drain()
    mdm.put("shop", "1", {**MARIA, "preferred_store": "S9"})
    mdm.drain()
    query("UPDATE golden_version SET body = body - 'values' WHERE version = 1")
    code, said = rebuild_by_command()
    assert (code, "golden_version" in said) == (2, True)


def rebuild_by_command() -> tuple[int, str]:
    app = typer.Typer()
    rebuild_commands.register(app)
    result = CliRunner().invoke(app, [])
    return result.exit_code, " ".join(result.output.split())


def test_a_golden_id_that_was_never_issued_is_not_verified(mdm: Master) -> None:
    app = typer.Typer()
    resolve_commands.register(app)
    result = CliRunner().invoke(app, ["verify", "--golden", "0199aaaa-0000-7000-8000-000000000000"])
    assert (result.exit_code, getattr(result.exception, "code", None)) == (1, "unknown_golden")
