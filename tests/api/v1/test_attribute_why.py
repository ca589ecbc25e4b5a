"""Why a golden record shows a value, on the whole pipeline: who says it, what decided, and what each other value lost by."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import policy as policies
from mdm.survivorship_rules import Criterion
from stewardship.value_why import SENTENCES

from ...resolution import MARIA, Master, at, golden_of, query

PROBLEM = "urn:customer-master:problem:"
OTTO = {"given_name": "Otto", "surname": "Becker", "emails": ["otto.becker@telefonica.net"]}


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA | {"language": "en", "gender": "f", "extras": {"segment": "gold"}}, source_updated_at=at(1))
    made.put("mail", "2", MARIA | {"language": "es", "gender": "f"}, source_updated_at=at(3))
    made.put("pos", "3", MARIA | {"language": "fr", "emails": ["other@telefonica.net"]}, source_updated_at=at(2))
    made.drain()
    assert golden_of("pos", "1") == golden_of("mail", "2") == golden_of("pos", "3")
    return made


def why(api: TestClient, name: str, golden: Any = None) -> dict[str, Any]:
    answer = api.get(f"/v1/golden/{golden or golden_of('pos', '1')}/attributes/{name}/why")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def keys(said: list[dict[str, Any]]) -> set[str]:
    return {one["key"] for one in said}


def test_the_winner_is_told_with_what_decided_and_each_other_value_with_what_it_lost_by(api: TestClient, mdm: Master) -> None:
    told = why(api, "language")
    (kept,) = told["values"]
    assert (kept["value"], kept["rule"], kept["sentence"]) == ("es", "trust", SENTENCES["trust"])
    assert (kept["said_by"]["source"], kept["said_by"]["key"], kept["said_by"]["at"][:10]) == ("mail", "2", "2026-03-03")
    lost = [(one["value"], one["said_by"]["key"], one["lost_by"]) for one in told["runners_up"]]
    assert (lost, told["settled"]) == ([("fr", "3", "trust"), ("en", "1", "trust")], True)


def test_it_is_what_the_golden_record_says(api: TestClient, mdm: Master) -> None:
    golden = api.get(f"/v1/golden/{golden_of('pos', '1')}").json()["golden"]
    for name, held in golden["values"].items():
        if name == "extras":
            continue
        told = why(api, name)
        values, origins = [[one] if not isinstance(held["value"], list) else one for one in (held["value"], held["provenance"])]
        assert [one["value"] for one in told["values"]] == values
        assert [one["said_by"]["record_id"] for one in told["values"]] == [one["record_id"] for one in origins]
        assert (told["settled"], told["version"]) == (True, golden["version"])


def test_a_value_that_several_say_names_them_all(api: TestClient, mdm: Master) -> None:
    (kept,) = why(api, "gender")["values"]
    assert (kept["rule"], keys([kept["said_by"], *kept["also_said_by"]])) == ("only_value", {"1", "2"})


def test_kept_emails_say_what_puts_them_behind_the_primary_one(api: TestClient, mdm: Master) -> None:
    told = why(api, "emails")
    first, second = told["values"]
    assert (first["value"]["primary"], first.get("behind"), told["runners_up"]) == (True, None, [])
    assert keys([first["said_by"], *first["also_said_by"]]) == {"1", "2"}
    assert (second["value"]["value"], second["rule"], second["behind"]) == ("other@telefonica.net", "union", "trust")


def test_an_extra_is_asked_for_by_its_name(api: TestClient, mdm: Master) -> None:
    assert [one["value"] for one in why(api, "extras.segment")["values"]] == ["gold"]


def test_a_stewards_value_names_author_reason_and_what_it_beat(api: TestClient, mdm: Master) -> None:
    url = f"/v1/golden/{golden_of('pos', '1')}/overrides"
    body = {"attribute": "language", "value": "pt", "reason": "She said so.", "expires_at": "2099-01-01T00:00:00Z"}
    token = api.post(f"{url}?dry_run=true", json=body).json()["preview_token"]
    override_id = api.post(url, json=body | {"preview_token": token}).json()["override_id"]
    mdm.drain()
    told = why(api, "language")
    said = told["values"][0]["said_by"]
    assert (said["source"], said["override_id"], said["expires_at"]) == ("steward", override_id, "2099-01-01T00:00:00+00:00")
    assert {one["lost_by"] for one in told["runners_up"]} == {"steward"}


def test_while_a_record_waits_what_is_stored_is_told_and_no_more(api: TestClient, mdm: Master) -> None:
    mdm.put("mail", "2", MARIA | {"language": "pt"}, source_updated_at=at(4))
    told = why(api, "language")
    assert (told["settled"], told["values"][0]["value"]) == (False, "es")
    assert [(one["value"], "lost_by" in one) for one in told["runners_up"]] == [("fr", False), ("en", False)]


def test_an_attribute_without_value_is_answered_with_those_that_there_are(api: TestClient, mdm: Master) -> None:
    for name in ("shoe_size", "company_name", "extras", "extras.vip"):
        answer = api.get(f"/v1/golden/{golden_of('pos', '1')}/attributes/{name}/why")
        assert (answer.status_code, answer.json()["type"]) == (404, f"{PROBLEM}unknown_attribute")
        assert {"language", "emails", "extras.segment"} <= set(answer.json()["attributes"])


def test_a_merged_id_tells_of_the_record_it_was_merged_into(api: TestClient, mdm: Master, key: Any) -> None:
    mdm.put("shop", "4", OTTO | {"language": "de"})
    mdm.drain()
    merged = golden_of("shop", "4")
    body = {
        "verdict": "match",
        "left": {"golden_id": str(merged)},
        "right": {"golden_id": str(golden_of("pos", "1"))},
        "reason": "Both cards.",
    }
    token = api.post("/v1/decisions?dry_run=true", json=body).json()["preview_token"]
    api.post("/v1/decisions", json=body | {"preview_token": token})
    mdm.drain()
    assert why(api, "language", merged)["golden_id"] == str(golden_of("pos", "1"))


def test_who_may_not_see_the_golden_record_is_told_nothing_and_every_reading_is_audited(
    api: TestClient, mdm: Master, key: Any
) -> None:
    url = f"/v1/golden/{golden_of('pos', '1')}/attributes/language/why"
    assert api.get(url, headers=key("golden:read", brands=("other",))).status_code == 404
    assert api.get(url, headers=key("lookup")).status_code == 403
    before = query("SELECT count(*) FROM audit WHERE action = 'golden.read_why'", role=db.Role.OWNER)
    why(api, "language")
    after = query("SELECT count(*) FROM audit WHERE action = 'golden.read_why'", role=db.Role.OWNER)
    assert after[0][0] == before[0][0] + 1
    query("UPDATE golden SET status = 'erased'")
    assert api.get(url).status_code == 410


def test_every_criterion_has_its_words() -> None:
    assert {str(one) for one in Criterion} <= SENTENCES.keys()
