"""Decisions by hand, on the whole pipeline: looked at first, made on what was seen, sticky, and taken back without a trace."""

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from mdm import policy as policies
from mdm.reconcile import reconcile

from ...resolution import MARIA, Master, contents, golden_of, partition, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
BOTH = frozenset({("pos", "1"), ("mail", "2")})
WHY = "The customer showed both cards."
PROBLEM = "urn:customer-master:problem:"


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA)
    made.put("mail", "2", OTTO)
    made.drain()
    return made


def side(source: str, key: str) -> dict[str, Any]:
    return {"records": [{"source": source, "key": key}]}


def wish(verdict: str, left: Any = None, right: Any = None, **more: Any) -> dict[str, Any]:
    return {"verdict": verdict, "left": left or side("pos", "1"), "right": right or side("mail", "2"), "reason": WHY, **more}


def look(api: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post("/v1/decisions?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def decide(api: TestClient, body: dict[str, Any]) -> str:
    answer = api.post("/v1/decisions", json=body | {"preview_token": look(api, body)["preview_token"]})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["decision_id"])


def undo(api: TestClient, decision_id: str) -> None:
    url, body = f"/v1/decisions/{decision_id}:undo", {"reason": "I was wrong."}
    token = api.post(url, params={"dry_run": True}, json=body).json()["preview_token"]
    assert api.post(url, json=body | {"preview_token": token}).status_code == 200


def failed(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEM)


def test_a_preview_says_what_would_change_and_changes_nothing(api: TestClient, mdm: Master) -> None:
    older, younger = str(golden_of("pos", "1")), str(golden_of("mail", "2"))
    before = query("SELECT count(*) FROM decision"), partition(), contents()
    seen = look(api, wish("match"))
    changed = {one["golden_id"]: one for one in seen["changed"]}
    assert (query("SELECT count(*) FROM decision"), partition(), contents()) == before
    assert changed.keys() == {older, younger}
    assert (changed[younger]["cause"], changed[younger]["after"]["status"]) == ("merged", "merged")
    assert changed[younger]["after"]["redirect_to"] == older
    assert changed[older]["after"]["members"] == [{"source": "mail", "key": "2"}, {"source": "pos", "key": "1"}]
    emails = [[one["value"] for one in changed[older][time]["values"]["emails"]] for time in ("before", "after")]
    assert (len(emails[0]), len(emails[1])) == (1, 2)


def test_what_the_preview_said_comes_about_and_is_undone_without_a_trace(api: TestClient, mdm: Master) -> None:
    ids, said = [golden_of("pos", "1"), golden_of("mail", "2")], contents()
    seen = look(api, wish("match"))
    decision_id = decide(api, wish("match"))
    mdm.drain()
    assert partition() == {BOTH}
    body = api.get(f"/v1/golden/{ids[1]}").json()
    assert (body["status"], body["golden_id"]) == ("merged", str(ids[0]))
    promised = next(one for one in seen["changed"] if one["golden_id"] == str(ids[0]))["after"]["values"]
    assert {name: body["golden"]["values"][name]["value"] for name in promised} == promised
    undo(api, decision_id)
    mdm.drain()
    assert ([golden_of("pos", "1"), golden_of("mail", "2")], contents()) == (ids, said)
    kept = api.get(f"/v1/decisions/{decision_id}").json()
    assert (kept["verdict"], kept["reason"], kept["taken_back_at"] is None) == ("match", WHY, False)
    assert mdm.verify().differences == ()


def test_a_merge_holds_whatever_the_records_say_later(api: TestClient, mdm: Master) -> None:
    decide(api, wish("match"))
    mdm.put("mail", "2", OTTO | {"given_name": "Karl", "birth_date": "1999-02-03"})
    mdm.drain()
    mdm.delete("mail", "2")
    mdm.drain()
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    reconcile(mdm.resolver)
    assert partition() == {BOTH}


def test_a_split_holds_though_the_records_say_the_same(api: TestClient, mdm: Master) -> None:
    mdm.put("mail", "2", MARIA)
    mdm.drain()
    (golden_id,) = {golden_of("pos", "1"), golden_of("mail", "2")}
    whole = {"golden_id": str(golden_id)}
    decide(api, wish("no_match", whole | side("mail", "2"), whole))
    mdm.drain()
    apart = {frozenset({("pos", "1")}), frozenset({("mail", "2")})}
    assert partition() == apart
    mdm.put("mail", "2", MARIA | {"language": "es"})
    mdm.drain()
    reconcile(mdm.resolver)
    assert partition() == apart
    assert mdm.verify().differences == ()


def test_a_decision_needs_the_preview_of_what_it_decides(api: TestClient, mdm: Master) -> None:
    assert failed(api.post("/v1/decisions", json=wish("match"))) == (428, "preview_needed")
    token = look(api, wish("no_match"))["preview_token"]
    assert failed(api.post("/v1/decisions", json=wish("match", preview_token=token))) == (412, "preview_outdated")
    token = look(api, wish("match"))["preview_token"]
    mdm.put("mail", "2", OTTO | {"phones": ["+34655872399"]})
    mdm.drain()
    outdated = api.post("/v1/decisions", json=wish("match", preview_token=token))
    assert failed(outdated) == (412, "preview_outdated")
    assert set(outdated.json()["goldens"]) == {str(golden_of("pos", "1")), str(golden_of("mail", "2"))}
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(0,)]


def test_of_two_stewards_who_decide_opposite_at_once_one_is_heard(api: TestClient, mdm: Master) -> None:
    bodies = [wish(verdict, preview_token=look(api, wish(verdict))["preview_token"]) for verdict in ("match", "no_match")]
    answers: list[Any] = []

    def send(body: dict[str, Any]) -> None:
        answers.append(api.post("/v1/decisions", json=body))

    both = [threading.Thread(target=send, args=[body]) for body in bodies]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(answer.status_code for answer in answers)[0] == 201
    assert sorted(answer.status_code for answer in answers)[1] in {409, 412}
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(1,)]


def test_what_contradicts_earlier_decisions_is_refused_with_the_chain(api: TestClient, mdm: Master) -> None:
    third = {"given_name": "Ines", "surname": "Duarte", "birth_date": "1977-05-05", "emails": ["ines.duarte@telefonica.net"]}
    mdm.put("shop", "3", third)
    mdm.drain()
    first = decide(api, wish("no_match"))
    second = decide(api, wish("match", right=side("shop", "3")))
    refused = api.post("/v1/decisions?dry_run=true", json=wish("match", side("shop", "3"), side("mail", "2")))
    assert failed(refused) == (409, "contradicts_decisions")
    assert refused.json()["decisions"] == sorted([first, second])


def test_an_undone_decision_cannot_be_undone_again(api: TestClient, mdm: Master) -> None:
    decision_id = decide(api, wish("match"))
    undo(api, decision_id)
    again = api.post(f"/v1/decisions/{decision_id}:undo?dry_run=true", json={"reason": "twice"})
    assert failed(again) == (409, "already_taken_back")


def test_what_cannot_be_decided_is_refused(api: TestClient, mdm: Master, goldens: Any) -> None:
    mine, other = ({"golden_id": str(golden_of(*key))} for key in (("pos", "1"), ("mail", "2")))
    unknown = {"golden_id": "0198b0a1-0000-7000-8000-000000000000"}
    erased = {"golden_id": str(goldens.add("erased"))}
    expected = [
        (wish("match", mine, mine), (422, "same_record")),
        (wish("match", mine, side("pos", "1")), (422, "same_record")),
        (wish("no_match", mine | side("mail", "2"), mine), (422, "records_of_another")),
        (wish("no_match", mine | side("pos", "1"), mine), (422, "empty_side")),
        (wish("match", mine, unknown), (404, "unknown_golden")),
        (wish("match", mine, side("pos", "17")), (404, "unknown_record")),
        (wish("match", mine, erased), (410, "golden_erased")),
        (wish("match", mine) | {"right": {}}, (422, "empty_side")),
        (wish("perhaps", mine, other), (422, "invalid_request")),
        ({**wish("match", mine, other), "reason": " "}, (422, "reason_needed")),
    ]
    for body, problem in expected:
        assert failed(api.post("/v1/decisions", json=body | {"preview_token": "x"})) == problem, body
    assert failed(api.get("/v1/decisions/0198b0a1-0000-7000-8000-000000000000")) == (404, "unknown_decision")


def test_a_decision_that_reaches_another_brand_is_refused(api: TestClient, mdm: Master, key: Any) -> None:
    mdm.put("shop", "3", OTTO)
    mdm.drain()
    mine = key("decisions:write", brands=("main",))
    refused = api.post("/v1/decisions?dry_run=true", json=wish("match"), headers=mine)
    assert failed(refused) == (403, "outside_scope")
    named = api.post("/v1/decisions?dry_run=true", json=wish("match", right=side("shop", "3")), headers=mine)
    assert failed(named) == (404, "unknown_record")


def test_a_reason_that_the_database_cannot_hold_is_refused_before_anything_is_looked_at(api: TestClient, mdm: Master) -> None:
    body = wish("match") | {"reason": "both\0cards"}
    for url in ("/v1/decisions?dry_run=true", "/v1/decisions"):
        answer = api.post(url, json=body)
        assert (*failed(answer), answer.json()["errors"][0]["pointer"]) == (422, "invalid_request", "/reason")


def test_decisions_and_previews_are_audited_and_repeat_no_reason(api: TestClient, mdm: Master) -> None:
    decision_id = decide(api, wish("match"))
    rows = query("SELECT action, object_type, object_id, detail FROM audit ORDER BY audit_id")
    assert ("decision.match", "decision", decision_id, {}) in rows
    assert sum(row[0] == "decision.preview" for row in rows) == 4
    assert WHY not in str(rows)


def test_a_repeated_request_with_a_key_decides_once(api: TestClient, mdm: Master) -> None:
    body = wish("match")
    body["preview_token"] = look(api, body)["preview_token"]
    once, again = (api.post("/v1/decisions", json=body, headers={"idempotency-key": "d1"}) for _ in range(2))
    assert (once.status_code, again.status_code, once.json()) == (201, 201, again.json())
    assert query("SELECT count(*) FROM decision WHERE record_a IS NULL") == [(1,)]
