"""Alerts of access and figures of drift over the wire, for whoever may see all of it."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import actor, db

from ...resolution import query
from ..conftest import KeyMaker
from ..prepared_tasks import of_an_alert

URL = "/v1/alerts"
SAID = {"reason": "The till was asked for a campaign."}


@pytest.fixture
def alert_id(policy: Any) -> str:
    return str(of_an_alert("alerts_seen")["path_parameters"]["alert_id"])


def as_role(role: str) -> dict[str, str]:
    with db.transaction() as session:
        return {"authorization": f"Bearer {actor.create_key(session, role, (), role=role)[1]}"}


def test_an_alert_says_who_and_how_much_and_is_seen_once(alert_id: str, ana: TestClient, ben: TestClient) -> None:
    (told,) = ana.get(URL).json()["items"]
    assert told["alert_id"] == alert_id
    assert told["sentence"] == "key:till read 4,000 customers within an hour; their most before was 12."
    seen = ana.post(f"{URL}/{alert_id}:seen", json={**SAID, "is_usual": True})
    assert (seen.status_code, seen.json()["is_usual"]) == (200, True)
    assert [len(ana.get(URL, params={"unseen": unseen}).json()["items"]) for unseen in (True, False)] == [0, 1]
    assert ben.post(f"{URL}/{alert_id}:seen", json=SAID).status_code == 409
    assert query("SELECT count(*) FROM audit WHERE action = 'alert.seen'") == [(1,)]


def test_whom_it_is_about_does_not_say_that_it_is_usual(alert_id: str, ana: TestClient, key: KeyMaker) -> None:
    mine = key()
    ((key_id,),) = query("SELECT key_id FROM api_key ORDER BY created_at DESC LIMIT 1")
    query("UPDATE access_alert SET actor = %s", f"key:{key_id}")
    assert ana.post(f"{URL}/{alert_id}:seen", json=SAID, headers=mine).status_code == 403


def test_an_auditor_reads_alerts_under_their_names_and_a_data_engineer_drift(alert_id: str, ana: TestClient) -> None:
    (told,) = ana.get(URL, headers=as_role("auditor")).json()["items"]
    assert (told["actor"], told["kind"], told["figures"]) == ("key:till", "reads", {"number": 4000, "usual": 12})
    engineer = as_role("data_engineer")
    assert ana.get(URL, headers=engineer).status_code == 403
    found = ana.get("/v1/drift", headers=engineer).json()
    assert found["day"] is not None
    assert found["items"] == [
        {"what": "complete", "of": "pos phones", "before": 0.01, "now": 0.2, "distance": 0.19, "counted": 900, "is_beyond": True}
    ]


def test_before_anything_was_measured_drift_is_not_known(ana: TestClient) -> None:
    assert ana.get("/v1/drift").json() == {"day": None, "items": []}


def test_without_a_reason_or_an_alert_nothing_is_seen(alert_id: str, ana: TestClient) -> None:
    assert ana.post(f"{URL}/{alert_id}:seen", json={}).status_code == 422
    missing = ana.post(f"{URL}/{alert_id[:-4]}0000:seen", json=SAID)
    assert (missing.status_code, missing.json()["type"].rpartition(":")[2]) == (404, "unknown_alert")
    assert query("SELECT count(*) FROM access_alert WHERE seen_at IS NULL") == [(1,)]
