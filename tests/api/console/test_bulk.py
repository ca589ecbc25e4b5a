"""One answer to many tasks in the console, without JavaScript: ticked, looked at, given, undone; and over REST."""

import re

import pytest
from starlette.testclient import TestClient

from ...resolution import Master, partition, query
from .conftest import Browser, signed_in
from .test_tasks import words_of

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
WHY = "Both cards."


@pytest.fixture
def two(mdm: Master) -> Master:
    """Two customers in doubt."""
    mdm.put("pos", "2", OTTO)
    mdm.put("bought", "o", {**OTTO, "language": "de"})
    mdm.drain()
    return mdm


def ticked(page: str) -> list[str]:
    return re.findall(r'name="task" value="([^"]+)" form="bulk" checked', page)


def test_all_of_a_page_are_ticked_looked_at_given_and_undone(ana: Browser, two: Master) -> None:
    before = partition()
    assert ticked(ana.open("/console/tasks")) == []
    chosen = ticked(ana.open("/console/tasks?chosen=all"))
    assert len(chosen) == 2
    looked = ana.send("/console/tasks/bulk", task=chosen, verdict="match", words=WHY)
    assert "Give this answer to 2 tasks?" in words_of(looked.text)
    assert partition() == before
    done = ana.send("/console/tasks/bulk", task=chosen)
    two.drain()
    assert "The answers are given." in words_of(done.text)
    assert (len(partition()), query("SELECT DISTINCT reason FROM decision WHERE record_a IS NULL")) == (2, [(WHY,)])
    ana.send("/console/tasks/bulk/undo")
    two.drain()
    assert partition() == before
    assert two.verify().differences == ()


def test_what_another_steward_holds_is_left_out_and_named(ana: Browser, two: Master) -> None:
    chosen = ticked(ana.open("/console/tasks?chosen=all"))
    with signed_in("ben") as client:
        ben = Browser(client)
        ben.open(f"/console/tasks/{chosen[0]}")
        ben.send(f"/console/tasks/{chosen[0]}/claim")
    looked = words_of(ana.send("/console/tasks/bulk", task=chosen, verdict="no_match", words=WHY).text)
    assert "Give this answer to 1 task?" in looked
    assert "Somebody else is working at this task" in looked


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param({"verdict": "match"}, "Choose at least one task", id="none"),
        pytest.param({"verdict": "match", "task": "nonsense"}, "That is no task", id="nonsense"),
        pytest.param({"task": "00000000-0000-7000-8000-000000000000"}, "Say whether", id="no verdict"),
    ],
)
def test_what_is_no_answer_says_why(ana: Browser, fields: dict[str, str], told: str) -> None:
    ana.open("/console/tasks")
    answer = ana.send("/console/tasks/bulk", **fields)
    assert answer.status_code == 422
    assert told in words_of(answer.text)


def test_a_filter_is_answered_over_rest_and_the_set_taken_back(api: TestClient, two: Master) -> None:
    body = {"chosen": {"kind": "pair"}, "verdict": "match", "reason": WHY}
    seen = api.post("/v1/tasks:settle?dry_run=true", json=body).json()
    assert (len(seen["task_ids"]), seen["changed"], seen["refused"]) == (2, {"absorbed": 2, "merged": 2}, [])
    given = api.post("/v1/tasks:settle", json=body | {"preview_token": seen["preview_token"]}).json()
    two.drain()
    assert len(partition()) == 2
    undo = {"reason": "Wrong filter."}
    path = f"/v1/decision-sets/{given['set_id']}:undo"
    token = api.post(f"{path}?dry_run=true", json=undo).json()["preview_token"]
    assert api.post(path, json=undo | {"preview_token": token}).json()["decisions"] == 2
    two.drain()
    assert len(partition()) == 4
    assert query("SELECT count(*) FROM task_desk WHERE settled_by IS NOT NULL") == [(0,)]
