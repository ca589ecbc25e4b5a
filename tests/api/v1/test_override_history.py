"""The timeline of a golden record tells which values were set by hand, by whom, why and until when."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kernel import clock
from mdm import policy as policies
from workers.sweeper import sweep

from ...resolution import MARIA, Master, golden_of
from .test_overrides import WHY, put, wish, withdraw


@pytest.fixture
def mdm(database: str, policy: policies.Policy) -> Master:
    made = Master(policy)
    made.put("pos", "1", MARIA | {"language": "en"})
    made.drain()
    return made


@pytest.fixture
def time() -> Iterator[Any]:
    """Lets a test say how much later it is."""
    yield lambda later: clock.set_source(lambda: datetime.now().astimezone() + later)
    clock.set_source(None)


def told(api: TestClient, golden: Any) -> list[list[tuple[Any, ...]]]:
    steps = api.get(f"/v1/golden/{golden}/history").json()["items"]
    names = ("change", "attribute", "override_id", "reason")
    return [[tuple(one[name] for name in names) for one in step["overrides"]] for step in steps]


def test_history_tells_who_set_a_value_why_and_until_when(api: TestClient, mdm: Master, time: Any) -> None:
    golden = golden_of("pos", "1")
    expires_at = clock.now() + timedelta(hours=1)
    first = put(api, mdm, wish(value="en"))["override_id"]  # What the records say already.
    second = put(api, mdm, wish(value="pt", expires_at=expires_at.isoformat()))["override_id"]
    segment = put(api, mdm, wish("extras.segment", "gold"))["override_id"]
    mail = put(api, mdm, wish("emails", "maria@garcia.es"))["override_id"]
    withdraw(api, mdm, segment)
    time(timedelta(hours=1, seconds=1))
    sweep()
    mdm.drain()
    assert told(api, golden)[-6:] == [
        [("set", "language", first, WHY)],
        [("outdone", "language", first, WHY), ("set", "language", second, WHY)],
        [("set", "extras.segment", segment, WHY)],
        [("set", "emails", mail, WHY)],
        [("withdrawn", "extras.segment", segment, WHY)],
        [("set", "language", first, WHY), ("expired", "language", second, WHY)],
    ]
    steps = api.get(f"/v1/golden/{golden}/history").json()["items"]
    (shown_then,) = [one for one in steps[-5]["overrides"] if one["override_id"] == second]
    assert datetime.fromisoformat(shown_then["expires_at"]) == expires_at
    assert shown_then["author"].startswith("steward:")
    assert all(step["overrides"] == [] for step in steps[:-6])
