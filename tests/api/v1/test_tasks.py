"""The queue over REST, on the whole pipeline: listed, claimed, put off, answered on what was seen, and taken back."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import actor, clock, db
from stewardship import accounts

from ...resolution import MARIA, Master, golden_of, partition, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
WHY = "Same person: she showed both cards."
PROBLEM = "urn:customer-master:problem:"


@pytest.fixture
def mdm(doubting: Master) -> Master:
    """Maria twice, in doubt, since nothing of the bought brand is merged unasked."""
    made = doubting
    made.put("pos", "1", MARIA)
    made.put("bought", "b", MARIA)
    made.drain()
    return made


def only(api: TestClient, **asked: Any) -> dict[str, Any]:
    (found,) = listed(api, **asked)
    return dict(found)


def listed(api: TestClient, **asked: Any) -> list[dict[str, Any]]:
    answer = api.get("/v1/tasks", params=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def act(api: TestClient, task: dict[str, Any], what: str, body: Any = None, **asked: Any) -> Any:
    headers = {"if-match": f'"{task["etag"]}"'}
    return api.post(f"/v1/tasks/{task['task_id']}:{what}", headers=headers, json=body, params=asked)


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def failed(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEM)


def settle(api: TestClient, mdm: Master, task: dict[str, Any], **answer: Any) -> dict[str, Any]:
    body = {"reason": WHY, **answer}
    seen = done(act(api, task, "settle", body, dry_run=True))
    settled = done(act(api, task, "settle", body | {"preview_token": seen["preview_token"]}))
    mdm.drain()
    return settled


def undo(api: TestClient, mdm: Master, task: dict[str, Any]) -> dict[str, Any]:
    task = done(api.get(f"/v1/tasks/{task['task_id']}"))
    body = {"reason": "Wrong customer."}
    seen = done(act(api, task, "undo", body, dry_run=True))
    taken = done(act(api, task, "undo", body | {"preview_token": seen["preview_token"]}))
    mdm.drain()
    return taken


def test_a_task_says_what_is_asked_and_why_it_matters(ana: TestClient, mdm: Master) -> None:
    task = only(ana)
    assert set(task["golden_ids"]) == {str(golden_of("pos", "1")), str(golden_of("bought", "b"))}
    assert (task["question"], task["kind"]) == ("Are these 2 golden records one customer?", "pair")
    parts = task["priority_parts"]
    assert task["priority"] == pytest.approx(100 * parts["uncertainty"] * parts["value"] * parts["blast_radius"], rel=0.01)
    assert not task["is_overdue"]
    assert done(ana.get(f"/v1/tasks/{task['task_id']}"))["story"] == []


def test_an_answer_closes_the_task_and_says_by_whom(ana: TestClient, mdm: Master) -> None:
    settled = settle(ana, mdm, only(ana), verdict="match")
    assert partition() == {frozenset({("pos", "1"), ("bought", "b")})}
    closed = only(ana, state="closed")
    assert listed(ana) == []
    assert (closed["closed_because"], closed["verdict"]) == ("settled", "match")
    assert closed["decision_id"] == settled["decision_id"]
    assert [note["act"] for note in done(ana.get(f"/v1/tasks/{closed['task_id']}"))["story"]] == ["settled"]


def test_a_no_closes_it_too_and_an_undone_answer_is_asked_anew(ana: TestClient, mdm: Master) -> None:
    before = partition()
    task = only(ana)
    settle(ana, mdm, task, verdict="no_match")
    assert partition() == before
    assert only(ana, state="closed")["closed_because"] == "settled"
    taken = undo(ana, mdm, task)
    assert taken["settled_by"] is None
    again = only(ana)
    assert (again["task_id"] != task["task_id"], again["golden_ids"]) == (True, task["golden_ids"])


def test_a_match_taken_back_gives_both_their_ids_again(ana: TestClient, mdm: Master) -> None:
    before = golden_of("pos", "1"), golden_of("bought", "b")
    task = only(ana)
    settle(ana, mdm, task, verdict="match")
    undo(ana, mdm, task)
    assert (golden_of("pos", "1"), golden_of("bought", "b")) == before


def test_nobody_answers_without_looking(ana: TestClient, mdm: Master) -> None:
    task = only(ana)
    body = {"verdict": "match", "reason": WHY}
    assert failed(act(ana, task, "settle", body)) == (428, "preview_needed")
    seen = done(act(ana, task, "settle", body, dry_run=True))
    told = body | {"preview_token": seen["preview_token"]}
    assert failed(ana.post(f"/v1/tasks/{task['task_id']}:settle", json=told)) == (428, "if_match_needed")


def test_an_answer_to_what_the_task_asked_before_is_refused(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    task = only(ana)
    body = {"verdict": "match", "reason": WHY}
    seen = done(act(ana, task, "settle", body, dry_run=True))
    done(act(ben, task, "comment", {"words": "She is another one, her daughter has the card."}))
    refused = act(ana, task, "settle", body | {"preview_token": seen["preview_token"]})
    assert failed(refused) == (412, "task_changed")
    assert len(partition()) == 2


def test_who_claims_keeps_others_away_until_the_lease_is_over(ana: TestClient, ben: TestClient, mdm: Master, time: Any) -> None:
    held = done(act(ana, only(ana), "claim"))
    assert held["holder"] is not None
    assert failed(act(ben, held, "claim")) == (409, "task_held")
    assert [listed(one, mine=True) != [] for one in (ana, ben)] == [True, False]
    body = {"verdict": "match", "reason": WHY}
    seen = done(act(ben, held, "settle", body, dry_run=True))
    assert failed(act(ben, held, "settle", body | {"preview_token": seen["preview_token"]})) == (409, "task_held")
    time(timedelta(minutes=16))
    assert only(ben)["holder"] is None
    assert done(act(ben, only(ben), "claim"))["holder"] not in {None, held["holder"]}


def test_whose_lease_ran_out_while_typing_may_still_answer(ana: TestClient, mdm: Master, time: Any) -> None:
    held = done(act(ana, only(ana), "claim"))
    time(timedelta(minutes=20))
    assert settle(ana, mdm, held, verdict="match")["verdict"] == "match"


def test_two_who_ask_for_the_next_at_once_get_two_tasks_or_one_and_nothing(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    mdm.put("pos", "2", OTTO)
    mdm.put("bought", "c", OTTO)
    mdm.drain()
    got: list[Any] = []

    def ask(api: TestClient) -> None:
        got.append(api.post("/v1/tasks:claim-next", json={}))

    threads = [threading.Thread(target=ask, args=[one]) for one in (ana, ben)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = {answer.json()["task_id"] for answer in got if answer.status_code == 200}
    assert len(ids) == 2
    assert ben.post("/v1/tasks:claim-next", json={"kind": "too_large"}).status_code == 204


def test_what_is_put_off_is_out_of_the_way_until_then(ana: TestClient, mdm: Master, time: Any) -> None:
    task = only(ana)
    later = "2999-01-01T00:00:00Z"
    assert failed(act(ana, task, "defer", {"until": later, "reason": "She calls back."})) == (422, "bad_deferral")
    soon = query("SELECT to_char((now() + interval '2 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")[0][0]
    done(act(ana, task, "defer", {"until": soon, "reason": "She calls back on Friday."}))
    assert listed(ana) == []
    assert only(ana, deferred=True)["task_id"] == task["task_id"]
    time(timedelta(days=3))
    assert only(ana)["task_id"] == task["task_id"]


def test_what_is_handed_on_is_not_given_to_another(ana: TestClient, ben: TestClient, mdm: Master) -> None:
    name = done(act(ben, only(ben), "claim"))["holder"]
    done(act(ben, only(ben), "assign", {"to": name}))
    assert only(ana)["assignee"] == name
    assert ana.post("/v1/tasks:claim-next", json={}).status_code == 204
    assert done(ben.post("/v1/tasks:claim-next", json={}))["holder"] == name


def test_what_is_handed_on_goes_to_somebody_who_may_answer_it(ana: TestClient, mdm: Master) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "cleo")
        accounts.add(session, "test", "gone")
        accounts.disable(session, "test", "gone")
        accounts.add(session, "test", "reader", scopes=["golden:read"])
        accounts.add(session, "test", "elsewhere", brands=["bolt"])
        revoked, _ = actor.create_key(session, "old", ["decisions:write"])
        actor.revoke(session, revoked.key_id)
    for name in ("dan", "user:", "local:cleo", "gone", "user:reader", f"key:{revoked.key_id}", "key:cleo"):
        assert failed(act(ana, only(ana), "assign", {"to": name})) == (422, "unknown_assignee"), name
    assert failed(act(ana, only(ana), "assign", {"to": "elsewhere"})) == (422, "assignee_outside_scope")
    assert query("SELECT assignee FROM task_desk") == [(None,)]
    for name in ("cleo", "user:cleo"):
        assert done(act(ana, only(ana), "assign", {"to": name}))["assignee"] == "user:cleo"


def test_a_task_whose_record_went_says_so_and_takes_no_answer(ana: TestClient, mdm: Master) -> None:
    task = only(ana)
    mdm.delete("bought", "b")
    mdm.drain()
    gone = done(ana.get(f"/v1/tasks/{task['task_id']}"))
    assert (gone["state"], gone["closed_because"]) == ("closed", "record_gone")
    assert failed(act(ana, gone, "settle", {"verdict": "match", "reason": WHY}, dry_run=True)) == (409, "task_closed")
    assert failed(act(ana, gone, "claim")) == (409, "task_closed")
    assert failed(act(ana, gone, "undo", {"reason": "Wrong."}, dry_run=True)) == (409, "not_settled")


def test_a_task_goes_on_when_one_of_its_customers_gets_another_golden_id(ana: TestClient, mdm: Master) -> None:
    """Somebody older turns out to be Maria: the question is about that golden id from now on, and stays with who holds it."""
    mdm.delete("bought", "b")
    mdm.delete("pos", "1")
    mdm.put("pos", "0", OTTO)
    mdm.drain()
    for source, key in (("pos", "2"), ("bought", "c")):
        mdm.put(source, key, MARIA)
    mdm.drain()
    held = done(act(ana, only(ana), "claim"))
    sides = {"left": {"records": [{"source": "pos", "key": "0"}]}, "right": {"records": [{"source": "pos", "key": "2"}]}}
    body = {"verdict": "match", **sides, "reason": "She gave another name."}
    seen = ana.post("/v1/decisions", params={"dry_run": True}, json=body).json()
    assert ana.post("/v1/decisions", json=body | {"preview_token": seen["preview_token"]}).status_code == 201
    mdm.drain()
    now = only(ana)
    assert (now["task_id"], now["holder"]) == (held["task_id"], held["holder"])
    assert str(golden_of("pos", "0")) in now["golden_ids"]
    assert now["golden_ids"] != held["golden_ids"]
    assert failed(act(ana, held, "claim")) == (412, "task_changed")
    story = done(ana.get(f"/v1/tasks/{now['task_id']}"))["story"]
    assert [(note["act"], note["author"] == "service") for note in story] == [("claimed", False), ("rebased", True)]
    assert mdm.verify().differences == ()


def test_groups_say_who_is_whom(ana: TestClient, mdm: Master) -> None:
    mdm.put("bought", "d", MARIA)
    mdm.drain()
    task = listed(ana)[0]
    one, other = [{"source": "pos", "key": "1"}, {"source": "bought", "key": "b"}], [{"source": "bought", "key": "d"}]
    settled = settle(ana, mdm, task, groups=[{"records": one}, {"records": other}])
    assert settled["set_id"] is not None
    assert partition() == {frozenset({("pos", "1"), ("bought", "b")}), frozenset({("bought", "d")})}
    undo(ana, mdm, task)
    assert len(partition()) == 3


def test_a_settled_task_takes_no_other_question_over(ana: TestClient, mdm: Master) -> None:
    """Four that are asked about by twos: the first match makes one question of two, which must not look answered."""
    for key in "de":
        mdm.put("bought", key, MARIA)
        mdm.drain()
    answered = 0
    while waiting := listed(ana, free=True):
        settle(ana, mdm, waiting[-1], verdict="match")
        answered += 1
    assert (listed(ana), len(partition())) == ([], 1), "no question is left that nobody can answer"
    assert answered == 3
    acts = [act for (act,) in query("SELECT act FROM task_note ORDER BY noted_at")]
    assert acts.count("settled") == 3
    assert "asked_again" not in acts
    assert mdm.verify().differences == ()


def test_a_task_that_is_still_asked_after_its_answer_is_asked_again(ana: TestClient, mdm: Master) -> None:
    """What was said ends nothing here: the record that it spoke of is another one now."""
    task = only(ana)
    body = {"reason": WHY, "verdict": "match"}
    seen = done(act(ana, task, "settle", body, dry_run=True))
    done(act(ana, task, "settle", body | {"preview_token": seen["preview_token"]}))
    assert listed(ana, free=True) == []
    query("UPDATE decision SET superseded_at = now(), superseded_because = 'undone' WHERE record_a IS NULL")
    mdm.drain()
    (again,) = listed(ana, free=True)
    assert (again["task_id"], again["settled_by"]) == (task["task_id"], None)
    story = done(ana.get(f"/v1/tasks/{task['task_id']}"))["story"]
    assert [note["act"] for note in story] == ["settled", "asked_again"]


def test_pages_go_on_where_the_one_before_ended(ana: TestClient, mdm: Master) -> None:
    for number in range(4):
        person = {**OTTO, "surname": f"Becker{'wxyz'[number]}", "emails": [f"otto{number}@telefonica.net"]}
        mdm.put("pos", f"p{number}", person)
        mdm.put("bought", f"q{number}", person)
    mdm.drain()
    first = ana.get("/v1/tasks", params={"limit": 2}).json()
    seen = [one["task_id"] for one in first["items"]]
    page = first
    while page["next"]:
        page = ana.get("/v1/tasks", params={"limit": 2, "after": page["next"]}).json()
        seen += [one["task_id"] for one in page["items"]]
    assert seen == [one["task_id"] for one in listed(ana)]
    assert len(seen) == len(set(seen)) >= 5
    assert failed(ana.get("/v1/tasks", params={"after": "nonsense"})) == (422, "bad_cursor")


def test_the_summary_counts_what_is_open_held_and_overdue(ana: TestClient, mdm: Master, time: Any) -> None:
    done(act(ana, only(ana), "claim"))
    (pair,) = ana.get("/v1/tasks:summary").json()["kinds"]
    assert (pair["open"], pair["held"], pair["overdue"], pair["days_to_clear"]) == (1, 1, 0, None)
    time(timedelta(days=6))
    (pair,) = ana.get("/v1/tasks:summary").json()["kinds"]
    assert (pair["held"], pair["overdue"]) == (0, 1)
    assert only(ana, overdue=True)["is_overdue"]


def test_a_task_of_another_brand_is_not_there(mdm: Master, key: Any, ana: TestClient) -> None:
    task = only(ana)
    with TestClient(create_app(), headers=key("decisions:write", brands=("other",))) as stranger:
        assert listed(stranger) == []
        assert failed(stranger.get(f"/v1/tasks/{task['task_id']}")) == (404, "unknown_task")
        assert failed(act(stranger, task, "claim")) == (404, "unknown_task")
        body = {"verdict": "match", "reason": WHY}
        assert failed(act(stranger, task, "settle", body, dry_run=True)) == (404, "unknown_task")


def test_a_task_of_two_brands_is_not_free_for_who_sees_one_and_they_put_it_off_for_nobody(mdm: Master, key: Any) -> None:
    query("UPDATE task SET brands = ARRAY['main', 'other']")
    with TestClient(create_app(), headers=key("decisions:write", brands=("other",))) as partly:
        task = only(partly)
        assert listed(partly, free=True) == []
        assert partly.post("/v1/tasks:claim-next", json={}).status_code == 204
        assert failed(act(partly, task, "claim")) == (404, "unknown_task")
        body = {"until": (clock.now() + timedelta(days=9)).isoformat(), "reason": "Not mine."}
        assert failed(act(partly, task, "defer", body)) == (404, "unknown_task")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"reason": WHY}, id="neither"),
        pytest.param({"verdict": "match", "groups": [{"records": [{"source": "pos", "key": "1"}]}], "reason": WHY}, id="both"),
        pytest.param({"groups": [{"golden_id": "00000000-0000-7000-8000-000000000000"}], "reason": WHY}, id="golden in a group"),
        pytest.param({"verdict": "perhaps", "reason": WHY}, id="another verdict"),
        pytest.param({"verdict": "match"}, id="no reason"),
    ],
)
def test_an_answer_that_says_nothing_is_refused(ana: TestClient, mdm: Master, body: dict[str, Any]) -> None:
    assert act(ana, only(ana), "settle", body, dry_run=True).status_code == 422
