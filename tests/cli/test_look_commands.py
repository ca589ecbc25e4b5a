"""`mdm second-looks`: asked of somebody else than who answered, who is not told the first answer; what differs, of a third."""

from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from cli import look_commands, task_commands

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    """A service in which every answer is asked for again."""
    made = master.start(master.POLICY + "double_review: {share: 1}\n")
    made.put("shop", "1", MARIA)
    made.put("bought", "b", MARIA)
    made.drain()
    return made


@pytest.fixture
def decision_id(mdm: Master) -> str:
    """A question that whoever runs the tests has answered with yes at the command line."""
    ((task_id,),) = query("SELECT task_id FROM task")
    said(task_commands, "tasks", "settle", str(task_id), "match", "--reason", "Both cards.")
    mdm.drain()
    return str(query("SELECT decision_id FROM second_look")[0][0])


def said(module: ModuleType, *arguments: str) -> str:
    app = typer.Typer()
    module.register(app)
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False).output


def looks(*arguments: str) -> str:
    return said(look_commands, "second-looks", *arguments)


def test_who_answered_at_the_command_line_is_not_asked_again_there(decision_id: str) -> None:
    assert "Nothing waits for a second answer of yours." in looks("list")


def test_somebody_else_sees_the_records_and_not_the_first_answer(decision_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ben")
    assert decision_id in looks("list")
    shown = looks("show", decision_id)
    values = ("maria.garcia@telefonica.net", "Garcia Lopez", "1984-03-12", "Calle Mayor 5")
    assert all(one in shown for one in ("shop:1", "bought:b", *values))
    assert "says" not in shown
    assert query("SELECT count(*) FROM audit WHERE action = 'record.read' AND actor = 'local:ben'") == [(2,)]
    assert "says the same" in looks("answer", decision_id, "match")
    assert "Nothing waits" in looks("list")


def test_what_two_say_differently_is_settled_by_a_third(decision_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ben")
    assert "says otherwise" in looks("answer", decision_id, "no_match")
    assert "Nothing waits for a third person." in looks("list", "--differing")
    monkeypatch.setenv("LOGNAME", "cleo")
    assert decision_id in looks("list", "--differing")
    assert "local:ben says no_match" in looks("show", decision_id)
    assert "is kept" in looks("keep", decision_id)
    assert query("SELECT kept_by FROM second_look") == [("local:cleo",)]
