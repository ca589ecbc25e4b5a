"""Checks of automatic merges, in the console and over REST: apart and as one, answered; no precision without its interval."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import policy as policies
from mdm import rules, versions

from ...mdm.test_merge_audit import ALL
from ...resolution import MARIA, Master, golden_of, partition, query
from ..conftest import POLICY
from .conftest import Browser, signed_in
from .test_task_consents import GIVEN, act, section
from .test_tasks import words_of

WHY = "Both cards."


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    """Maria twice, merged, and the merge is to be checked."""
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(POLICY + ALL), "test")
        versions.adopt(session, stored)
    rules.forget()
    made = Master(stored)
    made.put("pos", "1", MARIA)
    made.put("shop", "2", {**MARIA, "given_name": "Mari", "language": "es"})
    made.drain()
    return made


@pytest.fixture
def ana(mdm: Master) -> Iterator[Browser]:
    with signed_in("ana") as client:
        yield Browser(client)


def test_a_check_shows_both_as_they_would_be_apart_and_is_answered(ana: Browser, mdm: Master) -> None:
    assert "1 wait" in words_of(ana.open("/console"))
    ((task_id,),) = query("SELECT task_id FROM task")
    page = words_of(ana.open(f"/console/tasks/{task_id}"))
    for told in ("merged without a human", "As one, as it is", "2 records", "Maria Garcia Lopez", "Mari Garcia Lopez", "bits"):
        assert told in page, told
    assert ana.send(f"/console/tasks/{task_id}/settle", verdict="no_match", words=WHY).status_code == 200
    mdm.drain()
    assert len(partition()) == 2
    assert "0.0 % are right: 0.0 to 79.3 % with 95 % confidence, by 1 check" in words_of(ana.open("/console"))
    assert mdm.verify().differences == ()


def test_a_check_tells_what_was_consented_to_as_one_and_what_would_be_left_apart(ana: Browser, mdm: Master) -> None:
    act(**GIVEN, golden_id=golden_of("pos", "1"))
    ((task_id,),) = query("SELECT task_id FROM task")
    told = section(ana.open(f"/console/tasks/{task_id}"))
    assert told.count("allowed given") == 1
    assert told.count("unknown owner unclear") == 2
    assert "Apart: Maria Garcia Lopez" in told


def test_no_figure_without_its_interval(api: TestClient, ana: Browser, mdm: Master) -> None:
    told = api.get("/v1/tasks:precision").json()
    assert (told["precision"], told["bands"][0]["precision"], told["waiting"], told["covered"]) == (None, None, 1, 0)
    ((task_id,),) = query("SELECT task_id FROM task")
    ana.open(f"/console/tasks/{task_id}")
    ana.send(f"/console/tasks/{task_id}/settle", verdict="match", words=WHY)
    mdm.drain()
    told = api.get("/v1/tasks:precision").json()
    assert told["precision"] == {"share": 1.0, "low": 0.2065, "high": 1.0}
    assert (told["answers"], told["waiting"], told["bands"][0]["merges"]) == (1, 0, 1.0)


def test_a_merge_that_is_to_be_checked_is_not_in_doubt(api: TestClient, mdm: Master) -> None:
    ((golden_id,),) = query("SELECT golden_id FROM golden WHERE status = 'live'")
    told = api.post("/v1/lookup", json={"golden_id": str(golden_id), "view": "checkout"}).json()
    assert told["view"]["flags"] == []
