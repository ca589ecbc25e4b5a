"""What takes two stewards by policy: the first one's answer is kept as a proposal, another's same answer decides."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import actor, db
from mdm import policy as policies
from mdm import rules, versions

from ...resolution import MARIA, Master, golden_of, partition, query
from ..conftest import WITH_DOUBT

LARGE = "four_eyes: {records: 1, decisions: 1}\n"
WHY = "She showed both cards."
PROBLEM = "urn:customer-master:problem:"
APART = {frozenset({("pos", "1")}), frozenset({("bought", "b")})}
TOGETHER = {frozenset({("pos", "1"), ("bought", "b")})}


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    """Maria twice, in doubt; that two records are one customer takes two stewards."""
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(WITH_DOUBT + LARGE), "test")
        versions.adopt(session, stored)
    rules.forget()
    made = Master(stored)
    made.put("pos", "1", MARIA)
    made.put("bought", "b", MARIA)
    made.drain()
    return made


def task(api: TestClient, state: str = "open") -> dict[str, Any]:
    (found,) = api.get("/v1/tasks", params={"state": state}).json()["items"]
    return dict(found)


def settle(api: TestClient, mdm: Master, verdict: str = "match") -> Any:
    found = task(api)
    path, headers = f"/v1/tasks/{found['task_id']}:settle", {"if-match": found["etag"]}
    body = {"verdict": verdict, "reason": WHY}
    token = api.post(path, json=body, params={"dry_run": True}).json()["preview_token"]
    answer = api.post(path, json=body | {"preview_token": token}, headers=headers)
    mdm.drain()
    return answer


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("type", "").removeprefix(PROBLEM)


def waiting(api: TestClient, state: str = "open") -> list[dict[str, Any]]:
    return list(api.get("/v1/approvals", params={"state": state}).json()["items"])


def test_the_first_answer_is_a_proposal_and_the_second_decides(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    first = settle(ana, mdm)
    assert code(first) == (409, "second_person_needed")
    assert partition() == APART
    assert task(ana)["proposed_by"] == first.json()["asked_by"]
    (proposal,) = waiting(ben)
    assert (proposal["kind"], proposal["about"]["records"]) == ("decision", 2)

    assert settle(ben, mdm).status_code == 200
    assert partition() == TOGETHER
    closed = task(ana, "closed")
    assert closed["proposed_by"] is None
    story = ana.get(f"/v1/tasks/{closed['task_id']}").json()["story"]
    assert [note["act"] for note in story] == ["proposed", "settled"]
    assert story[0]["author"] != story[1]["author"]
    assert [one["state"] for one in waiting(ana, "any")] == ["used"]


def test_the_same_steward_twice_is_one_steward(ana: TestClient, mdm: Master) -> None:
    assert [code(settle(ana, mdm)) for _ in range(2)] == [(409, "second_person_needed")] * 2
    assert partition() == APART
    assert len(waiting(ana)) == 1


def test_another_answer_is_no_second(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    settle(ana, mdm)
    answer = settle(ben, mdm, "no_match")
    assert answer.status_code == 200  # It changes no golden record of more than one record: it takes no second.
    assert partition() == APART


def test_what_changed_since_is_no_more_what_the_first_saw(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    settle(ana, mdm)
    mdm.put("bought", "b", {**MARIA, "given_name": "Marie"})
    mdm.drain()
    assert code(settle(ben, mdm)) == (409, "second_person_needed")
    assert partition() == APART


def test_no_way_round_it_by_a_decision_or_a_set(ana: TestClient, mdm: Master) -> None:
    sides = {"left": {"records": [{"source": "pos", "key": "1"}]}, "right": {"records": [{"source": "bought", "key": "b"}]}}
    one = {"verdict": "match", "reason": WHY, **sides}
    for path, body in (("/v1/decisions", one), ("/v1/decisions:batch", {"decisions": [one]})):
        token = ana.post(path, json=body, params={"dry_run": True}).json()["preview_token"]
        assert code(ana.post(path, json=body | {"preview_token": token})) == (409, "second_person_needed"), path
    mdm.drain()
    assert partition() == APART


def ruled(mdm: Master, more: str) -> None:
    """Let a policy rule that says more."""
    with db.transaction() as session:
        mdm.policy = policies.store(session, policies.parse(WITH_DOUBT + more), "test")
        versions.adopt(session, mdm.policy)
    rules.forget()
    mdm.drain()


def set_by_hand(api: TestClient, mdm: Master, value: str, **more: Any) -> Any:
    """Set the language of the customer of a record, after a look."""
    path = f"/v1/golden/{golden_of('pos', '1')}/overrides"
    body = {"attribute": "language", "value": value, "reason": WHY, **more}
    token = api.post(path, json=body, params={"dry_run": True}).json()["preview_token"]
    answer = api.post(path, json=body | {"preview_token": token})
    mdm.drain()
    return answer


def language(api: TestClient) -> Any:
    return api.get(f"/v1/golden/{golden_of('pos', '1')}").json()["golden"]["values"].get("language")


def test_a_value_of_a_large_customer_is_set_by_two(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    settle(ana, mdm)
    settle(ben, mdm)
    first = set_by_hand(ana, mdm, "es")
    assert code(first) == (409, "second_person_needed")
    assert language(ana) is None
    (proposal,) = waiting(ben)
    assert proposal["about"]["attribute"] == "language"
    assert "es" not in proposal["about"].values()  # Whoever seconds it says the value, and does not read it off.
    assert code(set_by_hand(ana, mdm, "es")) == (409, "second_person_needed")
    assert code(set_by_hand(ben, mdm, "de")) == (409, "second_person_needed")
    assert language(ana) is None
    assert set_by_hand(ben, mdm, "es").status_code == 201
    assert language(ana)["value"] == "es"
    assert query("SELECT count(*) FROM audit WHERE action = 'override.set'") == [(1,)]


def test_policy_names_values_that_no_one_person_sets(ana: TestClient, ben: TestClient, small: Master) -> None:
    assert set_by_hand(ana, small, "es").status_code == 201
    ruled(small, "four_eyes: {values: [language]}\n")
    assert code(set_by_hand(ana, small, "de")) == (409, "second_person_needed")
    assert language(ana)["value"] == "es"
    assert set_by_hand(ben, small, "de").status_code == 201
    assert language(ana)["value"] == "de"


def test_two_who_name_one_moment_in_two_zones_say_the_same(ana: TestClient, ben: TestClient, small: Master) -> None:
    ruled(small, "four_eyes: {values: [language]}\n")
    assert code(set_by_hand(ana, small, "es", expires_at="2999-01-01T01:00:00+01:00")) == (409, "second_person_needed")
    assert set_by_hand(ben, small, "es", expires_at="2999-01-01T00:00:00Z").status_code == 201


def test_letting_a_value_go_takes_one(ana: TestClient, ben: TestClient, small: Master) -> None:
    ruled(small, "four_eyes: {values: [language]}\n")
    set_by_hand(ana, small, "es")
    made = set_by_hand(ben, small, "es").json()
    path = f"/v1/golden/{golden_of('pos', '1')}/overrides/{made['override_id']}:withdraw"
    body = {"reason": "She speaks German."}
    token = ana.post(path, json=body, params={"dry_run": True}).json()["preview_token"]
    assert ana.post(path, json=body | {"preview_token": token}).json()["state"] == "withdrawn"


def test_a_proposal_is_rejected_with_a_reason_and_never_approved_unseen(
    ana: TestClient, ben: TestClient, key: Any, mdm: Master
) -> None:
    settle(ana, mdm)
    (proposal,) = waiting(ben)
    path = f"/v1/approvals/{proposal['approval_id']}"
    assert code(ben.post(f"{path}:approve", json={"reason": "Fine."})) == (403, "missing_scope")
    answer = ben.post(f"{path}:approve", json={"reason": "Fine."}, headers=key("admin"))
    assert code(answer) == (409, "ask_for_the_same")
    assert ben.post(f"{path}:reject", json={"reason": "Two sisters."}).json()["state"] == "rejected"
    assert code(settle(ben, mdm)) == (409, "second_person_needed")


def test_a_steward_of_another_brand_neither_sees_nor_rejects_it(ana: TestClient, key: Any, mdm: Master) -> None:
    settle(ana, mdm)
    (proposal,) = waiting(ana)
    with TestClient(create_app(), headers=key(brands=("elsewhere",))) as foreign:
        assert waiting(foreign) == []
        answer = foreign.post(f"/v1/approvals/{proposal['approval_id']}:reject", json={"reason": "No."})
    assert code(answer) == (404, "unknown_approval")


def test_many_tasks_answered_at_once_take_a_second_too(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    def settle_all(api: TestClient) -> Any:
        body = {"task_ids": [task(api)["task_id"]], "verdict": "match", "reason": WHY}
        token = api.post("/v1/tasks:settle", json=body, params={"dry_run": True}).json()["preview_token"]
        answer = api.post("/v1/tasks:settle", json=body | {"preview_token": token})
        mdm.drain()
        return answer

    assert code(settle_all(ana)) == (409, "second_person_needed")
    assert (partition(), task(ben)["proposed_by"] is None) == (APART, False)
    assert settle_all(ben).status_code < 300
    assert partition() == TOGETHER


@pytest.fixture
def robot(key: Any) -> Any:
    """An agent's client, whose key has a steward's role."""
    with db.transaction() as session:
        _, text = actor.create_key(session, "robot", (), role="senior_steward", kind=actor.AGENT)
    with TestClient(create_app(), headers={"authorization": f"Bearer {text}"}) as client:
        yield client


@pytest.fixture
def small(doubting: Master) -> Master:
    """Maria twice, in doubt, under a policy that asks for no second steward."""
    doubting.put("pos", "1", MARIA)
    doubting.put("bought", "b", MARIA)
    doubting.drain()
    return doubting


def test_what_an_agent_decides_waits_for_a_person(robot: TestClient, ana: TestClient, small: Master) -> None:
    """Also where policy asks for no second person; asking again changes nothing, nor does a second agent."""
    assert [code(settle(robot, small)) for _ in range(2)] == [(409, "second_person_needed")] * 2
    assert partition() == APART
    (proposal,) = waiting(ana)
    assert proposal["about"]["by_agent"]
    assert settle(ana, small).status_code == 200
    assert partition() == TOGETHER
    assert [one["state"] for one in waiting(ana, "any")] == ["used"]


def test_an_agent_is_nobodys_second_person(robot: TestClient, ana: TestClient, ben: TestClient, mdm: Master) -> None:
    """Neither after a steward's word nor before it."""
    assert code(settle(robot, mdm)) == (409, "second_person_needed")
    assert code(settle(ana, mdm)) == (409, "second_person_needed")
    assert code(settle(robot, mdm)) == (409, "second_person_needed")
    assert partition() == APART
    assert settle(ben, mdm).status_code == 200
    assert partition() == TOGETHER


def test_an_agent_cannot_undo_approve_or_set_values(robot: TestClient, ana: TestClient, small: Master) -> None:
    settled = settle(ana, small).json()
    undo = robot.post(f"/v1/tasks/{settled['task_id']}:undo", json={"reason": WHY}, params={"dry_run": True})
    approve = robot.post(f"/v1/approvals/{settled['task_id']}:reject", json={"reason": WHY})
    override = robot.post(
        f"/v1/golden/{settled['golden_ids'][0]}/overrides", json={"attribute": "language", "value": "es", "reason": WHY}
    )
    assert [code(one) for one in (undo, approve, override)] == [(403, "missing_scope")] * 3
