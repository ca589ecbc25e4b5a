"""What a decision would change of consents: told before it is made, to whoever may read them, and just as it comes about."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from consent.entries import State
from consent.purposes import shipped
from kernel import clock, db
from mdm import consent_changes, consent_reading
from mdm import policy as policies

from ...mdm.test_consent_changes import GIVEN, MARKETING, POINT, act
from ...resolution import MARIA, Master, at, golden_of, query
from ..conftest import KeyMaker
from .test_decisions import OTTO, decide, look, undo, wish

MAIL = ("mail", "2")
TILL = ("pos", "1")
# Otto has Maria's mailbox as well, and said no to it as a person.
SHARED = OTTO | {"emails": MARIA["emails"]}
REFUSED = {**MARKETING, "contact": None, "state": State.WITHDRAWN, "occurred_at": at(2)}


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put(*TILL, MARIA)
    made.put(*MAIL, SHARED)
    made.drain()
    assert golden_of(*TILL) != golden_of(*MAIL)
    return made


def told(preview: dict[str, Any]) -> dict[str | None, list[tuple[str, str, str]]]:
    """By golden id, what is answered otherwise: the contact point, and the answers before and after."""
    assert preview["consents_told"] == "all"
    return {
        one.get("golden_id"): [(said["contact_point"], said["answer_before"], said["answer"]) for said in one["consents"]]
        for one in preview["changed"]
        if one["consents"]
    }


def answered(key: tuple[str, str]) -> set[tuple[str | None, str]]:
    """What the customer of a record is answered now, by contact point."""
    golden_id = golden_of(*key)
    assert golden_id is not None
    with db.transaction() as session:
        found = consent_reading.read(session, shipped(), golden_id, clock.now(), None)
    return {(consent_reading.point_of(found.points, one.contact), str(ruling.answer)) for one, ruling in found.effective.items()}


def test_a_permission_that_a_merge_ends_is_told_and_ends(api: TestClient, mdm: Master) -> None:
    act(**GIVEN, record=TILL)
    act(**REFUSED, record=MAIL)
    (email,) = MARIA["emails"]
    assert (email, "allowed") in answered(TILL)
    seen = look(api, wish("match"))
    assert told(seen) == {str(golden_of(*TILL)): [(email, "allowed", "denied")]}
    decided = decide(api, wish("match"))
    mdm.drain()
    assert (email, "denied") in answered(TILL)
    undo_look = api.post(f"/v1/decisions/{decided}:undo?dry_run=true", json={"reason": "I was wrong."}).json()
    assert (email, "denied", "allowed") in told(undo_look)[str(golden_of(*TILL))]
    undo(api, decided)
    mdm.drain()
    assert (email, "allowed") in answered(TILL)


def test_a_split_of_whom_a_consent_was_recorded_for_is_told(api: TestClient, mdm: Master) -> None:
    ids = {str(golden_of(*TILL)), str(golden_of(*MAIL))}
    decided = decide(api, wish("match"))
    mdm.drain()
    act(**GIVEN, golden_id=golden_of(*TILL))
    seen = api.post(f"/v1/decisions/{decided}:undo?dry_run=true", json={"reason": "I was wrong."}).json()
    (email,) = MARIA["emails"]
    assert told(seen) == {one: [(email, "allowed", "unknown")] for one in ids}
    assert query("SELECT count(*) FROM consent_parting") == [(0,)]
    undo(api, decided)
    mdm.drain()
    assert [(email, "unknown") in answered(key) for key in (TILL, MAIL)] == [True, True]


def test_where_nothing_changes_nothing_is_told_and_nobody_was_read(api: TestClient, mdm: Master) -> None:
    act(**GIVEN, record=TILL)
    assert told(look(api, wish("match"))) == {}
    assert query("SELECT count(*) FROM audit WHERE action = 'golden.read_consents'") == [(0,)]


def test_whoever_may_read_no_consents_is_told_that_there_may_be_some(api: TestClient, mdm: Master, key: KeyMaker) -> None:
    act(**GIVEN, record=TILL)
    act(**REFUSED, record=MAIL)
    answer = api.post("/v1/decisions?dry_run=true", json=wish("match"), headers=key("decisions:write")).json()
    assert answer["consents_told"] == "needs_scope"
    assert [one["consents"] for one in answer["changed"]] == [[], []]


def test_too_much_to_compare_is_said_and_not_taken_for_none(
    api: TestClient, mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    act(**GIVEN, record=TILL)
    act(**REFUSED, record=MAIL)
    monkeypatch.setattr(consent_changes, "MOST_HELD", 0)
    assert look(api, wish("match"))["consents_told"] == "too_many"


def test_a_contact_point_is_masked_for_whom_values_are(mdm: Master, api: TestClient, key: KeyMaker) -> None:
    act(**GIVEN, record=TILL)
    act(**REFUSED, record=MAIL)
    masked = key("decisions:write", "consents:read", "records:read")
    [[said]] = [
        one["consents"]
        for one in api.post("/v1/decisions?dry_run=true", json=wish("match"), headers=masked).json()["changed"]
        if one["consents"]
    ]
    assert POINT is not None
    assert (said["answer_before"], said["answer"], said["purpose"]) == ("allowed", "denied", "marketing")


def outdated(api: TestClient, path: str, body: dict[str, Any]) -> list[str]:
    """What has changed since the preview, of a decision that is refused for it."""
    answer = api.post(path, json=body)
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (412, "preview_outdated")
    return list(answer.json()["changed"])


@pytest.mark.parametrize("said", [{**GIVEN, "record": TILL}, {**REFUSED, "record": MAIL}, {**REFUSED, "golden": True}])
def test_a_consent_that_came_since_the_preview_has_to_be_seen_first(
    api: TestClient, mdm: Master, said: dict[str, Any], key: KeyMaker
) -> None:
    """Also by whom no consents are told: that they may be others is all the token says of them."""
    blind = api.post("/v1/decisions?dry_run=true", json=wish("match"), headers=key("decisions:write")).json()["preview_token"]
    token = look(api, wish("match"))["preview_token"]
    assert token == blind
    act(**{name: value for name, value in said.items() if name != "golden"} | named(said))
    assert outdated(api, "/v1/decisions", wish("match", preview_token=token)) == ["consents"]
    decide(api, wish("match"))


def named(said: dict[str, Any]) -> dict[str, Any]:
    return {"golden_id": golden_of(*MAIL)} if "golden" in said else {}


def test_a_consent_of_somebody_whom_nothing_moves_makes_no_preview_old(api: TestClient, mdm: Master) -> None:
    mdm.put("shop", "9", OTTO | {"given_name": "Ines", "birth_date": "1961-07-30", "emails": ["ines@telefonica.net"]})
    mdm.drain()
    token = look(api, wish("match"))["preview_token"]
    act(**REFUSED, record=("shop", "9"))
    assert api.post("/v1/decisions", json=wish("match", preview_token=token)).status_code == 201


def test_what_changed_since_the_preview_is_told_apart(api: TestClient, mdm: Master) -> None:
    token = look(api, wish("match"))["preview_token"]
    mdm.put(*MAIL, SHARED | {"language": "es"})
    mdm.drain()
    assert outdated(api, "/v1/decisions", wish("match", preview_token=token)) == ["records"]
    act(**GIVEN, record=TILL)
    assert outdated(api, "/v1/decisions", wish("match", preview_token=token)) == ["records", "consents"]
    assert outdated(api, "/v1/decisions", wish("match", preview_token="made up")) == ["records", "consents"]


def test_a_consent_that_came_since_an_undo_was_looked_at_has_to_be_seen_first(api: TestClient, mdm: Master) -> None:
    decided = decide(api, wish("match"))
    mdm.drain()
    path, body = f"/v1/decisions/{decided}:undo", {"reason": "I was wrong."}
    token = api.post(f"{path}?dry_run=true", json=body).json()["preview_token"]
    act(**GIVEN, golden_id=golden_of(*TILL))
    assert outdated(api, path, body | {"preview_token": token}) == ["consents"]
