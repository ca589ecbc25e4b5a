"""Double opt-in: asked for is not allowed, a look confirms nothing, a link holds once and a week, a withdrawal since stands."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from kernel import clock

from ...resolution import Master, golden_of
from ..conftest import Api
from ..v1.test_consents import GIVEN, POINT, WITHDRAWN, check, merged, record
from .test_unsubscribe import entries, link

CONFIRM = {
    "kind": "confirm", "record": GIVEN["record"], "contact_point": POINT, "purpose": "marketing", "channel": "email",
    "brand": "main", "notice": "newsletter-form-3",
}  # fmt: skip


def test_asked_for_is_not_allowed_and_confirmed_is(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    made = link(api, **CONFIRM)
    found = check(api, golden_id=golden_id, contact_point=POINT)
    assert (found["answer"], found["reason"], found["entries"]) == ("unknown", "not_confirmed", [made["entry_id"]])
    assert public.get(made["path"]).status_code == 200
    assert (entries(), check(api, golden_id=golden_id)["answer"]) == (1, "unknown")
    assert public.post(made["path"]).status_code == 200
    assert check(api, golden_id=golden_id)["answer"] == "allowed"
    given, asked = api.get(f"/v1/golden/{golden_id}/consents").json()["entries"]
    assert (given["evidence"]["request"], given["method"], given["origin"]) == (asked["entry_id"], "double_opt_in", "subject")
    assert (asked["entry_id"], asked["state"], given["notice"]) == (made["entry_id"], "requested", "newsletter-form-3")


def test_it_holds_once(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    path = link(api, **CONFIRM)["path"]
    assert [public.post(path).status_code for _ in range(3)] == [200, 410, 410]
    record(api, {**WITHDRAWN, "occurred_at": clock.now().isoformat()})
    assert public.post(path).status_code == 410
    assert (entries(), check(api, golden_id=golden_id)["answer"]) == (3, "denied")


def test_it_holds_for_seven_days(api: Api, public: TestClient, policy: Any, time: Any) -> None:
    merged(policy)
    early, late = (link(api, **{**CONFIRM, "purpose": purpose})["path"] for purpose in ("newsletter", "offers"))
    time(timedelta(days=7, seconds=-60))
    assert public.post(early).status_code == 200
    time(timedelta(days=7, seconds=1))
    assert (public.get(late).status_code, public.post(late).status_code) == (404, 404)
    assert entries() == 3


def test_confirmed_after_a_withdrawal_it_stays_withdrawn(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    path = link(api, **CONFIRM)["path"]
    record(api, {**WITHDRAWN, "occurred_at": clock.now().isoformat()})
    assert public.post(path).status_code == 200
    assert (check(api, golden_id=golden_id)["answer"], check(api, golden_id=golden_id)["reason"]) == ("denied", "withdrawn")


def test_of_a_customer_that_was_split_meanwhile_it_permits_nothing(api: Api, public: TestClient, policy: Any) -> None:
    golden_id = str(merged(policy))
    by_golden = {**{name: value for name, value in CONFIRM.items() if name != "record"}, "golden_id": golden_id}
    paths = [link(api, **by_golden)["path"], link(api, **{**CONFIRM, "purpose": "surveys"})["path"]]
    left, right = ({"records": [{"source": source, "key": "1"}]} for source in ("pos", "shop"))
    said = {"verdict": "no_match", "left": left, "right": right, "reason": "Two people."}
    token = api.post("/v1/decisions", params={"dry_run": True}, json=said).json()["preview_token"]
    assert api.post("/v1/decisions", json={**said, "preview_token": token}).status_code == 201
    Master(policy).drain()
    assert [public.post(path).status_code for path in paths] == [200, 200]
    mine, other = (str(golden_of(source, "1")) for source in ("pos", "shop"))
    assert {check(api, golden_id=one, contact_point=POINT)["answer"] for one in (mine, other)} == {"unknown"}
    assert check(api, golden_id=mine, purpose="surveys")["answer"] == "allowed"  # Of a record that was named.
    assert check(api, golden_id=other, purpose="surveys", contact_point=POINT)["answer"] == "unknown"


def test_of_two_clicks_at_the_same_moment_one_confirms(api: Api, public: TestClient, policy: Any) -> None:
    merged(policy)
    path = link(api, **CONFIRM)["path"]
    with ThreadPoolExecutor(4) as pool:
        found = sorted(answer.status_code for answer in pool.map(lambda _: public.post(path), range(4)))
    assert (found, entries()) == ([200, 410, 410, 410], 2)
