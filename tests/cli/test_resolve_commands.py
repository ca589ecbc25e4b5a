"""`mdm verify` and `mdm reconcile` as their user runs them."""

import pytest
import typer
from typer.testing import CliRunner

from cli import resolve_commands

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, query


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("pos", "A", MARIA)
    return made


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


def test_verify_names_what_differs_and_says_so_by_its_exit_code(mdm: Master) -> None:
    mdm.drain()
    query('UPDATE golden SET body = body || \'{"display_name": "X"}\'')
    for arguments in (["verify"], ["verify", "--golden", str(golden_of("shop", "1"))]):
        code, said = run(*arguments)
        assert (code, "golden_value" in said, str(golden_of("shop", "1")) in said) == (2, True, True)
        assert "Garcia" not in said


def test_a_golden_id_that_was_never_issued_is_not_verified(mdm: Master) -> None:
    app = typer.Typer()
    resolve_commands.register(app)
    result = CliRunner().invoke(app, ["verify", "--golden", "0199aaaa-0000-7000-8000-000000000000"])
    assert (result.exit_code, getattr(result.exception, "code", None)) == (1, "unknown_golden")
