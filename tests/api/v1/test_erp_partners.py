"""An ERP's partners in by REST as Odoo gives them, a merge out by the feed, golden ids back: sent again they are the same."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from kernel import actor, db
from mdm import policy
from workers import sequencer

from ...resolution import Master, golden_of, query
from ..conftest import Api

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
NOTHING = {"email": False, "phone": False, "mobile": False, "street": False, "street2": False, "vat": False, "ref": False}
COMMON = {**NOTHING, "write_date": "2026-02-11 17:20:00", "country_code": "AU", "active": True, "lang": "en_AU", "zip": "2000"}
COMPANY = {**COMMON, "id": 7, "is_company": True, "name": "Lee Pty Ltd", "parent_id": False, "vat": "AU51824753556"}
ANN = {
    **COMMON, "id": 41, "is_company": False, "name": "Annabel Leeson", "email": "annabel@leeson.org", "phone": "+61 2 9374 4000",
    "street": "12 High St", "city": "Sydney", "parent_id": [7, "Lee Pty Ltd"],
}  # fmt: skip
OTHER = {**COMMON, "id": 52, "is_company": False, "name": "A. Leeson", "parent_id": False}


@pytest.fixture
def mdm(database: str) -> Master:
    with db.transaction() as session:
        return Master(policy.store(session, policy.load(EXAMPLES / "erp.yaml"), "test"))


@pytest.fixture
def api(mdm: Master) -> Iterator[Api]:
    with Api(create_app()) as client:
        with db.transaction() as session:
            _, key = actor.create_key(session, "erp", ["records:write", "events:read"])
        client.headers["authorization"] = f"Bearer {key}"
        yield client


def send(api: Api, mdm: Master, *partners: dict[str, Any]) -> list[str]:
    """Send partners one by one and resolve; what became of each."""
    found = []
    for one in partners:
        answer = api.put(f"/v1/sources/erp/records/{one['id']}", json=one)
        assert answer.status_code in {200, 201, 202}, answer.text
        found.append(answer.json()["status"])
    mdm.drain()
    sequencer.number_all()
    return found


def test_partners_in_merge_out_golden_ids_back_and_the_same_again(api: Api, mdm: Master) -> None:
    assert send(api, mdm, COMPANY, ANN, OTHER) == ["created"] * 3
    assert query("SELECT source_key FROM source_record WHERE parent_key = '7'") == [("41",)]
    same_person = {**ANN, "id": 52, "write_date": "2026-02-11 18:00:00"}
    assert send(api, mdm, COMPANY, ANN, same_person) == ["same", "same", "changed"]

    page = api.get("/v1/events").json()
    assert "golden.merged" in {one["type"] for one in page["events"]}
    follower = runpy.run_path(str(EXAMPLES / "subscriber.py"))["Subscriber"]()
    for event in page["events"]:
        follower.apply(event)
    golden_ids = {key: golden_id for (_, key), golden_id in follower.crosswalk().items()}
    assert golden_ids == {key: str(golden_of("erp", key)) for key in ("7", "41", "52")}
    assert golden_ids["41"] == golden_ids["52"] != golden_ids["7"]

    back = {"write_date": "2026-02-12 09:00:00"}  # Odoo moves it when we write.
    written = [{**one, **back, "ref": golden_ids[str(one["id"])]} for one in (COMPANY, ANN, same_person)]
    assert send(api, mdm, *written) == ["same"] * 3
    assert api.get("/v1/events", params={"after": page["next"]}).json()["events"] == []
