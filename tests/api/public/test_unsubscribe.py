"""Unsubscribing by a link: at once and by a POST alone, of the contact point whoever holds it, and by no other link."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from api.public import following
from api.public.app import create_app
from api.public.limits import Window
from consent import links
from kernel import clock
from kernel.settings import configure, settings

from ...resolution import MARIA, Master, golden_of, query
from ..conftest import Api, KeyMaker
from ..v1.test_consents import EMAIL, GIVEN, POINT, check, merged, record

UNSUBSCRIBE = {"kind": "unsubscribe", "contact_point": POINT, "purpose": "marketing", "channel": "email"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link(api: Api, **wish: Any) -> dict[str, Any]:
    """Make a link."""
    answer = api.post("/v1/consent-links", json=wish)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def entries() -> int:
    found: int = query("SELECT count(*) FROM consent_entry")[0][0]
    return found


def test_a_post_acts_at_once_and_a_look_changes_nothing(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    path = link(api, golden_id=golden_id, **UNSUBSCRIBE)["path"]
    for look in (public.get, public.head, public.get):
        assert look(path).status_code == 200
    assert "<button" in public.get(path).text
    assert (entries(), check(api, golden_id=golden_id)["answer"]) == (1, "allowed")
    assert public.post(path, data=ONE_CLICK).status_code == 200
    for asked in ({"golden_id": golden_id}, {"contact_point": POINT}, {"record": {"source": "pos", "key": "1"}}):
        assert (check(api, **asked)["answer"], check(api, **asked)["reason"]) == ("denied", "withdrawn")
    told = api.get(f"/v1/golden/{golden_id}/consents").json()["entries"][0]
    assert (told["state"], told["origin"], told["method"], told["recorded_by"]) == (
        "withdrawn", "subject", "one_click", "subject:link",
    )  # fmt: skip
    assert (told["evidence"]["kind"], told["evidence_intact"]) == ("unsubscribe", True)
    assert {row[0] for row in query("SELECT type FROM outbox")} >= {"consent.changed", "consent.narrowed"}


def test_whatever_is_wrong_with_a_link_is_one_and_the_same_answer(api: Api, public: TestClient, policy: Any, time: Any) -> None:
    golden_id = str(merged(policy))
    record(api, GIVEN)
    token = link(api, golden_id=golden_id, **UNSUBSCRIBE)["token"]
    other = link(api, **{**UNSUBSCRIBE, "kind": "preferences"}, golden_id=golden_id)["token"]
    half = len(token) // 2
    altered = f"{token[:half]}{'A' if token[half] != 'A' else 'B'}{token[half + 1 :]}"
    wrong = [altered, other, token[:-1], token[1:], f"{token}AAAA", "é", "x" * 5_000]
    said = {(answer.status_code, answer.text) for one in wrong for answer in (public.post(f"/unsubscribe/{one}"),)}
    time(links.LIVES[links.LinkKind.UNSUBSCRIBE] + timedelta(seconds=1))
    said |= {(answer.status_code, answer.text) for answer in (public.post(f"/unsubscribe/{token}"), public.get(f"/else/{token}"))}
    assert [status for status, _ in said] == [404]
    time(timedelta(0))
    assert check(api, golden_id=golden_id)["answer"] == "allowed"


@pytest.mark.parametrize("named", ["golden_id", "record"])
def test_it_works_after_merges_and_splits(api: Api, public: TestClient, policy: Any, named: str) -> None:
    golden_id = merged(policy)
    record(api, GIVEN, {**GIVEN, "record": {"source": "shop", "key": "1"}, "brand": "other"})
    who = {"golden_id": str(golden_id)} if named == "golden_id" else {"record": {"source": "shop", "key": "1"}}
    made = link(api, **who, **UNSUBSCRIBE)
    left, right = ({"records": [{"source": source, "key": "1"}]} for source in ("pos", "shop"))
    said = {"verdict": "no_match", "left": left, "right": right, "reason": "Two people."}
    token = api.post("/v1/decisions", params={"dry_run": True}, json=said).json()["preview_token"]
    assert api.post("/v1/decisions", json={**said, "preview_token": token}).status_code == 201
    Master(policy).drain()
    assert golden_of("pos", "1") != golden_of("shop", "1")
    goldens = [(str(golden_of("pos", "1")), "main"), (str(golden_of("shop", "1")), "other")]
    assert [check(api, golden_id=one, brand=brand, contact_point=POINT)["answer"] for one, brand in goldens] == ["allowed"] * 2
    assert public.post(made["path"]).status_code == 200
    assert [check(api, golden_id=one, brand=brand, contact_point=POINT)["answer"] for one, brand in goldens] == ["denied"] * 2


def test_it_works_when_nobody_holds_the_address_any_more(api: Api, public: TestClient, policy: Any) -> None:
    merged(policy)
    path = link(api, record=GIVEN["record"], **UNSUBSCRIBE)["path"]
    for source in ("pos", "shop"):
        Master(policy).put(source, "1", {**MARIA, "emails": ["new@example.es"]})
    Master(policy).drain()
    assert public.post(path).status_code == 200
    assert check(api, contact_point=POINT)["answer"] == "denied"


def test_a_link_and_a_page_hold_nothing_personal(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    before = settings()
    configure(before.model_copy(update={"public_url": "https://you.example.com/mail/"}))
    made = link(api, golden_id=golden_id, **UNSUBSCRIBE)
    configure(before)
    assert made["headers"] == {"List-Unsubscribe": f"<{made['url']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert made["url"] == f"https://you.example.com/mail{made['path']}"
    read = links.read(made["token"], links.LinkKind.UNSUBSCRIBE, clock.now())
    assert read is not None
    assert str(golden_id) not in repr(read)
    answers = [public.get(made["path"]), public.post(made["path"])]
    assert not any(one in answer.text for answer in answers for one in (EMAIL, "Maria", golden_id))
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers


def test_it_is_limited_how_often(api: Api, public: TestClient, policy: Any, monkeypatch: Any) -> None:
    for name in ("_of_links", "_of_wrong"):
        monkeypatch.setattr(following, name, Window(2))
    path = link(api, golden_id=str(merged(policy)), **UNSUBSCRIBE)["path"]
    assert [public.post(path).status_code for _ in range(3)] == [200, 200, 429]
    assert [public.post("/unsubscribe/none").status_code for _ in range(3)] == [404, 404, 429]
    assert public.post(path).headers["retry-after"] == "60"
    assert entries() == 2


def test_a_link_is_made_for_what_the_customer_holds_and_the_key_may_name(api: Api, key: KeyMaker, policy: Any) -> None:
    golden_id = str(merged(policy))
    elsewhere = {**UNSUBSCRIBE, "contact_point": {"kind": "email", "value": "x@example.org"}}
    wishes = [
        ({**elsewhere, "golden_id": golden_id}, 422, "contact_point_not_held"),
        ({**UNSUBSCRIBE, "record": {"source": "pos", "key": "none"}}, 404, "unknown_customer"),
        ({**UNSUBSCRIBE, "golden_id": golden_id, "purpose": "world_peace"}, 422, "unknown_purpose"),
        ({**UNSUBSCRIBE, "kind": "confirm", "golden_id": golden_id, "purpose": None}, 422, "purpose_missing"),
    ]
    for wish, status, code in wishes:
        answer = api.post("/v1/consent-links", json=wish)
        assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[1]) == (status, code)
    foreign = api.post("/v1/consent-links", json={**UNSUBSCRIBE, "golden_id": golden_id}, headers=key(brands=("other",)))
    assert foreign.json()["type"].endswith("outside_scope")


def test_the_public_application_has_its_pages_and_nothing_else() -> None:
    paths = {route.path for route in create_app().routes if isinstance(route, APIRoute)}
    assert paths <= {"/live", "/assets/public.css", "/unsubscribe/{token}", "/preferences/{token}", "/confirm/{token}"}
    assert len(create_app().routes) == len([one for one in create_app().routes if isinstance(one, APIRoute)])
