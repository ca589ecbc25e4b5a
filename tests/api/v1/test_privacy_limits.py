"""What requests about people must not reach: others' brands, data whose use is restricted, words that nobody held."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from mdm import policy as policies

from ...resolution import MARIA, Master, golden_of, query
from .test_privacy import BERTA, PATH, code, confirm, looked_up, opened, restricted, send, with_people, work


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    return with_people(policy)


def test_nobody_may_be_written_to_whose_use_is_restricted(api: TestClient, mdm: Master) -> None:
    point = {"kind": "email", "value": MARIA["emails"][0]}
    given = {"record": {"source": "pos", "key": "1"}, "contact_point": point, "state": "given", "purpose": "marketing"}
    send(api, "/v1/consents", {"acts": [{**given, "channel": "email", "occurred_at": "2026-03-01T10:00:00Z"}]})
    about = ({"golden_id": str(golden_of("pos", "1"))}, {"record": given["record"]}, {"contact_point": point})

    def answers() -> set[tuple[str, str]]:
        asked = [{**one, "purpose": "marketing", "channel": "email", "brand": "main"} for one in about]
        return {(one["answer"], one["reason"]) for one in send(api, "/v1/consent-checks", {"checks": asked})["items"]}

    assert answers() == {("allowed", "given")}
    request_id = restricted(api, golden_of("pos", "1"))
    assert answers() == {("denied", "use_restricted")}
    send(api, f"{PATH}/{request_id}:lift")
    assert answers() == {("allowed", "given")}


def test_who_may_see_a_part_acts_on_no_person_who_has_grown_since(api: TestClient, mdm: Master, key: Any) -> None:
    part = key(brands=("main",))
    body = {"kind": "erasure", "golden_id": str(golden_of("pos", "1"))}
    request_id = send(api, PATH, body, headers=part)["request_id"]
    send(api, f"{PATH}/{request_id}:check-identity", {"outcome": "passed", "method": "in_store"}, headers=part)
    mdm.put("shop", "9", MARIA)
    mdm.drain()
    assert code(api.post(f"{PATH}/{request_id}:preview", headers=part)) == (403, "outside_scope")
    assert code(api.get(f"{PATH}/{request_id}/export", headers=part)) == (403, "outside_scope")
    assert len(send(api, f"{PATH}/{request_id}:preview")["request"]["members"]) == 3
    assert api.get(f"{PATH}/{request_id}", headers=part).status_code == 404


def test_who_may_see_a_part_asks_for_nobody_who_had_records_of_others(api: TestClient, mdm: Master, key: Any) -> None:
    mdm.put("shop", "9", MARIA)
    mdm.drain()
    mdm.delete("shop", "9")
    mdm.drain()
    body = {"kind": "access", "golden_id": str(golden_of("pos", "1"))}
    assert code(api.post(PATH, json=body, headers=key(brands=("main",)))) == (403, "outside_scope")


def test_what_two_requests_restrict_is_restricted_until_both_are_lifted(api: TestClient, mdm: Master) -> None:
    first, second = (restricted(api, golden_of("pos", "1")) for _ in range(2))
    send(api, f"{PATH}/{first}:lift")
    assert looked_up(api) == ("none", "use_restricted")
    send(api, f"{PATH}/{second}:lift")
    assert looked_up(api) == ("found", None)


def test_what_was_said_before_anybody_held_the_address_is_erased_too(api: TestClient, mdm: Master) -> None:
    acts = [
        {"contact_point": {"kind": "email", "value": one}, "state": "withdrawn", "purpose": "marketing", "channel": "email"}
        for one in ("Zoe@telefonica.net", "home@telefonica.net")
    ]
    send(api, "/v1/consents", {"acts": acts})
    zoe = {
        "given_name": "Zoe",
        "surname": "Ximenez",
        "birth_date": "1950-01-02",
        "emails": ["zoe@telefonica.net", "home@telefonica.net"],
    }
    mdm.put("pos", "50", zoe)
    mdm.put("shop", "51", {**BERTA, "emails": ["home@telefonica.net"]})
    mdm.drain()
    assert confirm(api, opened(api, golden_of("pos", "50"))).status_code == 202
    work()
    assert query("SELECT contact_point FROM consent_detail") == [("home@telefonica.net",)]
    assert query("SELECT count(*) FROM consent_entry") == [(2,)]
