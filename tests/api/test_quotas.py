"""How much a key may ask: in a minute that slides, of different customers in an hour, by all processes together."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.quotas import MINUTE, Quotas
from kernel import actor, db
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Invalid, NotFound, TooMany

from ..resolution import query


class Clock:
    """Seconds that a test sets."""

    def __init__(self, at: float = 6_000_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def caller(per_minute: int | None = None, per_hour: int | None = None) -> Principal:
    return Principal("k", "till", frozenset({"lookup"}), Scope(), None, actor.SERVICE, per_minute, per_hour)


def passes(counts: Quotas, who: Principal) -> bool:
    try:
        counts.count(who)
    except TooMany:
        return False
    return True


@given(gaps=st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=80), most=st.integers(min_value=1, max_value=10))
def test_no_minute_of_the_clock_holds_more_than_is_allowed(gaps: list[float], most: int) -> None:
    """And whoever stays under the limit in any sixty seconds is never refused."""
    clock = Clock()
    counts, who, passed, asked = Quotas(clock), caller(most), [], []
    for gap in gaps:
        clock.at += gap
        asked.append(clock.at)
        if passes(counts, who):
            passed.append(clock.at)
    for at in passed:
        assert sum(int(one // MINUTE) == int(at // MINUTE) for one in passed) <= most
    if all(sum(at - 2 * MINUTE < one <= at for one in asked) <= most for at in asked):
        assert passed == asked


def test_a_refusal_says_after_how_long_there_is_room() -> None:
    clock = Clock()
    counts, who = Quotas(clock), caller(3)
    assert [passes(counts, who) for _ in range(4)] == [True, True, True, False]
    clock.at += 90  # Half of the minute before still counts: one and a half, so one more passes, and another half a minute later.
    assert [passes(counts, who) for _ in range(3)] == [True, True, False]
    with pytest.raises(TooMany) as refused:
        counts.count(who)
    clock.at += refused.value.extra["retry_after_seconds"]
    assert passes(counts, who)


def test_a_key_without_limit_is_not_counted() -> None:
    counts = Quotas(Clock())
    assert all(passes(counts, caller()) for _ in range(100))
    assert counts._windows == {}


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as made:
        yield made


def test_processes_count_together_through_the_broker(broker: redis.Redis) -> None:
    clock = Clock()
    one, other, who = Quotas(clock), Quotas(clock), caller(10, 5)
    assert all(passes(one, who) for _ in range(6))
    assert passes(other, who)
    one.spends(who, map(str, range(4)))
    other.spends(who, ["0", "7"])
    for counts in (one, other, one, other):
        counts.share(broker)
    assert [passes(other, who) for _ in range(4)] == [True, True, True, False]
    assert other.spends(who, ["0"])[0] is False, "what was asked for before costs nothing"
    assert other.spends(who, ["8"])[0] is True, "five different ones were asked for, by both"


def test_an_identifier_that_is_asked_for_again_costs_nothing_and_the_next_hour_begins_anew() -> None:
    clock = Clock()
    counts, who = Quotas(clock), caller(None, 2)
    assert [counts.spends(who, [one])[:2] for one in "aabbcca"] == [(False, False)] * 4 + [
        (True, True),
        (True, False),
        (False, False),
    ]
    clock.at += 3_600
    assert counts.spends(who, ["c"])[0] is False


def keyed(per_minute: int | None, per_hour: int | None) -> dict[str, str]:
    with db.transaction() as session:
        info, text = actor.create_key(session, "till", ("lookup", "match", "golden:read", "consents:check", "records:read"))
        actor.limit_key(session, info.key_id, per_minute, per_hour)
    return {"authorization": f"Bearer {text}"}


def test_too_many_requests_are_answered_429_with_retry_after(policy: Any) -> None:
    headers = keyed(3, None)
    with TestClient(create_app()) as client:
        found = [client.post("/v1/lookup", json={}, headers=headers) for _ in range(4)]
        assert [one.status_code for one in found] == [422, 422, 422, 429], "what is wrong with a request is counted as well"
        assert 1 <= int(found[-1].headers["retry-after"]) <= 60
        assert found[-1].json()["type"].endswith(":rate_limited")
        assert client.post("/v1/lookup", json={}, headers=keyed(None, None)).status_code == 422


def test_whoever_reads_out_customers_is_stopped_and_told_of_once(policy: Any) -> None:
    """By lookup, match, search and crosswalk together; an alert is an audit row, and what was asked before goes on."""
    headers = keyed(None, 4)
    view = {"view": "checkout"}
    with TestClient(create_app()) as client:

        def lookup(number: int) -> int:
            body = {"identifier": {"kind": "email", "value": f"a{number}@example.org"}, **view}
            return client.post("/v1/lookup", json=body, headers=headers).status_code

        assert [lookup(1), lookup(1), lookup(2)] == [200, 200, 200]
        assert client.post("/v1/match", json={"record": {"emails": ["m@example.org"]}}, headers=headers).status_code == 200
        assert client.post("/v1/golden:search", json={"email": "s@example.org"}, headers=headers).status_code == 200
        assert [lookup(3), lookup(4), lookup(1)] == [429, 429, 200]
        keys = {"records": [{"source": "pos", "key": "1"}]}
        assert client.post("/v1/crosswalk:lookup", json=keys, headers=headers).status_code == 429
    assert query("SELECT count(*), min(detail->>'allowed') FROM audit WHERE action = 'quota.identifiers_used_up'") == [(1, "4")]


def test_who_is_known_is_not_read_out_by_consent_checks_or_keys_of_records(policy: Any) -> None:
    """A check of a record answers its golden id, one of a contact point whether somebody holds it: both count as lookups do."""
    headers = keyed(None, 3)

    def checks(*asked: dict[str, Any]) -> dict[str, Any]:
        return {"checks": [{"purpose": "marketing", "channel": "email", **one} for one in asked]}

    points = [{"contact_point": {"kind": "email", "value": f"a{number}@example.org"}} for number in range(3)]
    records = [{"record": {"source": "pos", "key": str(number)}} for number in range(3)]
    with TestClient(create_app()) as client:

        def status(*asked: dict[str, Any]) -> int:
            return client.post("/v1/consent-checks", json=checks(*asked), headers=headers).status_code

        assert [status(points[0], points[0]), status(points[0]), status(records[0])] == [200, 200, 200]
        assert client.get("/v1/sources/pos/records/0", headers=headers).status_code == 404, "costs nothing more"
        assert client.get("/v1/sources/pos/records/1", headers=headers).status_code == 404
        assert client.get("/v1/sources/pos/records/2", headers=headers).status_code == 429
        assert [status(points[1]), status(records[2]), status(points[0], records[0])] == [429, 429, 200]
        assert status(*points) == 429


def test_a_limit_is_at_least_one_and_of_a_key_that_there_is(database: str) -> None:
    for key_id, limit, code in (("nobody", 1, "unknown_key"), ("nobody", 0, "bad_limit")):
        with pytest.raises((Invalid, NotFound)) as refused, db.transaction() as session:
            actor.limit_key(session, key_id, limit, None)
        assert refused.value.code == code
