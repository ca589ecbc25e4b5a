"""Merges that policy blocks: shown before, refused by name, made across by those who say so, asked about when they come later."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import db
from mdm import policy as policies
from mdm import rules, versions
from mdm.drafts import EXPIRY_GRACE
from workers.sweeper import sweep

from ...resolution import MARIA, Master, golden_of, partition, query, questions
from .test_decisions import OTTO, decide, failed, look, side, undo, wish

POLICY = """
sources:
  card: {channel_kind: loyalty, brand: main}
  pos: {channel_kind: pos, brand: main}
extras:
  balance: {kind: number}
  requested: {kind: category}
merge_blockers:
  open_balances:
    title: Two open accounts with a balance
    facts: {balance: {above: 0}}
    sources: [card]
    stale_after_days: 30
    may_be_overridden: true
  privacy_request:
    facts: {requested: {is: [erasure]}}
    sources: [card]
    when: either
"""
ACROSS = {"override_blockers": ["open_balances"]}
BOTH = frozenset({("card", "1"), ("card", "2")})
NAMES = {"left": side("card", "1"), "right": side("card", "2")}


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(POLICY), "test")
        versions.adopt(session, stored)
    rules.forget()
    made = Master(stored)
    card(made, "1", MARIA, 5)
    card(made, "2", OTTO, 7)
    return made


def card(mdm: Master, key: str, data: dict[str, Any], balance: float | None, requested: str = "none") -> None:
    extras = {"requested": requested} | ({} if balance is None else {"balance": balance})
    mdm.put("card", key, data | {"extras": extras})
    mdm.drain()


def refused(api: TestClient, **more: Any) -> Any:
    body = wish("match", **NAMES, **more)
    return api.post("/v1/decisions", json=body | {"preview_token": look(api, body)["preview_token"]})


def test_a_preview_shows_what_blocks_the_merge(api: TestClient, mdm: Master) -> None:
    (blocker,) = look(api, wish("match", **NAMES))["blockers"]
    said = [{"source": "card", "key": key, "says": "holds"} for key in "12"]
    assert blocker == {
        "blocker": "open_balances", "title": "Two open accounts with a balance", "may_be_overridden": True, "overridden": False,
        "records": said,
    }  # fmt: skip
    assert look(api, wish("no_match", **NAMES))["blockers"] == []


def test_a_match_across_a_blocker_is_refused_unless_it_names_it(api: TestClient, mdm: Master) -> None:
    answer = refused(api)
    assert failed(answer) == (409, "blocked_by_policy")
    assert [one["blocker"] for one in answer.json()["blockers"]] == ["open_balances"]
    assert failed(api.post("/v1/decisions?dry_run=true", json=wish("match", **NAMES, override_blockers=["nonsense"]))) == (
        422,
        "unknown_blocker",
    )
    decision_id = decide(api, wish("match", **NAMES, **ACROSS))
    mdm.drain()
    assert (partition(), questions(), mdm.verify().differences) == ({BOTH}, set(), ())
    assert api.get(f"/v1/decisions/{decision_id}").json()["overridden_blockers"] == ["open_balances"]
    undo(api, decision_id)
    mdm.drain()
    assert (len(partition()), mdm.verify().differences) == (2, ())


def test_a_preview_without_the_override_is_no_preview_of_the_match_with_it(api: TestClient, mdm: Master) -> None:
    """What was shown as blocked is not what would be made: whoever overrides has seen that they do."""
    seen = {"preview_token": look(api, wish("match", **NAMES))["preview_token"]}
    assert failed(api.post("/v1/decisions", json=wish("match", **NAMES, **ACROSS) | seen)) == (412, "preview_outdated")


def test_what_the_policy_lets_nobody_override_stays_refused(api: TestClient, mdm: Master) -> None:
    card(mdm, "1", MARIA, 0, "erasure")
    answer = refused(api, override_blockers=["privacy_request", "open_balances"])
    assert failed(answer) == (409, "blocked_by_policy")
    assert [(one["blocker"], one["overridden"]) for one in answer.json()["blockers"]] == [("privacy_request", False)]


def test_a_fact_that_is_not_known_blocks_until_it_is(api: TestClient, mdm: Master) -> None:
    card(mdm, "2", OTTO, None)
    answer = refused(api)
    assert [(one["key"], one["says"]) for one in answer.json()["blockers"][0]["records"]] == [("1", "holds"), ("2", "not_known")]
    card(mdm, "2", OTTO, 0)
    decide(api, wish("match", **NAMES, **ACROSS))
    mdm.drain()
    assert partition() == {BOTH}


def test_a_blocker_that_appears_later_parts_nothing_that_a_steward_joined_and_is_asked(api: TestClient, mdm: Master) -> None:
    card(mdm, "2", OTTO, 0)
    decide(api, wish("match", **NAMES, **ACROSS))
    mdm.drain()
    assert questions() == set()
    card(mdm, "2", OTTO, 9)
    assert (partition(), questions()) == ({BOTH}, {("policy_blocker", BOTH, "open_balances")})
    assert mdm.verify().differences == ()
    card(mdm, "1", MARIA, 0)
    assert (partition(), questions()) == ({BOTH}, set())


def test_what_was_joined_by_the_model_is_parted_and_asked(api: TestClient, mdm: Master) -> None:
    card(mdm, "2", MARIA, 0)
    assert partition() == {BOTH}
    ids = {golden_of("card", "1")}
    card(mdm, "2", MARIA, 9)
    assert (len(partition()), questions()) == (2, {("policy_blocker", BOTH, "open_balances")})
    card(mdm, "2", MARIA, 0)
    assert (partition(), questions(), {golden_of("card", "1")}) == ({BOTH}, set(), ids)
    assert mdm.verify().differences == ()


def test_of_many_the_match_across_a_blocker_is_left_out(api: TestClient, mdm: Master) -> None:
    mdm.put("pos", "3", OTTO | {"given_name": "Karl"})
    mdm.drain()
    many = [wish("match", side("pos", "3"), side("card", "2")), wish("match", **NAMES)]
    answer = api.post("/v1/decisions:batch?dry_run=true", json={"decisions": many})
    assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [(1, "blocked_by_policy")]
    many[1] |= ACROSS
    assert api.post("/v1/decisions:batch?dry_run=true", json={"decisions": many}).json()["refused"] == []


def test_a_fact_that_grows_too_old_is_looked_at_again(api: TestClient, mdm: Master, time: Any) -> None:
    card(mdm, "2", MARIA, 0)
    assert (partition(), sweep()) == ({BOTH}, 0)
    time(timedelta(days=30) - EXPIRY_GRACE)
    assert (sweep(), mdm.verify().differences) == (0, ())
    time(timedelta(days=30, minutes=1))
    assert (mdm.verify().differences, mdm.verify().in_flight) == ((), 2)
    assert sweep() == 1
    mdm.drain()
    assert (len(partition()), questions()) == (2, {("policy_blocker", BOTH, "open_balances")})
    time(timedelta(days=30, minutes=3))
    assert (sweep(), sweep()) == (1, 0)
    mdm.drain()
    assert (mdm.verify().differences, query("SELECT count(*) FROM lapsing_fact")) == ((), [(0,)])


def test_a_fact_that_nobody_looked_at_again_is_found_by_verification(api: TestClient, mdm: Master, time: Any) -> None:
    card(mdm, "2", MARIA, 0)
    time(timedelta(days=30, minutes=3))
    assert "points_elsewhere" in {one.problem for one in mdm.verify().differences}


@pytest.mark.parametrize(
    ("kind", "number"),
    [("{kind: number}", "{above: 0}"), ("{kind: number}", "{below: 9}"), ("{kind: date}", "{before: 2020-01-01}")],
)
def test_a_value_that_was_read_as_another_kind_is_not_known(api: TestClient, mdm: Master, kind: str, number: str) -> None:
    text = POLICY.replace("balance: {kind: number}", "balance: {kind: text}").replace("{above: 0}", "{is: [open]}")
    later = POLICY.replace("{kind: number}", kind).replace("{above: 0}", number)
    for said in (text, later):
        with db.transaction() as session:
            mdm.policy = policies.store(session, policies.parse(said), "test")
            versions.adopt(session, mdm.policy)
        rules.forget()
        if said == text:
            mdm.put("card", "1", MARIA | {"extras": {"balance": "open, see file", "requested": "none"}})
            mdm.put("card", "2", OTTO | {"extras": {"balance": "open, see file", "requested": "none"}})
            mdm.drain()
    (blocker,) = look(api, wish("match", **NAMES))["blockers"]
    assert [one["says"] for one in blocker["records"]] == ["not_known", "not_known"]
