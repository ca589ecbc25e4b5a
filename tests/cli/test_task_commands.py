"""`mdm tasks`: listed, shown, answered after a look, and taken back."""

import uuid

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import task_commands
from cli.failures import explain
from kernel import actor

from .. import resolution as master
from ..resolution import MARIA, Master, partition, query


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA)
    made.put("bought", "b", MARIA)
    made.drain()
    return made


@pytest.fixture
def task_id(mdm: Master) -> str:
    return str(query("SELECT task_id FROM task")[0][0])


def run(*arguments: str) -> Result:
    app = typer.Typer()
    task_commands.register(app)
    return CliRunner().invoke(app, ["tasks", *arguments])


def test_the_queue_is_listed_summed_up_and_a_task_explained(task_id: str) -> None:
    assert task_id in run("list").output
    assert task_id not in run("list", "--overdue").output
    assert "never" in run("summary").output
    shown = run("show", task_id).output
    assert "Are these 2 golden records one customer?" in shown
    assert "2 records" in shown
    assert "no such task" in str(explain(run("show", str(uuid.uuid4())).exception or ValueError()))


def test_an_answer_is_looked_at_given_and_taken_back(mdm: Master, task_id: str) -> None:
    before = partition()
    assert "2 golden records would change" in run("settle", task_id, "match", "--reason", "Both cards.", "--dry-run").output
    mdm.drain()
    assert partition() == before
    assert run("settle", task_id, "match", "--reason", "Both cards.").exit_code == 0
    mdm.drain()
    assert len(partition()) == 1
    assert f"{actor.at_command_line().actor} settled: match" in run("show", task_id).output
    assert run("undo", task_id, "--reason", "Wrong customer.").exit_code == 0
    mdm.drain()
    assert partition() == before
