"""Merges that a source asserts and that contradict us: not made but asked about, settled like any task, closed by themselves."""

import itertools
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import decisions
from mdm import policy as policies

from ...desk import Desk, Name
from ...resolution import Master, query

WHY = "The till merged them in 2024."
MERGED = "/v1/sources/pos/records:merged"


@pytest.fixture
def desk(database: str, policy: policies.Policy, api: TestClient) -> Desk:
    return Desk(api, Master(policy), itertools.count(1))


def merge(desk: Desk, one: Name, other: Name) -> tuple[Any, Any]:
    """Say that the source merged two of its records, looked at first: both answers."""
    body = {"merges": [{"survivor": one[1], "merged": [other[1]]}], "reason": WHY}
    seen = desk.api.post(f"{MERGED}?dry_run=true", json=body).json()
    made = desk.api.post(MERGED, json=body | {"preview_token": seen["preview_token"]})
    assert made.status_code == 201, made.text
    desk.settle()
    return seen, made.json()


def strangers(desk: Desk) -> tuple[Name, Name]:
    return desk.put(desk.customer()), desk.put(desk.customer())


def alike(desk: Desk) -> tuple[Name, Name]:
    """Two who share a name and no more: nothing merges them, nothing speaks against it."""
    named = [{"given_name": "Otto", "surname": "Becker", "emails": [f"otto{at}@telefonica.net"]} for at in range(2)]
    return desk.put(named[0]), desk.put(named[1])


def asked(state: str = "open") -> list[Any]:
    return query("SELECT reason_code, closed_because FROM task WHERE kind = 'source_merge' AND state = %s", state)


def task(desk: Desk) -> dict[str, Any]:
    (found,) = desk.api.get("/v1/tasks", params={"kind": "source_merge"}).json()["items"]
    return dict(found)


def settle(desk: Desk, verdict: str) -> int:
    path = f"/v1/tasks/{task(desk)['task_id']}:settle"
    body = {"verdict": verdict, "reason": "She showed her card."}
    token = desk.api.post(f"{path}?dry_run=true", json=body).json().get("preview_token")
    headers = {"If-Match": f'"{task(desk)["etag"]}"'}
    status = desk.api.post(path, json=body | {"preview_token": token}, headers=headers).status_code
    desk.settle()
    return status


def test_whom_a_veto_tells_apart_a_source_does_not_merge_but_asks_about(desk: Desk) -> None:
    one, other = strangers(desk)
    seen, made = merge(desk, one, other)
    assert seen["asked"] == made["asked"] == [{"index": 0, "code": "source_against_veto"}]
    assert (seen["refused"], seen["changed"], made["decisions"]) == ([], [], 1)
    assert desk.apart(one, other)
    assert asked() == [("source_against_veto", None)]
    assert desk.mdm.verify().differences == ()


@pytest.mark.parametrize(("verdict", "together"), [("match", True), ("no_match", False)])
def test_it_is_settled_like_any_task(desk: Desk, verdict: str, together: bool) -> None:
    one, other = strangers(desk)
    merge(desk, one, other)
    assert settle(desk, verdict) == 200
    assert (not desk.apart(one, other), asked(), asked("closed")) == (together, [], [("source_against_veto", "settled")])
    assert desk.mdm.verify().differences == ()


def test_against_a_stewards_no_it_is_asked_once_more_and_the_later_word_holds(desk: Desk) -> None:
    one, other = alike(desk)
    no = desk.decide("no_match", one, other)
    seen, _ = merge(desk, one, other)
    assert seen["asked"] == [{"index": 0, "code": "source_against_steward"}]
    assert settle(desk, "no_match") == 200
    assert (asked(), desk.apart(one, other)) == ([], True)
    assert desk.undo(no)[0] == 200
    assert (asked(), desk.apart(one, other)) == ([], True)


def test_it_counts_by_itself_once_the_no_is_taken_back(desk: Desk) -> None:
    one, other = alike(desk)
    no = desk.decide("no_match", one, other)
    merge(desk, one, other)
    desk.undo(no)
    assert not desk.apart(one, other)
    assert asked("closed") == [("source_against_steward", "joined_meanwhile")]
    assert desk.mdm.verify().differences == ()


def test_it_counts_by_itself_once_the_records_agree(desk: Desk) -> None:
    person = desk.customer()
    one = desk.put(person)
    other = desk.put(desk.customer(), key="slip")
    merge(desk, one, other)
    assert asked() != []
    desk.put({"surname": person["surname"], "given_name": person["given_name"]}, key="slip")
    assert not desk.apart(one, other)
    assert (asked(), asked("closed")) == ([], [("source_against_veto", "joined_meanwhile")])


def test_what_counted_is_asked_about_once_something_contradicts_it(desk: Desk) -> None:
    one, other = alike(desk)
    merge(desk, one, other)
    assert not desk.apart(one, other)
    desk.put(desk.customer(), key=other[1])
    assert desk.apart(one, other)
    assert len(asked()) == 1
    assert desk.mdm.verify().differences == ()


def test_what_is_sent_again_is_decided_once_and_a_stewards_no_stays_said(desk: Desk) -> None:
    one, other, third = *alike(desk), desk.put(desk.customer())
    body = {"merges": [{"survivor": one[1], "merged": [other[1], third[1]]}], "reason": WHY}
    token = desk.api.post(f"{MERGED}?dry_run=true", json=body).json()["preview_token"]
    first = desk.api.post(MERGED, json=body | {"preview_token": token}).json()
    assert (first["decisions"], first.get("known")) == (2, None)
    desk.settle()
    assert settle(desk, "no_match") == 200
    seen = desk.api.post(f"{MERGED}?dry_run=true", json=body).json()
    assert (seen["known"], seen.get("preview_token"), seen["changed"]) == (2, None, [])
    assert desk.api.post(MERGED, json=body).json() == {"decisions": 0, "refused": [], "known": 2}
    desk.settle()
    assert asked() == []
    # Beside something new, and said twice in one breath, it is decided once as well.
    fourth = desk.put({"given_name": "Otto", "surname": "Becker", "emails": ["otto9@telefonica.net"]})
    body["merges"] += [{"survivor": one[1], "merged": [fourth[1], fourth[1]]}]
    token = desk.api.post(f"{MERGED}?dry_run=true", json=body).json()["preview_token"]
    again = desk.api.post(MERGED, json=body | {"preview_token": token}).json()
    assert (again["decisions"], again["known"], again["refused"]) == (1, 3, [])
    assert query("SELECT count(*) FROM decision WHERE author = 'source:pos' AND superseded_at IS NULL") == [(3,)]


def test_it_is_asked_no_more_once_the_source_takes_it_back(desk: Desk) -> None:
    one, other = strangers(desk)
    _, made = merge(desk, one, other)
    status, _, _ = desk.send(f"/v1/decision-sets/{made['set_id']}:undo", {"reason": "The till was wrong."})
    assert (status, asked()) == (200, [])


def test_a_stewards_no_is_never_refused_for_what_a_source_asserts(desk: Desk) -> None:
    one, other = alike(desk)
    merge(desk, one, other)
    desk.decide("no_match", one, other)
    assert (desk.apart(one, other), asked()) == (True, [])


def test_what_a_source_asserts_teaches_no_model(desk: Desk) -> None:
    one, other = alike(desk)
    merge(desk, one, other)
    with db.read_only() as session:
        assert decisions.stewards(session) == []
