"""`mdm users`: added, listed, locked out and let in again."""

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import user_commands
from cli.failures import explain
from kernel import db
from stewardship import accounts


@pytest.fixture(autouse=True)
def cheap(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "COST", (2**4, 8, 1))


def run(*arguments: str, given: str = "") -> Result:
    app = typer.Typer()
    user_commands.register(app)
    return CliRunner().invoke(app, ["users", *arguments], input=given)


def is_right(password: str) -> bool:
    with db.transaction() as session:
        return accounts.is_right(session, "ana", password)


def test_somebody_is_added_with_a_password_that_is_shown_once() -> None:
    added = run("add", "ana", "--brand", "acme", "--timezone", "Europe/Madrid")
    assert is_right(added.stdout.strip())
    listed = run("list").output
    assert "Europe/Madrid" in listed
    assert added.stdout.strip() not in listed
    assert "already" in str(explain(run("add", "ana").exception or ValueError()))


def test_a_password_of_ones_own_comes_by_standard_input() -> None:
    assert run("add", "ana", "--password-stdin", given="correct horse battery\n").stdout == "ana may sign in\n"
    assert is_right("correct horse battery")
    assert run("disable", "ana").exit_code == 0
    assert not is_right("correct horse battery")
    assert is_right(run("password", "ana").stdout.strip())
    assert "12 to 200" in str(explain(run("password", "ana", "--password-stdin", given="short\n").exception or ValueError()))


def test_the_sessions_of_somebody_are_ended() -> None:
    run("add", "ana")
    with db.transaction() as session:
        token = accounts.begin(session, "ana")
    assert run("sign-out", "ana").stdout == "1 session of ana ended\n"
    with db.transaction() as session:
        assert accounts.signed(session, token) is None


def test_a_role_takes_the_place_of_scopes() -> None:
    run("add", "ana", "--role", "auditor")
    assert "auditor" in run("list").output
    with db.transaction() as session:
        (ana,) = accounts.every(session)
    assert (ana.scopes, ana.principal.kind, ana.principal.sees_clear) == ((), "person", False)
    assert ana.principal.may("audit:read")
    assert run("role", "ana", "steward").exit_code == 0
    with db.transaction() as session:
        assert accounts.every(session)[0].principal.may("decisions:settle")
    assert "Known" in str(explain(run("role", "ana", "emperor").exception or ValueError()))
    assert "not both" in str(explain(run("add", "ben", "--role", "auditor", "--scope", "lookup").exception or ValueError()))
