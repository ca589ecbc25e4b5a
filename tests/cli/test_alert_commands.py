"""`mdm alerts`, `mdm keys rotate` and `mdm users enable`: what is done at three in the morning, and who did it."""

import getpass

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import alert_commands, up_commands, user_commands
from cli.failures import explain
from kernel import actor, db
from stewardship import accounts

from ..resolution import query

WHO = f"local:{getpass.getuser()}"
pytestmark = pytest.mark.usefixtures("database")


def run(*arguments: str) -> Result:
    app = typer.Typer()
    for module in (alert_commands, up_commands, user_commands):
        module.register(app)
    return CliRunner().invoke(app, list(arguments))


def told(who: str) -> str:
    return str(
        query(
            """INSERT INTO access_alert (alert_id, kind, actor, since, opened_at, figures)
               VALUES (gen_random_uuid(), 'reads', %s, now(), now(), '{"number": 4000, "usual": 3}') RETURNING alert_id""",
            who,
        )[0][0]
    )


def test_an_alert_is_listed_until_it_is_seen_with_a_reason() -> None:
    assert "Nobody has read" in run("alerts", "list").output
    alert_id = told("key:[red]4711")
    listed = run("alerts", "list").output
    assert "key:[red]4711 read 4,000 customers within an hour; their most before was 3." in listed
    assert alert_id in listed
    assert run("alerts", "seen", alert_id).exit_code == 2, "without a reason"
    assert "as much is usual" in run("alerts", "seen", alert_id, "--reason", "The month's mailing.", "--usual").output
    assert f"seen by {WHO}, usual: The month's mailing." in run("alerts", "list").output
    assert "has looked" in str(explain(run("alerts", "seen", alert_id, "--reason", "Again.").exception or ValueError()))


def test_one_does_not_see_ones_own() -> None:
    alert_id = told(WHO)
    assert "about you" in str(explain(run("alerts", "seen", alert_id, "--reason", "Nothing.").exception or ValueError()))


def test_a_key_is_rotated_by_whoever_is_at_the_command_line() -> None:
    with db.transaction() as session:
        info, old = actor.create_key(session, "till", ["lookup"])
    done = run("keys", "rotate", info.key_id, "--overlap-hours", "2")
    assert done.exit_code == 0
    new = done.stdout.strip().splitlines()[-1]
    with db.read_only() as session:
        assert actor.authenticate(session, new).scopes == actor.authenticate(session, old).scopes == {"lookup"}
    assert query("SELECT actor FROM audit WHERE action = 'key.rotated'") == [(WHO,)]
    assert run("keys", "revoke", info.key_id).exit_code == 0
    assert query("SELECT actor FROM audit WHERE action = 'key.revoked'") == [(WHO,)]


def test_whoever_was_disabled_is_let_in_again_with_the_password_they_had() -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ana", password="correct horse battery")
    run("users", "disable", "ana")
    assert "ana is enabled" in run("users", "enable", "ana").output
    with db.transaction() as session:
        assert accounts.is_right(session, "ana", "correct horse battery")
    assert query("SELECT actor FROM audit WHERE action = 'user.enabled'") == [(WHO,)]
