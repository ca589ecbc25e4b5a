"""Revoking links: one, or those of a customer; what was made before is as good as none, what is made afterwards works."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from cli import consent_commands

from ..conftest import Api, KeyMaker
from ..v1.test_consents import GIVEN, POINT, check, merged, record
from .test_confirm import CONFIRM
from .test_preferences import PREFERENCES
from .test_unsubscribe import ONE_CLICK, UNSUBSCRIBE, entries, link


def revoke(api: Api, **which: Any) -> dict[str, Any]:
    answer = api.post("/v1/consent-links:revoke", json=which)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_revoked_link_is_no_link_and_the_others_stand(api: Api, public: TestClient, policy: Any) -> None:
    merged(policy)
    one, other = link(api, **PREFERENCES), link(api, **{**PREFERENCES, "purpose": "newsletter"})
    assert revoke(api, link_id=one["link_id"]) == {"kinds": ["confirm", "preferences", "unsubscribe"], "records": 0}
    refused = public.get(one["path"])
    assert (refused.status_code, refused.text) == (404, public.get("/preferences/none").text)
    assert public.post(one["path"], data={"act": "save", "want": ["email:newsletter"]}).status_code == 404
    assert entries() == 0
    assert public.get(other["path"]).status_code == 200


@pytest.mark.parametrize("named", ["golden_id", "record"])
def test_the_links_of_a_customer_are_revoked_and_the_next_ones_work(
    api: Api, public: TestClient, policy: Any, named: str
) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    old = link(api, **PREFERENCES), link(api, **CONFIRM)
    out = link(api, **UNSUBSCRIBE, golden_id=golden_id)
    which = {"golden_id": golden_id} if named == "golden_id" else {"record": {"source": "shop", "key": "1"}}
    assert revoke(api, **which) == {"kinds": ["confirm", "preferences"], "records": 2}
    for one in old:
        assert (public.get(one["path"]).status_code, public.post(one["path"]).status_code) == (404, 404)
    assert public.get(link(api, **PREFERENCES)["path"]).status_code == 200
    assert public.post(out["path"], data=ONE_CLICK).status_code == 200
    assert check(api, golden_id=golden_id)["answer"] == "denied"


def test_links_to_unsubscribe_are_revoked_when_they_are_named(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    path = link(api, **UNSUBSCRIBE, golden_id=golden_id)["path"]
    revoke(api, golden_id=golden_id, kinds=["unsubscribe"])
    assert (public.get(path).status_code, public.post(path, data=ONE_CLICK).status_code) == (404, 404)
    assert check(api, golden_id=golden_id)["answer"] == "allowed"


def test_nobody_revokes_links_of_customers_that_they_may_not_see(api: Api, policy: Any, key: KeyMaker) -> None:
    golden_id = str(merged(policy))
    answer = api.post("/v1/consent-links:revoke", json={"golden_id": golden_id}, headers=key(brands=("third",)))
    assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[1]) == (404, "unknown_customer")
    assert api.post("/v1/consent-links:revoke", json={}).status_code == 422
    both = {"golden_id": golden_id, "link_id": "0" * 16}
    assert api.post("/v1/consent-links:revoke", json=both).status_code == 422
    assert api.post("/v1/consent-links:revoke", json={"golden_id": golden_id}, headers=key("consents:read")).status_code == 403


def test_links_are_revoked_from_the_command_line(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    made = link(api, contact_point=POINT, kind="preferences", golden_id=golden_id)
    done = CliRunner().invoke(consent_commands.consents_app, ["revoke-links", "--golden-id", golden_id])
    assert (done.exit_code, done.output) == (0, "Revoked: confirm, preferences, of 2 records.\n")
    assert public.get(made["path"]).status_code == 404
