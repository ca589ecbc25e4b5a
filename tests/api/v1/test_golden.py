"""Every golden id ever issued answers, by what became of it; nobody's data leaves without an audit row."""

import uuid
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient


def test_a_live_golden_answers_with_its_body(api: TestClient, goldens: Any) -> None:
    golden_id = goldens.add()
    answer = api.get(f"/v1/golden/{golden_id}")
    body = answer.json()
    assert answer.status_code == 200
    assert (body["requested_id"], body["status"], body["golden_id"]) == (str(golden_id), "live", str(golden_id))
    assert body["redirect_chain"] == [str(golden_id)]
    assert body["golden"]["display_name"] == "Ada Byron"
    assert body["golden"]["consent"] == "not known"
    assert answer.headers["cache-control"] == "private, no-cache"


def test_the_same_etag_costs_no_body(api: TestClient, goldens: Any) -> None:
    golden_id = goldens.add()
    etag = api.get(f"/v1/golden/{golden_id}").headers["etag"]
    again = api.get(f"/v1/golden/{golden_id}", headers={"if-none-match": f'"other", W/{etag}'})
    assert (again.status_code, again.content) == (304, b"")
    goldens.connection.execute("UPDATE golden SET body = body || '{\"version\": 4}', version = 4")
    assert api.get(f"/v1/golden/{golden_id}", headers={"if-none-match": etag}).status_code == 200


def test_a_merged_golden_answers_with_the_one_it_lives_in(api: TestClient, goldens: Any) -> None:
    lives = goldens.add(name="Ada Lovelace")
    merged = goldens.add("merged", lives)
    body = api.get(f"/v1/golden/{merged}").json()
    assert (body["requested_id"], body["status"], body["golden_id"]) == (str(merged), "merged", str(lives))
    assert body["redirect_chain"] == [str(merged), str(lives)]
    assert body["golden"]["display_name"] == "Ada Lovelace"


def test_ended_erased_and_unknown_goldens(api: TestClient, goldens: Any) -> None:
    ended, erased, unknown = goldens.add("ended"), goldens.add("erased"), uuid.uuid4()
    assert api.get(f"/v1/golden/{ended}").json()["status"] == "ended"
    gone, missing = api.get(f"/v1/golden/{erased}"), api.get(f"/v1/golden/{unknown}")
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:customer-master:problem:golden_erased")
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:customer-master:problem:unknown_golden")
    assert missing.json()["timeline_id"] == gone.json()["timeline_id"]


def test_another_brands_golden_is_unknown(api: TestClient, goldens: Any, key: Any) -> None:
    golden_id = goldens.add(brand="other")
    mine = key("golden:read", brands=("main",))
    assert api.get(f"/v1/golden/{golden_id}", headers=mine).status_code == 404
    assert api.get(f"/v1/golden/{golden_id}").status_code == 200


def test_every_read_is_audited_under_the_id_that_was_shown(api: TestClient, goldens: Any) -> None:
    lives = goldens.add()
    merged = goldens.add("merged", lives)
    api.get(f"/v1/golden/{merged}")
    api.get(f"/v1/golden/{uuid.uuid4()}")
    assert goldens.audit() == [("golden.read", "golden", str(lives), {"requested_id": str(merged)})]


def test_a_read_that_cannot_be_audited_is_refused(api: TestClient, goldens: Any, database: str) -> None:
    golden_id = goldens.add()
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("REVOKE INSERT ON audit FROM mdm_app")
        try:
            one = api.get(f"/v1/golden/{golden_id}")
            many = api.post("/v1/golden:batch-get", json={"ids": [str(golden_id)]})
        finally:
            owner.execute("GRANT INSERT ON audit TO mdm_app")
    for answer in (one, many):
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:customer-master:problem:audit_unavailable")
        assert b"Ada" not in answer.content
    assert api.get(f"/v1/golden/{golden_id}").status_code == 200


def test_a_batch_answers_each_id_in_the_order_asked(api: TestClient, goldens: Any) -> None:
    live, unknown = goldens.add(), uuid.uuid4()
    merged, erased = goldens.add("merged", live), goldens.add("erased")
    ids = [str(one) for one in (unknown, merged, live, erased, live)]
    items = api.post("/v1/golden:batch-get", json={"ids": ids}).json()["items"]
    assert [(one["requested_id"], one["status"]) for one in items] == list(
        zip(ids, ["unknown", "merged", "live", "erased", "live"], strict=True)
    )
    assert items[1]["golden_id"] == str(live)
    assert items[1]["golden"]["values"]["name"]["provenance"] == {"source": "pos"}
    assert "golden" not in items[0]
    assert "golden" not in items[3]


def test_a_batch_gives_chosen_fields_or_a_view(api: TestClient, goldens: Any) -> None:
    ids = [str(goldens.add())]
    chosen = api.post("/v1/golden:batch-get", json={"ids": ids, "fields": ["display_name", "phones", "extras.segment"]}).json()
    viewed = api.post("/v1/golden:batch-get", json={"ids": ids, "view": "checkout"}).json()
    assert chosen["items"][0]["golden"] == {"display_name": "Ada Byron", "extras.segment": "gold"}
    assert viewed["items"][0]["golden"] == {"golden_id": ids[0], "display_name": "Ada Byron", "flags": []}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"ids": []}, "too_short"),
        ({"ids": [str(uuid.uuid4())] * 1001}, "too_long"),
        ({"ids": ["ada@example.org"]}, "uuid_parsing"),
        ({"ids": [str(uuid.uuid4())], "ada@example.org": 1}, "extra_forbidden"),
        ({}, "missing"),
        ([], "model_attributes_type"),
    ],
)
def test_a_batch_that_cannot_be_read_says_where_and_repeats_nothing(api: TestClient, body: Any, code: str) -> None:
    answer = api.post("/v1/golden:batch-get", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == code
    assert "ada@" not in answer.text


def test_what_a_split_took_away_is_told_of_the_id_that_was_asked_for(api: TestClient, goldens: Any) -> None:
    lives, other = goldens.add(), goldens.add()
    merged = goldens.add("merged", lives)
    goldens.connection.execute("UPDATE golden SET split_into = ARRAY[%s] WHERE golden_id = %s", [other, merged])
    assert api.get(f"/v1/golden/{merged}").json()["split_into"] == [str(other)]
    assert api.get(f"/v1/golden/{lives}").json()["split_into"] == []


def test_ids_of_any_age_say_what_became_of_them(api: TestClient, goldens: Any) -> None:
    live, unknown, ended, erased = goldens.add(), uuid.uuid4(), goldens.add("ended"), goldens.add("erased")
    merged, gone = goldens.add("merged", live), goldens.add("merged", erased)
    goldens.connection.execute("UPDATE golden SET split_into = ARRAY[%s] WHERE golden_id = %s", [ended, live])
    ids = [str(one) for one in (unknown, merged, live, erased, gone, ended, live)]
    answer = api.post("/v1/golden:resolve-ids", json={"ids": ids}).json()
    statuses = ["unknown", "merged", "live", "erased", "erased", "ended", "live"]
    assert [(one["requested_id"], one["status"]) for one in answer["items"]] == list(zip(ids, statuses, strict=True))
    assert answer["items"][0].keys() == {"requested_id", "status"}
    assert answer["items"][1] == {
        "requested_id": str(merged), "status": "merged", "golden_id": str(live), "redirect_chain": [str(merged), str(live)],
        "version": 3, "split_into": [],
    }  # fmt: skip
    assert answer["items"][2]["split_into"] == [str(ended)]
    assert goldens.audit() == [("golden.resolve_ids", "golden", "", {"asked": 6, "found": 5})]


def test_an_id_of_another_brand_is_unknown_to_resolve_as_well(api: TestClient, goldens: Any, key: Any) -> None:
    ids = [str(goldens.add(brand="other"))]
    mine = key("lookup", brands=("main",))
    answer = api.post("/v1/golden:resolve-ids", json={"ids": ids}, headers=mine).json()
    assert [one["status"] for one in answer["items"]] == ["unknown"]


def test_an_unknown_view_names_those_there_are(api: TestClient, goldens: Any) -> None:
    answer = api.post("/v1/golden:batch-get", json={"ids": [str(goldens.add())], "view": "till"})
    assert (answer.status_code, answer.json()["views"]) == (422, ["checkout", "service"])
