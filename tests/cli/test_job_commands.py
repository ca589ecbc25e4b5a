"""`mdm jobs`: listed, shown, cancelled, tried again."""

import json
import uuid

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import job_commands
from cli.failures import explain
from kernel import actor, db, jobs
from mdm import schedules

from ..resolution import query


@pytest.fixture
def job_id(database: str) -> uuid.UUID:
    with db.transaction() as session:
        return jobs.create_job(session, "import", {"file": "a.csv"}, "test", total_units=2, chunks=[{"rows": 2}])


def run(*arguments: str) -> Result:
    app = typer.Typer()
    job_commands.register(app)
    return CliRunner().invoke(app, ["jobs", *arguments])


def test_jobs_are_listed_and_shown(job_id: uuid.UUID) -> None:
    listed = run("list").output
    assert str(job_id) in listed
    assert "0 of 2" in listed
    assert str(job_id) not in run("list", "--kind", "export").output
    assert json.loads(run("show", str(job_id)).output)["params"] == {"file": "a.csv"}
    assert "No such job" in str(explain(run("show", str(uuid.uuid4())).exception or ValueError()))


def test_a_job_is_cancelled_once_and_its_actor_noted(job_id: uuid.UUID) -> None:
    assert run("cancel", str(job_id)).output == "cancelled\n"
    assert query("SELECT state FROM job") == [("cancelled",)]
    assert query("SELECT actor, action FROM audit") == [(actor.at_command_line().actor, "job.cancelled")]
    assert "over already" in str(explain(run("cancel", str(job_id)).exception or ValueError()))


def test_schedules_are_listed_with_their_next_slots(job_id: uuid.UUID) -> None:
    listed = run("schedules").output.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [list(one) for one in schedules.TIMES.items()]
    assert all(line.split()[-1] == at for line, at in zip(listed[1:], schedules.TIMES.values(), strict=True))


def test_a_job_is_paused_and_resumed(job_id: uuid.UUID) -> None:
    assert run("pause", str(job_id)).output == "paused\n"
    assert "paused" in run("list").output
    assert run("resume", str(job_id)).output == "resumed\n"
    assert "not paused" in str(explain(run("resume", str(job_id)).exception or ValueError()))


def test_what_was_given_up_is_tried_again(job_id: uuid.UUID) -> None:
    for _ in range(jobs.MAX_ATTEMPTS):
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "test", ["import"])
            assert claim is not None
            jobs.fail_chunk(session, claim, "broken", units=2)
    assert run("retry", str(job_id)).output == "1 pieces are to be tried again\n"
    assert query("SELECT state, attempts FROM job_chunk") == [("queued", 0)]
    assert "given up" in str(explain(run("retry", str(job_id)).exception or ValueError()))
