"""What the dispatcher makes of answers and of events; that it delivers is told in tests/webhooks."""

import socket
import threading
import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from kernel import clock, db, outbox
from webhooks import endpoints, signing
from webhooks.endpoints import Sending, Wish
from webhooks.sender import Answer
from workers import dispatcher
from workers.dispatcher import MOST_BODY_BYTES, Place, body_of, health_after

from ..resolution import query
from ..webhooks.conftest import running
from ..webhooks.sink import Answer as Answered
from ..webhooks.sink import Received, eventually, sink
from ..webhooks.test_delivering import WHO

__all__ = ["running"]  # The fixture.

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def sending(failures: int = 0, failing_since: datetime | None = None, open_until: datetime | None = None) -> Sending:
    limits = {"concurrency": 5, "per_second": 100}
    fares = {"failures": failures, "failing_since": failing_since, "open_until": open_until, "read_at": NOW}
    return Sending(uuid.uuid4(), "https://hooks.shop.example/a", ("whsec_",), None, None, (), **limits, **fares)  # type: ignore[arg-type]  # One for each kind of value.


def emit(count: int) -> None:
    with db.transaction() as session:
        outbox.emit_all(session, [outbox.Event("golden.updated", clock.uuid7(), 1, {}) for _ in range(count)])


def answers(*statuses: int) -> list[Answer]:
    return [Answer(status, None, 1) for status in statuses]


@pytest.mark.parametrize("statuses", [(410,), (410, 204), (204, 410), (500, 410, 200)])
def test_410_disables_whatever_else_came_in_the_same_moment(statuses: tuple[int, ...]) -> None:
    health = health_after(sending(), answers(*statuses))
    assert health is not None
    assert health.disabled_because == "gone"


def test_nothing_is_noted_of_an_endpoint_that_fares_as_before() -> None:
    assert health_after(sending(), answers(200, 500, 204)) is None


def test_a_clock_that_jumps_neither_gives_an_endpoint_up_nor_ends_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The days and the pause are the database's."""
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=400))
    health = health_after(sending(10, NOW - timedelta(days=4)), answers(500))
    assert health is not None
    assert (health.disabled_because, health.open_until) == (None, NOW + timedelta(seconds=60))
    assert Place().free(sending(10, NOW, NOW + timedelta(seconds=30)), 500) == 0
    gone = health_after(sending(10, NOW - timedelta(days=5)), answers(500))
    assert gone is not None
    assert gone.disabled_because == "failing_for_days"


def test_no_more_is_begun_in_a_second_than_the_endpoint_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: at[0])
    slow, place = replace(sending(), per_second=3, concurrency=50), Place(allowance=0.0, counted_at=at[0])
    begun = []
    for _ in range(40):  # Ten seconds, looked at four times each.
        at[0] += 0.25
        begun.append(place.free(slow, 1_000))
        place.allowance -= begun[-1]
    assert max(sum(begun[start : start + 4]) for start in range(36)) <= 3 + 1
    assert sum(begun) == 30
    at[0] += 3_600
    assert place.free(slow, 1_000) == 3, "an hour of quiet is no reason to send all at once"


def test_after_its_rest_an_endpoint_is_tried_once_until_it_answers() -> None:
    """All that is due would come at once to somebody who can hardly answer."""
    place = Place(allowance=100.0)
    assert place.free(sending(10, NOW, NOW + timedelta(seconds=1)), 1_000) == 0
    rested = sending(10, NOW, NOW - timedelta(seconds=1))
    assert place.free(rested, 1_000) == 1
    place.busy = 1
    assert place.free(rested, 1_000) == 0
    assert place.free(sending(), 1_000) == 4


def test_what_is_read_of_an_endpoint_bears_the_databases_time(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.transaction() as session:
        endpoints.create(session, WHO, Wish("https://hooks.shop.example/a"))
    monkeypatch.setattr(clock, "now", lambda: NOW - timedelta(days=400))
    with db.transaction() as session:
        (found,) = endpoints.sendings(session)
    assert [(found.read_at,)] < query("SELECT now()")
    assert [(found.read_at,)] > query("SELECT now() - interval '1 minute'")


def test_a_place_is_given_back_though_an_attempt_could_not_be_made(running: None) -> None:
    """With more of them than the endpoint has places: each is noted, and the last failure leaves it in peace."""
    with db.transaction() as session:
        made, _ = endpoints.create(session, WHO, Wish("http://127.0.0.1:9/a"))
    sealed = signing.seal(made.endpoint_id, "whsec_a")
    query("UPDATE webhook_endpoint SET secret = %s", sealed)
    emit(8)
    eventually(lambda: query("SELECT count(*) FROM webhook_delivery WHERE attempts > 0") == [(8,)])
    assert query("SELECT DISTINCT tried -> 0 ->> 'error' FROM webhook_delivery") == [("attempt_broken",)]
    assert query("SELECT failures >= 8 FROM webhook_endpoint") == [(True,)]


def make(*urls: str, **wish: int) -> None:
    """Make an endpoint of each URL."""
    with db.transaction() as session:
        for url in urls:
            endpoints.create(session, WHO, Wish(url, **wish))  # type: ignore[arg-type]  # Figures are given only.


def test_names_that_nobody_answers_for_hold_up_no_other_endpoint(running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that hangs keeps a thread of the look-up for half a minute: other threads send, note and listen."""
    over, asked, look_up = threading.Event(), set[str](), socket.getaddrinfo

    def slow(host: str, *more: Any, **named: Any) -> Any:
        if host.startswith("slow"):
            asked.add(host)
            over.wait(20)
            raise socket.gaierror
        return look_up(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with sink() as hooks:
        make(*(f"http://slow{number}.example/" for number in range(20)))
        emit(1)
        eventually(lambda: len(asked) == 20, 10)
        make(hooks.url.replace("127.0.0.1", "localhost") + "/well")
        emit(3)
        eventually(lambda: len(hooks.received) == 3, 10)
        assert not over.is_set()
        over.set()


def test_endpoints_that_hang_leave_a_place_to_every_other(running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "MOST_AT_ONCE", 4)
    over = threading.Event()

    def answer(got: Received) -> Answered:
        if got.path != "/well":
            over.wait(10)
        return 204, {}

    with sink() as hooks:
        hooks.answer = answer
        make(f"{hooks.url}/1", f"{hooks.url}/2", concurrency=10)
        emit(10)
        eventually(lambda: len(hooks.received) >= 4)
        make(f"{hooks.url}/well")
        emit(3)
        eventually(lambda: len(hooks.of("/well")) == 3, 8)
        assert not over.is_set()
        over.set()


def test_a_process_that_makes_all_it_may_begins_one_for_who_has_none() -> None:
    place = Place()
    place.allowance = 100.0
    assert [place.free(sending(), left) for left in (500, 3, 0, -7)] == [5, 3, 1, 1]
    place.busy = 1
    assert [place.free(sending(), left) for left in (500, 3, 0, -7)] == [4, 3, 0, 0]


def event(**lists: int) -> dict[str, object]:
    data = {name: [str(uuid.uuid4()) for _ in range(count)] for name, count in lists.items()}
    return {"id": "a:1", "occurred_at": NOW, "data": {"golden_id": "0", "changed": ["name"], **data}}


@pytest.mark.parametrize(
    ("lists", "kept"),
    [
        ({"joined": 100, "retired_ids": 100}, {"golden_id", "changed", "joined", "retired_ids"}),
        ({"joined": 2_000, "left": 2_000, "retired_ids": 100}, {"golden_id", "changed", "retired_ids", "is_truncated"}),
        ({"joined": 2_000, "retired_ids": 2_000}, {"golden_id", "is_truncated"}),
        ({"retired_ids": 1_000, "split_into": 1_000}, {"golden_id", "is_truncated"}),
    ],
)
def test_a_body_holds_what_it_can_and_says_when_it_leaves_lists_out(lists: dict[str, int], kept: set[str]) -> None:
    body = body_of(event(**lists))
    assert len(body) <= MOST_BODY_BYTES
    assert set(orjson.loads(body)["data"]) == kept
