"""`mdm source go-live`: what a source would merge is said first, rules when applied, and is taken back under the same ids."""

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import approval_commands, plan_commands, policy_commands, stage_commands
from kernel import approvals, db
from kernel.errors import Conflict
from mdm import policy as policies

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, contents, partition, query, questions

TRIAL, TILL = ("trial", "1"), ("pos", "1")


def run(*arguments: str) -> Result:
    app = typer.Typer()
    for module in (policy_commands, plan_commands, stage_commands, approval_commands):
        module.register(app)
    return CliRunner().invoke(app, arguments)


def ran(mdm: Master, *arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    with db.transaction() as session:
        mdm.policy = policies.current(session)
    mdm.drain()
    return " ".join(result.output.split())


def ruling(mdm: Master) -> tuple[str, int]:
    return mdm.policy.sources["trial"].stage, mdm.policy.version


def test_a_source_goes_live_over_review_and_back(database: str) -> None:
    mdm = master.start()
    mdm.put(*TILL, MARIA)
    mdm.put(*TRIAL, MARIA)
    mdm.drain()
    before = contents()
    assert json.loads(run("source", "go-live", "trial", "--output", "json").stdout)["sources"] == {"trial": 1}
    assert "trial in stage review" in ran(mdm, "source", "go-live", "trial")
    assert (ruling(mdm), contents()) == (("shadow", 1), before)
    assert "mdm policy rollback 1" in ran(mdm, "source", "go-live", "trial", "--apply")
    assert (len(partition()), {why for _, _, why in questions()}) == (2, {"source_in_review"})
    in_review = contents()
    assert "merged" in ran(mdm, "source", "go-live", "trial")
    ran(mdm, "source", "go-live", "trial", "--apply")
    assert (ruling(mdm), partition()) == (("live", 3), {frozenset({TILL, TRIAL})})
    assert isinstance(run("source", "go-live", "trial").exception, Conflict)
    ran(mdm, "policy", "rollback", "2")
    assert (ruling(mdm), contents()) == (("review", 2), in_review)
    ran(mdm, "policy", "rollback", "1")
    assert (ruling(mdm), mdm.verify().differences) == (("shadow", 1), ())
    assert query("SELECT count(*) FROM audit WHERE action = 'source.set_stage'") == [(2,)]


def test_a_source_by_which_much_is_resolved_again_goes_live_with_two_persons(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned by one, approved by another, and only then applied; taken back it takes two again."""
    mdm = master.start(POLICY + "four_eyes: {policy_records: 1}\n")
    mdm.put(*TILL, MARIA)
    mdm.put(*TRIAL, MARIA)
    mdm.drain()
    for wanted, command in (("review", ("source", "go-live", "trial", "--apply")), ("shadow", ("policy", "rollback", "1"))):
        before = contents()
        refused = run(*command).exception
        assert isinstance(refused, Conflict)
        assert (refused.code, contents()) == ("second_person_needed", before)
        with db.read_only() as session:
            (proposal,) = [one for one in approvals.listed(session) if one.state == "open"]
        own = run("approvals", "approve", str(proposal.approval_id), "--reason", "Looked at.")
        assert own.exit_code != 0
        with monkeypatch.context() as patched:
            patched.setattr("getpass.getuser", lambda: "somebody-else")
            assert run("approvals", "approve", str(proposal.approval_id), "--reason", "Looked at.").exit_code == 0
        ran(mdm, *command)
        assert ruling(mdm)[0] == wanted
    assert query("SELECT count(*) FROM audit WHERE action = 'source.set_stage'") == [(1,)]


def test_a_comment_says_how_the_stage_came_about(database: str) -> None:
    mdm = master.start()
    mdm.put(*TILL, MARIA)
    mdm.drain()
    ran(mdm, "source", "go-live", "trial", "--past-review", "--apply")
    assert mdm.policy.text.startswith("# trial went from shadow to live")
