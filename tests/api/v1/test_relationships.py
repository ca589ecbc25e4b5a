"""GET /v1/golden/{id}/relationships over the wire."""

import uuid
from typing import Any

from starlette.testclient import TestClient

from kernel import db
from mdm import owed, resolve
from stewardship import tasks

HOME = {"line1": "Calle Mayor 5", "city": "Madrid", "postal_code": "28013", "country": "ES"}


def filled(api: TestClient) -> dict[str, str]:
    """Two of one family: their golden ids by key."""
    for number, given in ((1, "Ana"), (2, "Luis")):
        body = {"given_name": given, "surname": "Ruiz", "birth_date": f"198{number}-03-04", "emails": [f"{given}@ruiz.es"]}
        assert api.put(f"/v1/sources/pos/records/{number}", json={**body, "addresses": [HOME]}).status_code in {200, 201, 202}
    owed.drain(resolve.Resolver(db.transaction, tasks.project))
    asked = {"records": [{"source": "pos", "key": "1"}, {"source": "pos", "key": "2"}]}
    return {str(one["index"] + 1): one["golden_id"] for one in api.post("/v1/crosswalk:lookup", json=asked).json()["items"]}


def test_a_household_with_its_reason_in_code_and_words_and_an_audit_row(api: TestClient, goldens: Any) -> None:
    ids = filled(api)
    answer = api.get(f"/v1/golden/{ids['1']}/relationships")
    assert answer.status_code == 200
    body = answer.json()
    (item,) = body["items"]
    assert (item["kind"], item["golden_id"], item["display_name"]) == ("household", ids["2"], "Luis Ruiz")
    (reason,) = item["reasons"]
    assert reason["code"] == "same_address_and_surname"
    assert "Ruiz" not in reason["words"]
    assert (reason["record"], reason["beside"]) == ({"source": "pos", "key": "1"}, {"source": "pos", "key": "2"})
    assert body["brands"] == [{"brand": "main", "records": [{"source": "pos", "key": "1"}]}]
    assert (body["status"], body["cut"]) == ("live", [])
    audited = [row for row in goldens.audit() if row[0] == "golden.read_relationships"]
    assert audited == [("golden.read_relationships", "golden", ids["1"], {"related": 1, "brands": 1})]


def test_merged_ended_erased_unknown_and_foreign_ids(api: TestClient, goldens: Any, key: Any) -> None:
    lives = goldens.add()
    merged, ended, erased, foreign = (
        goldens.add("merged", lives),
        goldens.add("ended"),
        goldens.add("erased"),
        goldens.add(brand="other"),
    )

    def asked(golden_id: uuid.UUID, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        answer = api.get(f"/v1/golden/{golden_id}/relationships", headers=headers)
        return answer.status_code, answer.json().get("golden_id")

    assert asked(merged) == (200, str(lives))
    assert asked(ended) == (200, str(ended))
    assert asked(erased)[0] == 410
    assert asked(uuid.uuid4())[0] == 404
    assert asked(foreign, key("golden:read", brands=("main",)))[0] == 404
    assert asked(lives, key("lookup"))[0] == 403
    assert api.get("/v1/golden/nonsense/relationships").status_code == 422
