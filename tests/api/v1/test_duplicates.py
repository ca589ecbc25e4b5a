"""A source's own duplicates: grouped, a survivor proposed with its reason, page by page, as JSON and as CSV, within the scope."""

import csv
import io
from typing import Any

import pytest
from starlette.testclient import TestClient

from mdm import duplicates
from mdm import policy as policies

from ...resolution import MARIA, Master, golden_of, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "emails": ["otto.becker@telefonica.net"]}
CARD = {"loyalty_accounts": [{"programme": "main", "number": "7001"}]}
URL = "/v1/sources/pos/duplicates"


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA)
    made.put("pos", "2", MARIA | CARD)
    made.put("shop", "9", MARIA)
    made.put("pos", "3", OTTO)
    made.put("pos", "4", OTTO)
    made.put("pos", "5", {"given_name": "Ines", "surname": "Duarte", "birth_date": "1977-05-05"})
    made.put("shop", "8", {"given_name": "Boris", "surname": "Katz"})
    made.drain()
    return made


def groups(answer: Any) -> list[tuple[str, str, list[str]]]:
    return [(one["survivor"], one["kept_for"], [record["key"] for record in one["records"]]) for one in answer["items"]]


def test_groups_of_one_source_with_the_survivor_that_says_most(api: TestClient, mdm: Master) -> None:
    answer = api.get(URL).json()
    assert sorted(groups(answer)) == [("2", "most_complete", ["2", "1"]), ("4", "latest", ["4", "3"])]
    (maria,) = [one for one in answer["items"] if one["survivor"] == "2"]
    assert (maria["golden_id"], maria["keys"]) == (str(golden_of("pos", "1")), 2)
    assert maria["records"][0]["loyalty_accounts"] == [{"programme": "main", "number": "7001"}]
    ((keys, verdict),) = [(sorted(one["keys"]), one["verdict"]) for one in maria["evidence"]]
    assert (keys, verdict, answer["next"]) == (["1", "2"], "match", None)
    assert query("SELECT action, count(*) FROM audit WHERE action LIKE '%%duplicates' GROUP BY 1") == [
        ("golden.read_duplicates", 2)
    ]


def test_pages_follow_each_other_without_gap_or_repetition(api: TestClient, mdm: Master) -> None:
    first = api.get(URL, params={"limit": 1}).json()
    second = api.get(URL, params={"limit": 1, "after": first["next"]}).json()
    assert [*groups(first), *groups(second)] == groups(api.get(URL).json())
    assert second["next"] is None


def test_the_same_as_csv(api: TestClient, mdm: Master) -> None:
    answer = api.get(URL, params={"limit": 1}, headers={"accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    first = api.get(URL, params={"limit": 1}).json()
    assert [(row["key"], row["survivor"]) for row in rows] == [
        (record["key"], "yes" if place == 0 else "no") for place, record in enumerate(first["items"][0]["records"])
    ]
    assert answer.headers["link"] == f'<?after={first["next"]}&limit=1>; rel="next"'
    assert answer.headers["content-type"].startswith("text/csv")


def test_csv_says_of_each_record_what_is_known_best_of_it_and_another(api: TestClient, mdm: Master) -> None:
    (maria,) = [one for one in api.get(URL).json()["items"] if one["survivor"] == "2"]
    (pair,) = maria["evidence"]
    rows = csv.DictReader(io.StringIO(api.get(URL, headers={"accept": "text/csv"}).text))
    told = {
        row["key"]: (row["beside"], row["verdict"], float(row["weight"]), row["reason"]) for row in rows if row["key"] in "12"
    }
    known = ("match", round(pair["weight"], 2), pair["reason"])
    assert told == {"1": ("2", *known), "2": ("1", *known)}


def test_the_links_of_csv_lead_through_all_pages_of_the_size_that_was_asked_for(api: TestClient, mdm: Master) -> None:
    for key in ("6", "7"):
        mdm.put("pos", key, OTTO | {"given_name": "Greta", "birth_date": "1984-09-30", "emails": ["greta@telefonica.net"]})
    mdm.drain()
    keys: list[list[str]] = []
    following: str | None = "?limit=1"
    while following is not None:
        answer = api.get(URL + following, headers={"accept": "text/csv"})
        keys.append(sorted(row["key"] for row in csv.DictReader(io.StringIO(answer.text))))
        link = answer.headers.get("link")
        following = link.partition("<")[2].partition(">")[0] if link else None
    assert sorted(keys) == [["1", "2"], ["3", "4"], ["6", "7"]]


def test_a_key_that_a_spreadsheet_would_compute_gets_a_quote(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "=6", OTTO | CARD)
    mdm.drain()
    answer = api.get(URL, headers={"accept": "text/csv"})
    assert "'=6" in [row["key"] for row in csv.DictReader(io.StringIO(answer.text))]


def test_of_more_keys_than_are_told_the_best_of_all_survives(
    api: TestClient, mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MOST_KEYS", 2)
    mdm.put("pos", "6", OTTO | CARD)
    mdm.drain()
    answer = api.get(URL).json()
    (otto,) = [one for one in answer["items"] if one["survivor"] == "6"]
    assert (otto["keys"], otto["kept_for"]) == (3, "most_complete")
    assert [record["key"] for record in otto["records"]] == ["6", "3"]


def test_whoever_may_not_see_the_source_sees_nothing(api: TestClient, mdm: Master, key: Any) -> None:
    assert api.get(URL, headers=key("golden:read", brands=("other",))).status_code == 404
    assert api.get(URL, headers=key("records:read")).status_code == 403
    assert api.get("/v1/sources/nonsense/duplicates").status_code == 404
    assert groups(api.get("/v1/sources/shop/duplicates").json()) == []


def test_a_group_whose_records_go_while_it_is_read_is_left_out(api: TestClient, mdm: Master) -> None:
    query("DELETE FROM standard_record WHERE source = 'pos' AND source_key IN ('1', '2', '3')")
    answer = api.get(URL)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
