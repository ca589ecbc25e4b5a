"""Many decisions at once: looked at together, what cannot be decided left out by name, and taken back whole."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from mdm import policy as policies

from ...resolution import Master, contents, partition, query

NAMES = (
    ("Otto", "Becker", "1950-01-07"),
    ("Ines", "Duarte", "1977-05-05"),
    ("Boris", "Katz", "1962-11-30"),
    ("Ada", "Byron", "1988-12-10"),
)
PEOPLE = [
    {"given_name": given, "surname": surname, "birth_date": born, "emails": [f"{given}.{surname}@telefonica.net"]}
    for given, surname, born in NAMES
]
# A name alone: nothing that merges them, and nothing that speaks against it.
ALIKE = [{"given_name": "Otto", "surname": "Becker", "emails": [f"otto{at}@telefonica.net"]} for at in range(3)]
WHY = "The migration of 2026 merged them."


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    for number, person in enumerate(PEOPLE):
        made.put("pos", str(number), person)
    made.drain()
    return made


def side(key: int) -> dict[str, Any]:
    return {"records": [{"source": "pos", "key": str(key)}]}


def wish(verdict: str, left: int, right: int) -> dict[str, Any]:
    return {"verdict": verdict, "left": side(left), "right": side(right), "reason": WHY}


def send(api: TestClient, url: str, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Look, then act on what was seen: both answers."""
    seen = api.post(url, params={"dry_run": True}, json=body)
    assert seen.status_code == 200, seen.text
    done = api.post(url, json=body | {"preview_token": seen.json()["preview_token"]})
    assert done.status_code in {200, 201}, done.text
    return seen.json(), done.json()


def parts(*groups: set[int]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(("pos", str(key)) for key in group) for group in groups}


def test_merges_that_a_source_knows_come_in_with_its_name_and_go_whole(api: TestClient, mdm: Master) -> None:
    for number, person in enumerate(ALIKE):
        mdm.put("pos", str(number), person)
    mdm.drain()
    before = contents()
    body = {"merges": [{"survivor": "0", "merged": ["1", "2"]}], "reason": WHY}
    seen, made = send(api, "/v1/sources/pos/records:merged", body)
    mdm.drain()
    assert partition() == parts({0, 1, 2}, {3})
    assert (sorted(one["cause"] for one in seen["changed"]), seen["refused"]) == (["absorbed", "merged", "merged"], [])
    assert query("SELECT DISTINCT author, reason_code, reason FROM decision WHERE record_a IS NULL") == [
        ("source:pos", "source_merged_them", WHY)
    ]
    _, undone = send(api, f"/v1/decision-sets/{made['set_id']}:undo", {"reason": "Their migration was wrong."})
    mdm.drain()
    assert (undone["decisions"], contents()) == (2, before)
    assert mdm.verify().differences == ()


def test_a_source_that_the_policy_does_not_name_knows_of_no_merges(api: TestClient, mdm: Master, key: Any) -> None:
    body = {"merges": [{"survivor": "0", "merged": ["1"]}], "reason": WHY}
    for url, headers in (("nobody", {}), ("pos", key("decisions:write", brands=("other",)))):
        answer = api.post(f"/v1/sources/{url}/records:merged?dry_run=true", json=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:customer-master:problem:unknown_source")


def test_what_cannot_be_decided_is_left_out_and_named(api: TestClient, mdm: Master) -> None:
    _, first = send(api, "/v1/decisions:batch", {"decisions": [wish("no_match", 0, 1)]})
    wishes = [wish("match", 0, 1), wish("match", 2, 3), wish("match", 2, 99), wish("no_match", 3, 2), wish("match", 0, 0)]
    seen, made = send(api, "/v1/decisions:batch", {"decisions": wishes})
    mdm.drain()
    assert [(one["index"], one["code"]) for one in seen["refused"]] == [
        (0, "contradicts_decisions"),
        (2, "unknown_record"),
        (3, "contradicts_decisions"),
        (4, "same_record"),
    ]
    ((earlier,),) = query("SELECT decision_id FROM decision WHERE set_id = %s", first["set_id"])
    assert seen["refused"][0]["decisions"] == [str(earlier)]
    assert (made["decisions"], [one["index"] for one in made["refused"]]) == (1, [0, 2, 3, 4])
    assert partition() == parts({0}, {1}, {2, 3})


def test_a_chain_of_wishes_that_contradict_each_other_loses_its_last(api: TestClient, mdm: Master) -> None:
    body = {"decisions": [wish("match", 0, 1), wish("match", 1, 2), wish("no_match", 0, 2)]}
    seen, _ = send(api, "/v1/decisions:batch", body)
    mdm.drain()
    assert [(one["index"], len(one["decisions"])) for one in seen["refused"]] == [(2, 2)]
    assert partition() == parts({0, 1, 2}, {3})


def test_nothing_to_decide_is_a_conflict(api: TestClient, mdm: Master) -> None:
    body = {"decisions": [wish("match", 0, 99)]}
    seen = api.post("/v1/decisions:batch?dry_run=true", json=body).json()
    assert "preview_token" not in seen
    refused = api.post("/v1/decisions:batch", json=body | {"preview_token": "x"})
    assert (refused.status_code, refused.json()["refused"][0]["code"]) == (409, "unknown_record")


def test_a_set_is_taken_back_once_and_by_those_who_may_see_it(api: TestClient, mdm: Master, key: Any) -> None:
    _, made = send(api, "/v1/decisions:batch", {"decisions": [wish("match", 0, 1)]})
    mdm.drain()
    url, body = f"/v1/decision-sets/{made['set_id']}:undo", {"reason": "No."}
    other = key("decisions:write", brands=("other",))
    assert api.post(url, params={"dry_run": True}, json=body, headers=other).status_code == 404
    send(api, url, body)
    assert api.post(url, params={"dry_run": True}, json=body).status_code == 404
