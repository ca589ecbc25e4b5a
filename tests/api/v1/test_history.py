"""The past of a golden record: every answer is kept, every step says who joined and why, and nobody else's past is shown."""

import uuid
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import clock
from mdm import policy as policies
from mdm.incoming import Incoming

from ...mdm.test_consent_changes import GIVEN, act
from ...resolution import MARIA, Master, golden_of, query
from .test_decision_consents import REFUSED

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
ONE, TWO = {"source": "pos", "key": "1"}, {"source": "mail", "key": "2"}


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    return Master(policy)


def history(api: TestClient, golden_id: Any, **query: Any) -> list[dict[str, Any]]:
    answer = api.get(f"/v1/golden/{golden_id}/history", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: held["value"] for name, held in answer["golden"]["values"].items()}


def test_a_life_is_told_step_by_step_with_reasons(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", OTTO)
    mdm.drain()
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    mdm.put("mail", "2", MARIA | {"phones": ["+34655872399"]})
    mdm.drain()
    golden_id = golden_of("pos", "1")
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    for source, key in (("mail", "2"), ("pos", "1")):
        mdm.delete(source, key)
        mdm.drain()
    told = history(api, golden_id)
    assert [step["cause"] for step in told] == ["created", "values", "joined", "split", "pointers", "ended"]
    created, changed, joined, split, _, ended = told
    assert (created["joined"], created["because"], created["values"]["birth_date"]) == (
        [ONE], [], {"before": None, "after": "1950-01-07"},
    )  # fmt: skip
    assert changed["values"]["birth_date"] == {"before": "1950-01-07", "after": "1984-03-12"}
    assert (joined["joined"], joined["left"]) == ([TWO], [])
    (reason,) = joined["because"]
    assert (reason["record"], reason["beside"], reason["author"]) == (TWO, ONE, "model")
    assert reason["weight"] > 10
    assert joined["values"].keys() == {"phones"}
    assert (split["joined"], split["left"]) == ([], [TWO])
    assert (ended["status"], ended["left"]) == ("ended", [ONE])


def test_a_stewards_word_is_the_reason_where_there_is_one(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    body = {"verdict": "match", "left": {"records": [ONE]}, "right": {"records": [TWO]}, "reason": "Both cards."}
    token = api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    decision_id = api.post("/v1/decisions", json=body | {"preview_token": token}).json()["decision_id"]
    mdm.drain()
    (reason,) = history(api, golden_of("pos", "1"))[-1]["because"]
    assert (reason["decision_id"], reason["author"].split(":")[0], "weight" in reason) == (decision_id, "steward", False)


def test_a_stewards_word_is_the_reason_also_where_the_model_had_one(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", {"given_name": "Maria", "surname": "Garcia Lopez"})
    mdm.drain()
    ((verdict,),) = query("SELECT verdict FROM decision WHERE author = 'model' AND superseded_at IS NULL")
    golden_id = golden_of("pos", "1")
    assert (verdict, golden_id != golden_of("mail", "2")) == ("review", True)
    body = {"verdict": "match", "reason": "She showed her card.", "left": side("pos", "1"), "right": side("mail", "2")}
    token = api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    assert api.post("/v1/decisions", json=body | {"preview_token": token}).status_code == 201
    mdm.drain()
    (because,) = history(api, golden_id)[-1]["because"]
    assert because["author"].startswith("steward:")


def side(source: str, key: str) -> dict[str, Any]:
    return {"records": [{"source": source, "key": key}]}


def test_a_long_life_is_told_in_pages(api: TestClient, mdm: Master) -> None:
    for day in range(10, 16):
        mdm.put("pos", "1", {**OTTO, "birth_date": f"1950-01-{day}"})
        mdm.drain()
    golden_id = golden_of("pos", "1")
    pages, after = [], 0
    while after is not None:
        page = api.get(f"/v1/golden/{golden_id}/history", params={"after": after, "limit": 4}).json()
        pages.append([step["values"]["birth_date"]["after"] for step in page["items"]])
        after = page["next_after"]
    assert pages == [[f"1950-01-{day}" for day in (10, 11, 12, 13)], [f"1950-01-{day}" for day in (14, 15)]]


def test_an_id_answers_what_it_answered_then(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    one, two = golden_of("pos", "1"), golden_of("mail", "2")
    apart = clock.now()
    mdm.put("mail", "2", MARIA)
    mdm.drain()
    together = clock.now()
    mdm.put("mail", "2", OTTO)
    mdm.drain()
    then = api.get(f"/v1/golden/{two}", params={"as_of": together.isoformat()}).json()
    assert (then["status"], then["golden_id"], then["redirect_chain"]) == ("merged", str(one), [str(two), str(one)])
    assert len(then["golden"]["members"]) == 2
    before = api.get(f"/v1/golden/{two}", params={"as_of": apart.isoformat()}).json()
    now = api.get(f"/v1/golden/{two}").json()
    assert (before["status"], before["golden_id"]) == ("live", str(two))
    assert plain(before) == plain(now)
    assert before["golden"]["members"] == now["golden"]["members"]


def test_what_an_id_was_merged_into_for_a_while_stays_hidden_from_who_may_not_see_it(
    api: TestClient, mdm: Master, key: Any
) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "2", OTTO)
    mdm.drain()
    one, two = golden_of("shop", "1"), golden_of("pos", "2")
    mdm.put("pos", "2", MARIA)
    mdm.drain()
    together = {"as_of": clock.now().isoformat()}
    mdm.put("pos", "2", OTTO)
    mdm.drain()
    assert api.get(f"/v1/golden/{two}", params=together).json()["golden_id"] == str(one)
    mine = key("golden:read", brands=("main",))
    assert api.get(f"/v1/golden/{two}", headers=mine).status_code == 200
    assert api.get(f"/v1/golden/{two}", params=together, headers=mine).status_code == 404


def test_times_and_ids_that_have_no_answer(api: TestClient, mdm: Master, goldens: Any, key: Any) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    golden_id, erased, unknown = golden_of("pos", "1"), goldens.add("erased"), uuid.uuid4()
    foreign = goldens.add(brand="other")
    expected = [
        (golden_id, "2999-01-01T00:00:00Z", 422, "as_of_in_future"),
        (golden_id, "2001-01-01T00:00:00Z", 404, "not_issued_yet"),
        (golden_id, "2026-01-01", 422, "invalid_request"),
        (golden_id, "yesterday", 422, "invalid_request"),
        (golden_id, "-1", 422, "invalid_request"),
        (golden_id, "1767225600", 422, "invalid_request"),
        (erased, "2026-11-01T00:00:00Z", 410, "golden_erased"),
        (unknown, "2026-11-01T00:00:00Z", 404, "unknown_golden"),
    ]
    for asked, when, status, code in expected:
        answer = api.get(f"/v1/golden/{asked}", params={"as_of": when})
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:customer-master:problem:{code}"), when
    assert api.get(f"/v1/golden/{golden_id}", params={"as_of": "2001-01-01T00:00:00Z"}).json()["issued_at"] is not None
    mine = key("golden:read", brands=("main",))
    for path in ("", "/history"):
        assert (
            api.get(
                f"/v1/golden/{foreign}{path}", params={} if path else {"as_of": "2026-11-01T00:00:00Z"}, headers=mine
            ).status_code
            == 404
        )
    assert api.get(f"/v1/golden/{erased}/history").status_code == 410


def test_reading_the_past_is_audited(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    golden_id = str(golden_of("pos", "1"))
    now = clock.now().isoformat()
    api.get(f"/v1/golden/{golden_id}", params={"as_of": now})
    history(api, golden_id)
    assert query("SELECT action, object_id FROM audit WHERE object_type <> 'key' ORDER BY audit_id") == [
        ("golden.read_past", golden_id),
        ("golden.read_history", golden_id),
    ]


def test_an_undone_import_is_told_with_who_undid_it_and_why(api: TestClient, mdm: Master) -> None:
    """What the source said by itself meanwhile stays, through the API as well."""
    api.put("/v1/sources/pos/records/1", json=OTTO)
    mdm.drain()
    golden_id, then = golden_of("pos", "1"), clock.now()
    job_id = mdm.load("pos", Incoming("1", {**OTTO, "gender": "male"}), Incoming("2", MARIA))
    mdm.drain()
    between = clock.now()
    assert api.put("/v1/sources/pos/records/2", json=MARIA).json()["status"] == "same"
    assert mdm.undo_import(job_id, "Last year's file.") == {"earlier": 1, "kept": 1}
    mdm.drain()
    said = [[one["reason"] for one in step["undone_imports"]] for step in history(api, golden_id)]
    assert said == [[], [], ["Last year's file."]]
    (undone,) = history(api, golden_id)[-1]["undone_imports"]
    assert (undone["import_id"], undone["file"], undone["source"], undone["records"]) == (str(job_id), "c.csv", "pos", 1)
    values = [plain(api.get(f"/v1/golden/{golden_id}", params={"as_of": at.isoformat()}).json()) for at in (then, between)]
    now = plain(api.get(f"/v1/golden/{golden_id}").json())
    assert [one.get("gender") for one in (*values, now)] == [None, "male", None]
    assert mdm.verify(deep=True).differences == ()


def test_consents_are_told_where_they_were_recorded_or_came_along(api: TestClient, mdm: Master, key: Any) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("mail", "2", MARIA | {"given_name": "Otto", "birth_date": "1950-01-07", "emails": [], "phones": []})
    mdm.drain()
    golden_id = golden_of("pos", "1")
    assert golden_id != golden_of("mail", "2")
    act(**GIVEN, record=("pos", "1"))
    act(**REFUSED, record=("mail", "2"))
    mdm.put("mail", "2", MARIA)
    mdm.drain()
    assert golden_of("mail", "2") == golden_id
    act(**GIVEN | {"purpose": "newsletter"}, record=("pos", "1"))
    told = [[(one["state"], one["purpose"]) for one in step["consents"]] for step in history(api, golden_id)]
    assert told == [[("given", "marketing")], [("withdrawn", "marketing"), ("given", "newsletter")]]
    paged = [history(api, golden_id, limit=1), history(api, golden_id, after=1)]
    assert [[len(step["consents"]) for step in page] for page in paged] == [[1], [2]]
    assert query("SELECT count(*) FROM audit WHERE action = 'golden.read_consents' AND object_id = %s", str(golden_id)) == [(3,)]
    hidden = api.get(f"/v1/golden/{golden_id}/history", headers=key("golden:read")).json()
    assert (hidden["consents_told"], [step["consents"] for step in hidden["items"]]) == ("needs_scope", [[], []])
