"""POST /v1/golden:search over the wire: pages, scope, refusals that repeat no value."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import golden_search, owed, resolve, rules
from stewardship import tasks

PROBLEM = "urn:customer-master:problem:"


@pytest.fixture
def people(api: TestClient) -> TestClient:
    """Three customers: two of the brand main, one of the brand other."""
    for source, number, given, surname in (("pos", 1, "Ada", "Byron"), ("pos", 2, "Adam", "Byrd"), ("shop", 3, "Adele", "Byrne")):
        body = {"given_name": given, "surname": surname, "birth_date": f"19{60 + number}-03-04", "emails": [f"{given}@byr.org"]}
        assert api.put(f"/v1/sources/{source}/records/{number}", json=body).status_code in {200, 201, 202}
    owed.drain(resolve.Resolver(db.transaction, tasks.project))
    return api


def search(api: TestClient, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    return api.post("/v1/golden:search", json=asked, headers=headers)


def names(answer: Any) -> list[str]:
    return [item["display_name"] for item in answer.json()["items"]]


def test_pages_tell_every_customer_once_and_which_records_met_what(people: TestClient) -> None:
    first = search(people, name="byr ad", limit=2)
    assert first.status_code == 200
    assert names(first) == ["Adam Byrd", "Adele Byrne"]
    assert first.json()["items"][0]["members"] == [{"source": "pos", "key": "2", "by": ["name"]}]
    assert (first.json()["ended_early"], first.json()["may_miss"]) == (False, None)
    second = search(people, name="byr ad", limit=2, cursor=first.json()["next"])
    assert names(second) == ["Ada Byron"]
    assert second.json()["next"] is None
    assert "byr" not in first.json()["next"]


def test_a_key_of_one_brand_finds_only_what_its_records_say(people: TestClient, key: Any) -> None:
    mine = key("golden:read", brands=("main",))
    assert names(search(people, mine, name="byr")) == ["Adam Byrd", "Ada Byron"]
    assert names(search(people, mine, email="adele@byr.org")) == []
    assert names(search(people, mine, source_key={"key": "3"})) == []
    assert names(search(people, mine, source_key={"key": "3", "source": "shop"})) == []
    assert names(search(people, source_key={"key": "3", "source": "shop"})) == ["Adele Byrne"]
    assert names(search(people, source_key={"key": "3", "source": "pos"})) == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"country": "PT"}, 422, "invalid_request"),
        ({"name": "zq", "first": "zq"}, 422, "invalid_request"),
        ({"name": "zq", "limit": 0}, 422, "invalid_request"),
        ({"name": "zq" * 200}, 422, "invalid_request"),
        ({"name": "z"}, 422, "criterion_too_short"),
        ({"postal_code": "?!"}, 422, "criterion_unreadable"),
        ({"source_key": {"key": "zq", "source": "nosuch"}}, 404, "unknown_source"),
        ({"name": "zq", "cursor": "bm9uc2Vuc2U="}, 422, "cursor_of_another_search"),
    ],
)  # fmt: skip
def test_refusals_say_what_is_wrong_and_repeat_no_value(
    people: TestClient, body: dict[str, Any], status: int, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = search(people, **body)
    assert refused.status_code == status
    assert refused.json()["type"].removeprefix(PROBLEM) == code
    assert "zq" not in refused.text + capsys.readouterr().out


def test_a_cursor_of_another_question_is_refused(people: TestClient) -> None:
    following = search(people, name="byr", limit=1).json()["next"]
    assert search(people, name="by", limit=1, cursor=following).status_code == 422
    assert search(people, name="byr", limit=2, cursor=following).status_code == 200


def test_a_key_without_the_scope_may_not_search(people: TestClient, key: Any) -> None:
    assert search(people, key("lookup"), name="byr").status_code == 403


def test_a_search_is_one_act_of_the_audit_and_refused_without(people: TestClient, goldens: Any) -> None:
    search(people, name="byr")
    assert [row for row in goldens.audit() if row[0] == "golden.search"] == [
        ("golden.search", "golden", "", {"by": ["name"], "found": 3})
    ]
    goldens.connection.execute("REVOKE INSERT ON audit FROM mdm_app")
    try:
        refused = search(people, name="byr")
    finally:
        goldens.connection.execute("GRANT INSERT ON audit TO mdm_app")
    assert refused.status_code == 503
    assert "Byron" not in refused.text


def test_a_page_that_ended_early_says_so(people: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_search, "MOST_READ", 1)
    monkeypatch.setattr(golden_search, "PAGE_SECONDS", 0.0)
    answer = search(people, name="byr").json()
    assert answer["ended_early"]
    assert answer["next"]


def test_records_under_an_older_policy_may_be_missed_and_that_is_said(people: TestClient, goldens: Any) -> None:
    goldens.connection.execute("UPDATE standard_record SET standardizer = 'older'")
    rules.forget()
    assert search(people, name="byr").json()["may_miss"] == "records_being_renewed"
