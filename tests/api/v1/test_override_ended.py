"""Values set by hand on a golden record that ended: told, withdrawn, and counting again when a record returns."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from mdm import policy as policies

from ...resolution import MARIA, Master, golden_of
from .test_overrides import OTTO, failed, put, wish, withdraw


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA)
    made.put("shop", "3", OTTO)
    made.drain()
    return made


def test_what_was_set_on_a_golden_record_that_ended_is_told_and_counts_again_when_a_record_returns(
    api: TestClient, mdm: Master, key: Any
) -> None:
    golden = golden_of("shop", "3")
    made = put(api, mdm, wish(), golden)
    mdm.delete("shop", "3")
    mdm.drain()
    told = api.get(f"/v1/golden/{golden}/overrides").json()
    assert (told["status"], told["golden_id"]) == ("ended", str(golden))
    assert [one["override_id"] for one in told["items"]] == [made["override_id"]]
    of_others = api.get(f"/v1/golden/{golden}/overrides", headers=key("decisions:write", brands=("main",)))
    assert of_others.json().get("items", []) == []
    assert failed(api.post(f"/v1/golden/{golden}/overrides?dry_run=true", json=wish())) == (409, "golden_ended")
    mdm.put("shop", "3", OTTO)
    mdm.drain()
    assert golden_of("shop", "3") == golden
    assert api.get(f"/v1/golden/{golden}").json()["golden"]["values"]["language"]["value"] == "es"
    assert api.get(f"/v1/golden/{golden}/overrides").json()["status"] == "live"


def test_what_was_set_on_a_golden_record_that_ended_can_be_withdrawn(api: TestClient, mdm: Master) -> None:
    golden = golden_of("shop", "3")
    made = put(api, mdm, wish(), golden)
    mdm.delete("shop", "3")
    mdm.drain()
    withdraw(api, mdm, made["override_id"], golden)
    assert [one["state"] for one in api.get(f"/v1/golden/{golden}/overrides").json()["items"]] == ["withdrawn"]
