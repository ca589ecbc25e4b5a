"""One customer's way through the service: three channels put records, the resolver makes them one, every read tells the same."""

from typing import Any

from starlette.testclient import TestClient

from kernel import db
from mdm import owed, resolve, versions
from mdm import policy as policies
from stewardship import tasks

ADA = {
    "given_name": "Ada",
    "surname": "Byron",
    "birth_date": "1985-12-10",
    "emails": ["ada.byron@example.org"],
    "phones": ["+442079460958"],
    "loyalty_accounts": [{"programme": "main", "number": "LC-900817", "tier": "gold"}],
}


def resolve_all() -> None:
    """Do what the workers do."""
    owed.drain(resolve.Resolver(db.transaction, tasks.project))


def put(api: TestClient, source: str, key: str, record: dict[str, Any]) -> dict[str, Any]:
    answer = api.put(f"/v1/sources/{source}/records/{key}", json=record)
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


def lookup(api: TestClient, **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.post("/v1/lookup", json=body).json()
    return found


def test_three_records_of_one_person_become_one_golden_record_and_a_deletion_recomputes_it(api: TestClient) -> None:
    for source, key, record in (
        ("pos", "1", ADA),
        ("shop", "A", {**ADA, "surname": "Biron"}),
        ("pos", "2", {**ADA, "loyalty_accounts": []}),
    ):
        assert put(api, source, key, record)["resolution"] == "pending"
    resolve_all()
    asked = [{"source": "pos", "key": "1"}, {"source": "shop", "key": "A"}, {"source": "pos", "key": "2"}]
    items = api.post("/v1/crosswalk:lookup", json={"records": asked}).json()["items"]
    assert {one["resolution"] for one in items} == {"resolved"}
    (golden_id,) = {one["golden_id"] for one in items}
    body = api.get(f"/v1/golden/{golden_id}").json()
    assert (body["status"], body["golden"]["display_name"], len(body["golden"]["members"])) == ("live", "Ada Byron", 3)
    assert body["golden"]["values"]["loyalty_accounts"]["value"][0]["tier"] == "gold"
    found = lookup(api, identifier={"kind": "loyalty", "value": "LC 900817"})
    assert (found["result"], found["golden_id"], found["view"]["display_name"]) == ("found", golden_id, "Ada Byron")
    assert found["view"]["loyalty_accounts"][0]["number"] == "LC900817"
    assert api.post("/v1/match", json={"record": {**ADA, "given_name": "Adda"}}).json()["candidates"][0]["golden_id"] == golden_id
    assert put(api, "pos", "1", ADA)["resolution"] == "resolved"

    api.delete("/v1/sources/pos/records/1")
    assert lookup(api, golden_id=golden_id)["view"]["flags"] == ["settling"]
    resolve_all()
    after = api.get(f"/v1/golden/{golden_id}").json()["golden"]
    assert len(after["members"]) == 2
    assert after["version"] > body["golden"]["version"]


def test_a_rekeyed_record_keeps_its_golden_id(api: TestClient, goldens: Any) -> None:
    put(api, "pos", "1", ADA)
    resolve_all()
    golden_id = lookup(api, source_key={"source": "pos", "key": "1"})["golden_id"]
    api.post("/v1/sources/pos/records/1:rekey", json={"new_key": "N-1"})
    resolve_all()
    assert lookup(api, source_key={"source": "pos", "key": "N-1"})["golden_id"] == golden_id
    assert lookup(api, source_key={"source": "pos", "key": "1"})["result"] == "none"
    assert api.get(f"/v1/golden/{golden_id}").json()["golden"]["members"][0]["source_key"] == "N-1"
    with db.transaction() as session:
        versions.adopt(session, policies.store(session, policies.default(), "test"))
    resolve_all()
    assert goldens.connection.execute("SELECT count(*) FROM pending_record").fetchone() == (0,)
    assert api.get(f"/v1/golden/{golden_id}").json()["status"] == "live"


def test_a_customer_whose_records_are_all_deleted_has_ended_and_comes_back(api: TestClient) -> None:
    put(api, "pos", "1", ADA)
    resolve_all()
    golden_id = lookup(api, source_key={"source": "pos", "key": "1"})["golden_id"]
    api.delete("/v1/sources/pos/records/1")
    resolve_all()
    assert api.get(f"/v1/golden/{golden_id}").json()["status"] == "ended"
    put(api, "pos", "1", ADA)
    resolve_all()
    assert api.get(f"/v1/golden/{golden_id}").json()["status"] == "live"
