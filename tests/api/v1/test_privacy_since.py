"""Requests about people whose records joined and parted since: whatever is done is done to who they are now."""

import pytest
from starlette.testclient import TestClient

from mdm import policy as policies

from ...resolution import Master, golden_of, query
from .test_privacy import PATH, code, confirm, match, opened, send, with_people, work


@pytest.fixture
def mdm(policy: policies.Policy) -> Master:
    return with_people(policy)


def part(api: TestClient, mdm: Master) -> None:
    """Have a steward find that Berta is somebody else after all."""
    ((decision_id,),) = query("SELECT decision_id FROM decision WHERE author <> 'model' AND superseded_at IS NULL")
    path, body = f"/v1/decisions/{decision_id}:undo", {"reason": "They are two."}
    token = send(api, f"{path}?dry_run=true", body)["preview_token"]
    send(api, path, body | {"preview_token": token})
    mdm.drain()


def about_all(api: TestClient, kind: str) -> str:
    """A request about whoever Maria is, of which each record was said to be the person's."""
    request_id = opened(api, golden_of("pos", "1"), kind)
    members = [{"record_id": one["record_id"], "belongs": True} for one in api.get(f"{PATH}/{request_id}").json()["members"]]
    send(api, f"{PATH}/{request_id}:answer", {"members": members})
    return request_id


def test_who_was_split_off_since_is_disclosed_and_restricted_no_more(api: TestClient, mdm: Master) -> None:
    """A month passes between a request and its answer; what was answered then is of who the person was then."""
    match(api, mdm, {"golden_id": str(golden_of("pos", "1"))})
    access, restriction = (about_all(api, kind) for kind in ("access", "restriction"))
    assert "uintana" in api.get(f"{PATH}/{access}/export").text
    part(api, mdm)
    said = api.get(f"{PATH}/{access}/export")
    assert (said.status_code, "uintana" in said.text, "arcia" in said.text) == (200, False, True)
    assert send(api, f"{PATH}/{restriction}:complete")["state"] == "done"
    assert [row[0] for row in query("SELECT source FROM restriction JOIN source_record USING (record_id) ORDER BY 1")] == [
        "mail", "pos",
    ]  # fmt: skip


def test_who_joined_since_is_asked_about_before_anything_is_disclosed(api: TestClient, mdm: Master) -> None:
    request_id = opened(api, golden_of("pos", "1"), "access")
    match(api, mdm, {"golden_id": str(golden_of("pos", "1"))})
    answer = api.get(f"{PATH}/{request_id}/export")
    assert (answer.status_code, answer.json()["because"]) == (409, ["members_unanswered"])


def test_who_is_split_off_after_the_confirmation_is_not_erased(api: TestClient, mdm: Master) -> None:
    match(api, mdm, {"golden_id": str(golden_of("pos", "1"))})
    request_id = about_all(api, "erasure")
    assert confirm(api, request_id).status_code == 202
    part(api, mdm)
    work()
    again = api.get(f"{PATH}/{request_id}").json()
    assert (again["state"], again["golden_id"]) == ("open", str(golden_of("pos", "1")))
    assert {one["source"] for one in again["members"]} == {"pos", "mail"}
    assert confirm(api, request_id).status_code == 202
    work()
    mdm.drain()
    assert api.get(f"/v1/golden/{golden_of('shop', '3')}").json()["status"] == "live"
    assert query("SELECT count(*) FROM source_record WHERE NOT is_deleted") == [(1,)]
    assert mdm.verify(deep=True).differences == ()


def test_a_hold_of_another_request_bars_the_erasure(api: TestClient, mdm: Master) -> None:
    access, erasure = (opened(api, golden_of("pos", "1"), kind) for kind in ("access", "erasure"))
    send(api, f"{PATH}/{access}:hold", {"because": "court_order"})
    assert send(api, f"{PATH}/{erasure}:preview")["blocked"] == ["legal_hold"]
    assert code(confirm(api, erasure)) == (409, "erasure_blocked")
    send(api, f"{PATH}/{access}:hold", {"because": None})
    assert confirm(api, erasure).status_code == 202


def test_the_past_of_another_keeps_nothing_of_who_is_erased(api: TestClient, mdm: Master) -> None:
    """Berta was once taken for Maria, and was parted from her before she asked to be erased."""
    maria = golden_of("pos", "1")
    match(api, mdm, {"golden_id": str(maria)})
    part(api, mdm)
    assert (golden_of("pos", "1"), golden_of("shop", "3") != maria) == (maria, True)
    assert "Quintana" in str(query("SELECT body FROM golden_version WHERE golden_id = %s", maria))
    assert confirm(api, opened(api, golden_of("shop", "3"))).status_code == 202
    work()
    mdm.drain()
    assert "Quintana" not in str(query("SELECT body FROM golden_version"))
    assert golden_of("pos", "1") == maria
    assert mdm.verify(deep=True).differences == ()
