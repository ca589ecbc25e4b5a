"""Explanations say what speaks for and against, what is missing and what was decided, in words that hold no value of anybody."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from matching.model import default_model
from mdm import policy as policies
from mdm import versions

from ...resolution import MARIA, Master, golden_of, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
ONE, TWO, THREE = {"source": "pos", "key": "1"}, {"source": "mail", "key": "2"}, {"source": "shop", "key": "3"}


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA)
    made.put("mail", "2", {name: value for name, value in MARIA.items() if name != "phones"})
    made.put("shop", "3", OTTO)
    made.drain()
    return made


def why(api: TestClient, left: Any, right: Any) -> dict[str, Any]:
    answer = api.post("/v1/explain:why", json={"left": left, "right": right})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_why_two_are_one(api: TestClient, mdm: Master) -> None:
    told = why(api, {"records": [ONE]}, {"records": [TWO]})
    pair = told["strongest"]
    assert (told["together"], told["pairs"], pair["verdict"]) == (True, 1, "match")
    assert pair["match_weight"] == told["average_weight"] == pair["stored"][0]["weight"] > told["merge_line"]
    assert pair["said"][0]["sentence"] == "the same e-mail address, which bears the name"
    assert pair["unsaid"][0]["comparison"] == "identifier"
    assert "phone" in [one["comparison"] for one in pair["unsaid"]]
    assert [one["author"] for one in pair["stored"]] == ["model"]


def test_what_was_decided_is_told_with_the_levels_that_it_was_decided_on(api: TestClient, mdm: Master) -> None:
    """Also while a newer version of a record waits for a worker: what it was decided on is not what is weighed now."""
    pair = why(api, {"records": [ONE]}, {"records": [TWO]})["strongest"]
    (word,) = pair["stored"]
    then = {(one["comparison"], one["level"], one["sentence"]) for one in pair["said"]}
    assert ("birth_date", "exact", "the same birth date") in then
    assert {tuple(one.values()) for one in word["levels"]} == then
    mdm.put(ONE["source"], ONE["key"], {**MARIA, "birth_date": "1951-09-30", "phones": []})
    pair = why(api, {"records": [ONE]}, {"records": [TWO]})["strongest"]
    assert [one["level"] for one in pair["said"] if one["comparison"] == "birth_date"] == ["different"]
    (word,) = pair["stored"]
    assert {tuple(one.values()) for one in word["levels"]} == then


def test_levels_are_named_by_the_model_that_ruled_when_it_was_decided(api: TestClient, mdm: Master) -> None:
    before = why(api, {"records": [ONE]}, {"records": [TWO]})["strongest"]["stored"]
    shipped = default_model()
    kept = [(one, of) for one, of in zip(shipped.comparisons, shipped.parameters, strict=True) if one.name != "surname"]
    comparisons, parameters = zip(*kept, strict=True)
    fewer = replace(shipped, comparisons=comparisons, parameters=parameters, name="fewer", fingerprint="")
    with db.transaction() as session:
        versions.adopt(session, model=fewer)
    pair = why(api, {"records": [ONE]}, {"records": [TWO]})["strongest"]
    assert pair["stored"] == before
    assert "surname" in {one["comparison"] for one in before[0]["levels"]} - {one["comparison"] for one in pair["said"]}


def test_why_two_golden_records_are_not_one(api: TestClient, mdm: Master) -> None:
    sides = ({"golden_id": str(golden_of("pos", "1"))}, {"golden_id": str(golden_of("shop", "3"))})
    told = why(api, *sides)
    pair = told["strongest"]
    assert (told["together"], told["pairs"], pair["verdict"], pair["stored"]) == (False, 2, "no_match", [])
    assert pair["said"][-1]["bits"] < 0
    assert "the birth dates differ" in pair["sentence"]


def test_what_keeps_two_apart_whose_strongest_pair_is_a_match_is_said(api: TestClient, mdm: Master) -> None:
    mdm.put("shop", "4", MARIA | {"birth_date": "1951-09-30", "given_name": "Carmen", "identifiers": []})
    mdm.put("shop", "5", MARIA)
    mdm.drain()
    left, right = {"records": [{"source": "shop", "key": "4"}, {"source": "shop", "key": "5"}]}, {"records": [ONE]}
    told = why(api, left, right)
    assert (told["together"], told["strongest"]["verdict"]) == (False, "match")
    assert told["apart"] == "Another pair of their records must not be one without a human (birth date and name conflict)."
    assert "apart" not in why(api, {"records": [ONE]}, {"records": [TWO]})


def test_a_stewards_word_stands_beside_the_models(api: TestClient, mdm: Master) -> None:
    body = {"verdict": "no_match", "left": {"records": [ONE]}, "right": {"records": [TWO]}, "reason": "Mother and daughter."}
    token = api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    api.post("/v1/decisions", json=body | {"preview_token": token})
    mdm.drain()
    told = why(api, {"records": [ONE]}, {"records": [TWO]})
    assert told["together"] is False
    assert told["apart"] == "A steward decided that they are not one customer."
    said = [(one["author"].split(":")[0], one["verdict"]) for one in told["strongest"]["stored"]]
    assert sorted(said) == [("model", "match"), ("steward", "no_match")]
    assert [bool(one["levels"]) for one in told["strongest"]["stored"]] == [one[0] == "model" for one in said]


def test_how_a_golden_record_came_together(api: TestClient, mdm: Master) -> None:
    mdm.put("shop", "3", {**MARIA, "emails": []})
    mdm.drain()
    told = api.get(f"/v1/golden/{golden_of('pos', '1')}/how").json()
    assert told["golden_id"] == str(golden_of("pos", "1"))
    assert [step["kind"] for step in told["steps"]] == ["weight", "weight"]
    named = [{(key["source"], key["key"]) for part in step["parts"] for key in part} for step in told["steps"]]
    assert (len(named[0]), len(named[1])) == (2, 3)
    assert told["weakest"]["weight"] == min(step["weight"] for step in told["steps"])


def test_each_step_tells_what_the_log_says_across_its_parts(api: TestClient, mdm: Master) -> None:
    mdm.put("shop", "3", {**MARIA, "emails": []})
    mdm.drain()
    steps = api.get(f"/v1/golden/{golden_of('pos', '1')}/how").json()["steps"]
    assert len(steps) == 2
    for step in steps:
        (word,) = step["stored"]
        places = {next(at for at, part in enumerate(step["parts"]) if record in part) for record in word["records"]}
        assert (word["author"], word["verdict"], len(places)) == ("model", "match", 2)
        pair = why(api, {"records": word["records"][:1]}, {"records": word["records"][1:]})["strongest"]
        assert (pair["stored"][0]["decision_id"], pair["match_weight"]) == (word["decision_id"], word["weight"])


def test_a_step_that_a_steward_made_names_the_decision(api: TestClient, mdm: Master) -> None:
    body = {"verdict": "match", "left": {"records": [THREE]}, "right": {"records": [ONE]}, "reason": "He uses her card."}
    token = api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    decision_id = api.post("/v1/decisions", json=body | {"preview_token": token}).json()["decision_id"]
    mdm.drain()
    steps = api.get(f"/v1/golden/{golden_of('pos', '1')}/how").json()["steps"]
    (by_hand,) = [step for step in steps if step["kind"] == "steward"]
    said = by_hand["stored"][0]
    assert (said["decision_id"], said["author"].split(":")[0], said["verdict"]) == (decision_id, "steward", "match")
    assert said["records"] == [THREE, ONE]


def test_who_asks_why_is_noted_with_both_records(api: TestClient, mdm: Master) -> None:
    why(api, {"records": [ONE]}, {"records": [THREE]})
    asked = query("SELECT record_id::text FROM crosswalk WHERE source IN ('pos', 'shop') ORDER BY 1")
    assert query("SELECT object_id FROM audit WHERE action = 'explain.why' ORDER BY 1", role=db.Role.OWNER) == asked


def test_a_golden_record_of_one_record_was_never_joined(api: TestClient, mdm: Master) -> None:
    told = api.get(f"/v1/golden/{golden_of('shop', '3')}/how").json()
    assert (told["steps"], told.get("weakest")) == ([], None)


def test_no_value_and_no_foreign_record_is_told(api: TestClient, mdm: Master, key: Any) -> None:
    text = str(why(api, {"records": [ONE]}, {"records": [THREE]})).casefold()
    assert not any(value in text for value in ("maria", "garcia", "otto", "becker", "1984", "1950", "telefonica"))
    mine = key("match:explain", brands=("main",))
    refused = api.post("/v1/explain:why", json={"left": {"records": [ONE]}, "right": {"records": [THREE]}}, headers=mine)
    assert refused.status_code == 404
    assert api.get(f"/v1/golden/{golden_of('shop', '3')}/how", headers=mine).status_code == 404
