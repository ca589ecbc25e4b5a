"""Holds of automatic merging over REST and at the command line: begun, seen, lifted, by two where policy says so."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from starlette.testclient import TestClient
from typer.testing import CliRunner

from api.app import create_app
from cli import merging_commands
from kernel import db
from mdm import merge_holds, rules, versions
from mdm import policy as policies

from ...resolution import MARIA, Master, partition
from ..conftest import KeyMaker

WHY = {"reason": "Two wrong merges this morning."}
TWO = "four_eyes: {policy_records: 0}\n"


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA)
    made.drain()
    return made


@pytest.fixture
def ana(key: KeyMaker) -> Iterator[TestClient]:
    with TestClient(create_app(), headers=key("admin")) as client:
        yield client


@pytest.fixture
def ben(key: KeyMaker) -> Iterator[TestClient]:
    with TestClient(create_app(), headers=key("admin")) as client:
        yield client


def mdm_says(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    merging_commands.register(app)
    done = CliRunner().invoke(app, ["merging", *arguments])
    return done.exit_code, f"{done.output}{done.exception or ''}"


def test_a_hold_is_begun_seen_and_lifted(ana: TestClient, mdm: Master) -> None:
    begun = ana.post("/v1/merge-holds", json=WHY)
    assert (begun.status_code, begun.json()["sources"], begun.json()["ended_at"]) == (201, None, None)
    mdm.put("pos", "2", MARIA)
    mdm.drain()
    seen = ana.get("/v1/merge-holds").json()
    assert ([one["reason"] for one in seen["items"]], seen["waiting"]) == ([WHY["reason"]], 1)
    path = f"/v1/merge-holds/{begun.json()['hold_id']}:lift"
    assert ana.post(path, json={"reason": "Mended."}).json() == {"records": 1}
    mdm.drain()
    assert partition() == {frozenset({("pos", "1"), ("pos", "2")})}
    again = ana.post(path, json={"reason": "Mended."})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "hold_ended")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"reason": "x", "sources": ["nowhere"]}, 422, "unknown_source"),
        ({"reason": "x", "sources": []}, 422, "invalid_request"),
        ({"reason": "x", "sources": ["pos", "shop", "crm"]}, 422, "invalid_request"),
        ({"sources": ["pos"]}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_held_is_said(ana: TestClient, mdm: Master, body: dict[str, Any], status: int, code: str) -> None:
    answer = ana.post("/v1/merge-holds", json=body)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (status, code)
    assert ana.get("/v1/merge-holds").json() == {"items": [], "waiting": 0}


def test_the_command_line_holds_says_and_lifts(mdm: Master) -> None:
    assert mdm_says() == (0, "Automatic merging goes on: nothing is on hold.\n")
    code, said = mdm_says("hold", "--reason", "Odd.", "--source", "pos")
    assert (code, "Merges of pos with pos are on hold" in said) == (0, True)
    assert mdm_says("hold", "--reason", "Odd.", "--source", "pos")[0] == 1
    assert "names no source 'nowhere'" in mdm_says("hold", "--reason", "Odd.", "--source", "nowhere")[1]
    mdm.put("pos", "2", MARIA)
    mdm.drain()
    assert "1 record waits" in mdm_says()[1]
    with db.read_only() as session:
        (held,) = merge_holds.in_force(session)
    assert "1 record resolved now" in mdm_says("resume", str(held.hold_id), "--reason", "Mended.")[1]


def test_where_what_rules_takes_two_a_hold_is_lifted_by_two(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    with db.transaction() as session:
        two = policies.store(session, policies.parse(mdm.policy.text + TWO), "test")
        held = merge_holds.begin(session, "test", WHY["reason"])
        versions.adopt(session, two)
    rules.forget()
    path = f"/v1/merge-holds/{held.hold_id}:lift"
    first = ana.post(path, json={"reason": "Mended."})
    assert (first.status_code, first.json()["type"].rpartition(":")[2]) == (409, "second_person_needed")
    assert ana.post(path, json={"reason": "Mended."}).status_code == 409
    assert ben.post(path, json={"reason": "I looked too."}).status_code == 200
