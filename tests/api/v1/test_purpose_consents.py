"""A check of consent is denied for what the policy keeps out of its purpose, and names no contact point that may not be used."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from consent.entries import Channel
from consent.purposes import shipped
from kernel import db
from mdm import audiences, consent_files
from mdm.consent_files import Default

from ...resolution import golden_of
from ..conftest import Api
from .test_purpose_limits import key, policy_of, resolved

BY_CONTRACT = "service"  # Allowed without being asked for, so that only limits speak against it.


@pytest.fixture
def api(database: str) -> Iterator[Api]:
    with TestClient(create_app(), headers=key(None)) as client:
        yield client


def check(api: Api, channel: str = "email", **who: Any) -> tuple[str, str, set[str]]:
    asked = {"purpose": BY_CONTRACT, "channel": channel, **(who or {"golden_id": str(golden_of("shop", "1"))})}
    (found,) = api.post("/v1/consent-checks", json={"checks": [asked]}).json()["items"]
    return found["answer"], found["reason"], {one.partition("@")[0] for one in found.get("contact_points", ())}


def email(text: str) -> dict[str, Any]:
    return {"contact_point": {"kind": "email", "value": f"{text}@telefonica.net"}}


ALL = {"maria.garcia", "shop.only", "pos.only", "crm.only"}


def test_without_limits_every_contact_point_is_named(api: Api) -> None:
    resolved(policy_of())
    assert check(api) == ("allowed", "not_asked_for", ALL)


def test_an_attribute_that_is_kept_out_is_denied_on_every_way_that_needs_it(api: Api) -> None:
    resolved(policy_of(["phones", "address"], purpose=BY_CONTRACT))
    for channel in ("phone", "sms", "messenger", "post"):
        assert check(api, channel) == ("denied", "not_for_purpose", set()), channel
    phone = {"contact_point": {"kind": "phone", "value": "+34655872311"}}
    assert check(api, "sms", **phone)[:2] == ("denied", "not_for_purpose")
    assert check(api) == ("allowed", "not_asked_for", ALL)


def test_a_contact_point_that_only_a_kept_out_source_holds_is_none_for_the_purpose(api: Api) -> None:
    resolved(policy_of(sources=["shop", "pos"], purpose=BY_CONTRACT))
    assert check(api) == ("allowed", "not_asked_for", {"maria.garcia", "crm.only"})
    golden = {"golden_id": str(golden_of("shop", "1"))}
    for who in ({}, golden):
        assert check(api, **who, **email("shop.only"))[:2] == ("denied", "not_for_purpose")
        assert check(api, **who, **email("crm.only"))[:2] == ("allowed", "not_asked_for")
    policy_of(sources=["shop", "pos", "crm"], purpose=BY_CONTRACT)
    assert check(api) == ("denied", "not_for_purpose", set())


def test_audiences_are_held_to_the_same_limits(api: Api) -> None:
    resolved(policy_of(["emails"], purpose=BY_CONTRACT))
    with db.read_only() as session:
        default = Default(BY_CONTRACT, Channel.EMAIL, None)
        asked = consent_files.check_of({"source": "shop", "key": "1"}, default, shipped())
        assert audiences.answers(session, shipped(), [asked]) == [("denied", "not_for_purpose", None)]
