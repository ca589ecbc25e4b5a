"""Real deliveries by the real dispatcher to a real server: signed, tried again, in order where asked, each endpoint by itself."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from kernel import clock, db, outbox
from kernel.actor import Principal
from kernel.settings import configure, settings
from webhooks import deliveries, endpoints, feed
from webhooks.endpoints import Endpoint, Wish
from workers import dispatcher, sequencer

from ..resolution import query
from .sink import Received, Sink, eventually, sink

WHO = Principal("test", "test", frozenset(), db.Scope())


@pytest.fixture
def hooks() -> Iterator[Sink]:
    with sink() as made:
        yield made


def endpoint(url: str, **wish: Any) -> tuple[Endpoint, str]:
    with db.transaction() as session:
        return endpoints.create(session, WHO, Wish(url, **wish))


def emit(*events: tuple[uuid.UUID, int], type_: str = "golden.updated", load_id: uuid.UUID | None = None, **body: object) -> None:
    with db.transaction() as session:
        outbox.emit_all(session, [outbox.Event(type_, subject, version, body, load_id=load_id) for subject, version in events])


def states(endpoint_id: uuid.UUID) -> dict[str, int]:
    rows = query("SELECT state, count(*) FROM webhook_delivery WHERE endpoint_id = %s GROUP BY 1", endpoint_id)
    return {state: count for state, count in rows}


def tried(hooks: Sink, times: int) -> bool:
    """Whether the one delivery was received so many times, and that was noted."""
    return len(hooks.received) == times and query("SELECT attempts FROM webhook_delivery") == [(times,)]


def due_now(endpoint_id: uuid.UUID) -> None:
    """Let what waits for its next attempt fall due."""
    query("UPDATE webhook_delivery SET due_at = now() WHERE endpoint_id = %s AND state = 'due'", endpoint_id)
    query("UPDATE webhook_endpoint SET open_until = NULL WHERE endpoint_id = %s", endpoint_id)


def test_the_reference_library_verifies_every_delivery_through_a_rotation(running: None, hooks: Sink) -> None:
    made, first = endpoint(hooks.url + "/a")
    emit(*((clock.uuid7(), 1) for _ in range(5)))
    eventually(lambda: len(hooks.received) == 5)
    with db.transaction() as session:
        _, second = endpoints.rotate(session, WHO, made.endpoint_id)
    emit(*((clock.uuid7(), 1) for _ in range(5)))
    eventually(lambda: len(hooks.received) == 10)
    query("UPDATE webhook_endpoint SET secret_before_until = now() WHERE endpoint_id = %s", made.endpoint_id)
    emit(*((clock.uuid7(), 1) for _ in range(5)))
    eventually(lambda: len(hooks.received) == 15)
    for one in hooks.received[:10]:
        assert Webhook(first).verify(one.body, one.headers)["id"] == one.headers["webhook-id"]
    for one in hooks.received[5:]:
        assert Webhook(second).verify(one.body, one.headers)["type"] == "golden.updated"
    for secret, received in ((second, hooks.received[0]), (first, hooks.received[-1])):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(received.body, received.headers)


def test_what_fails_is_tried_again_under_the_same_id_and_given_up_after_ten_attempts(running: None, hooks: Sink) -> None:
    made, _ = endpoint(hooks.url + "/a")
    hooks.answer = lambda _: (500, {})
    emit((clock.uuid7(), 1))
    for attempt in range(1, 11):
        eventually(partial(tried, hooks, attempt))
        due_now(made.endpoint_id)
    assert len({one.headers["webhook-id"] for one in hooks.received}) == 1
    assert states(made.endpoint_id) == {"dead": 1}
    hooks.answer = lambda _: (200, {})
    with db.transaction() as session:
        seq = deliveries.told(session, made.endpoint_id, "dead", None, 10)[0].seq
        assert deliveries.again(session, made.endpoint_id, seq, seq, only_dead=True) == 1
    eventually(lambda: states(made.endpoint_id) == {"delivered": 1})
    with db.read_only() as session:
        (told,) = deliveries.told(session, made.endpoint_id, None, None, 10)
    assert [one["status"] for one in told.tried] == [500] * 10 + [200]


def test_retry_after_is_kept_within_twice_the_pause(running: None, hooks: Sink) -> None:
    endpoint(hooks.url + "/a")
    hooks.answer = lambda _: (429, {"retry-after": "7"})
    emit((clock.uuid7(), 1))
    eventually(lambda: query("SELECT attempts FROM webhook_delivery") == [(1,)])
    (seconds,) = query("SELECT extract(epoch FROM due_at - (tried -> 0 ->> 'at')::timestamptz)::float FROM webhook_delivery")[0]
    assert 6.9 <= seconds <= 7.1


def test_410_disables_at_once_and_others_hear_of_it(running: None, hooks: Sink) -> None:
    gone, _ = endpoint(hooks.url + "/gone", types=("golden.updated",))
    endpoint(hooks.url + "/other", types=("golden.created",))
    hooks.answer = lambda got: (410 if got.path == "/gone" else 204, {})
    emit((clock.uuid7(), 1))
    eventually(lambda: hooks.of("/other"))
    assert hooks.of("/other")[0].event["type"] == "endpoint.disabled"
    assert hooks.of("/other")[0].event["data"] == {"endpoint_id": str(gone.endpoint_id), "reason": "gone"}
    emit((clock.uuid7(), 1))
    with db.transaction() as session:
        assert endpoints.get(session, gone.endpoint_id).disabled_because == "gone"
    hooks.answer = lambda _: (204, {})
    with db.transaction() as session:
        endpoints.enable(session, WHO, gone.endpoint_id)
    due_now(gone.endpoint_id)
    eventually(lambda: states(gone.endpoint_id) == {"delivered": 2})


def test_five_days_of_failure_disable_and_one_success_forgets_them(running: None, hooks: Sink) -> None:
    made, _ = endpoint(hooks.url + "/a")
    long_ago = clock.now() - timedelta(days=6)
    query("UPDATE webhook_endpoint SET failing_since = %s, failures = 3 WHERE endpoint_id = %s", long_ago, made.endpoint_id)
    emit((clock.uuid7(), 1))
    eventually(lambda: query("SELECT failures, failing_since FROM webhook_endpoint") == [(0, None)])
    query("UPDATE webhook_endpoint SET failing_since = %s, failures = 3 WHERE endpoint_id = %s", long_ago, made.endpoint_id)
    hooks.answer = lambda _: (503, {})
    emit((clock.uuid7(), 1))
    eventually(lambda: query("SELECT disabled_because FROM webhook_endpoint") == [("failing_for_days",)])


def test_a_hanging_endpoint_and_a_failing_one_hold_up_no_other(running: None, hooks: Sink) -> None:
    for name in ("hangs", "fails", "well"):
        endpoint(f"{hooks.url}/{name}")
    over = threading.Event()

    def answer(got: Received) -> tuple[int, dict[str, str]]:
        if got.path == "/hangs":
            over.wait(10)
        return (500 if got.path == "/fails" else 204), {}

    hooks.answer = answer
    began = time.monotonic()
    emit(*((clock.uuid7(), 1) for _ in range(200)))
    eventually(lambda: len(hooks.of("/well")) == 200)
    assert time.monotonic() - began < 9, "it waited for one that hangs"
    assert len(hooks.of("/hangs")) == 5
    eventually(lambda: query("SELECT open_until > now() FROM webhook_endpoint WHERE url LIKE '%%/fails'") == [(True,)])
    assert len(hooks.of("/fails")) < 40, "it is left in peace after ten failures in a row"
    over.set()


def test_where_asked_a_subject_is_told_of_in_order_and_others_go_on(running: None, hooks: Sink) -> None:
    endpoint(hooks.url + "/ordered", is_ordered=True)
    slow, fast = clock.uuid7(), clock.uuid7()
    failed: list[str] = []

    def answer(got: Received) -> tuple[int, dict[str, str]]:
        if got.event["subject_id"] == str(slow) and got.event["version"] == 1 and not failed:
            failed.append("once")
            return 500, {}
        return 204, {}

    hooks.answer = answer
    emit(*((subject, version) for version in (1, 2, 3) for subject in (slow, fast)))
    eventually(lambda: len([one for one in hooks.received if one.event["subject_id"] == str(fast)]) == 3)
    assert [one.event["version"] for one in hooks.received if one.event["subject_id"] == str(slow)] == [1]
    query("UPDATE webhook_delivery SET due_at = now() WHERE state = 'due'")
    told: list[int] = []

    def is_told() -> bool:
        told[:] = [one.event["version"] for one in hooks.received if one.event["subject_id"] == str(slow)]
        return told[-1] == 3

    eventually(is_told)
    assert told == [1, 1, 2, 3]


def test_filters_by_type_source_changed_attribute_and_load(running: None, hooks: Sink) -> None:
    endpoint(hooks.url + "/types", types=("golden.merged",))
    endpoint(hooks.url + "/changed", changed=("emails",))
    endpoint(hooks.url + "/all", each_of_loads=True)
    emit((clock.uuid7(), 1), type_="golden.merged", changed=["name"])
    emit((clock.uuid7(), 1), changed=["name"])
    emit((clock.uuid7(), 1), changed=["emails", "phones"])
    emit((clock.uuid7(), 1), changed=["emails"], load_id=clock.uuid7())
    eventually(lambda: len(hooks.of("/all")) == 4)
    eventually(lambda: len(hooks.of("/changed")) == 2)
    assert [one.event["type"] for one in hooks.of("/types")] == ["golden.merged"]
    assert sorted(one.event["data"]["changed"][0] for one in hooks.of("/changed")) == ["emails", "name"]


def test_a_test_event_goes_to_its_own_endpoint_only(running: None, hooks: Sink) -> None:
    made, _ = endpoint(hooks.url + "/a", types=("golden.merged",))
    endpoint(hooks.url + "/b")
    with db.transaction() as session:
        deliveries.test(session, made)
    emit((clock.uuid7(), 1))
    eventually(lambda: hooks.of("/b") and hooks.of("/a"))
    assert [one.event["type"] for one in hooks.received if one.path == "/a"] == ["endpoint.test"]
    assert [one.event["type"] for one in hooks.received if one.path == "/b"] == ["golden.updated"]


def test_what_was_in_hand_when_a_dispatcher_died_is_sent_again(database: str, hooks: Sink) -> None:
    made, _ = endpoint(hooks.url + "/a")
    emit((clock.uuid7(), 1))
    sequencer.number_all()
    with db.transaction() as session:
        deliveries.fan_out(session)
        assert len(deliveries.hand_out(session, {made.endpoint_id: 5})) == 1
    with db.transaction() as session:
        assert deliveries.hand_out(session, {made.endpoint_id: 5}) == []
    query("UPDATE webhook_delivery SET due_at = due_at - make_interval(secs => 61)")
    with db.transaction() as session:
        assert [one.attempts for one in deliveries.hand_out(session, {made.endpoint_id: 5})] == [0]


def test_an_address_that_may_not_be_gone_to_is_never_connected_to(database: str, hooks: Sink) -> None:
    """A name that resolves to loopback, as a rebinding server would answer after the URL was checked."""
    chosen = settings()
    configure(chosen.model_copy(update={"webhook_allow_http": True}))
    stopping = threading.Event()
    made, _ = endpoint(hooks.url.replace("127.0.0.1", "localhost") + "/a")
    emit((clock.uuid7(), 1))
    sequencer.number_all()
    running = threading.Thread(target=dispatcher.run, args=[stopping])
    running.start()
    eventually(lambda: query("SELECT tried -> 0 ->> 'error' FROM webhook_delivery") == [("address_refused",)])
    stopping.set()
    running.join()
    configure(chosen)
    assert hooks.received == []
    assert states(made.endpoint_id) == {"due": 1}


def test_a_redirect_is_not_followed(running: None, hooks: Sink) -> None:
    made, _ = endpoint(hooks.url + "/a")
    hooks.answer = lambda _: (307, {"location": hooks.url + "/b"})
    emit((clock.uuid7(), 1))
    eventually(lambda: query("SELECT attempts FROM webhook_delivery") == [(1,)])
    assert [one.path for one in hooks.received] == ["/a"]
    assert states(made.endpoint_id) == {"due": 1}


def test_a_new_endpoint_hears_of_what_happens_from_then_on(running: None, hooks: Sink) -> None:
    emit((clock.uuid7(), 1))
    with db.read_only() as session:
        before = feed.log(session).last_seq
    eventually(lambda: query("SELECT count(*) FROM outbox") == [(0,)])
    endpoint(hooks.url + "/a")
    emit((clock.uuid7(), 7))
    eventually(lambda: hooks.received)
    assert [one.event["version"] for one in hooks.received] == [7]
    assert hooks.received[0].event["seq"] > before


def test_an_endpoint_of_one_brand_hears_of_its_brand_and_of_its_own_test(running: None, hooks: Sink) -> None:
    with db.transaction() as session:
        acme = Principal("acme", "acme", frozenset(), db.Scope(("acme",)))
        made, _ = endpoints.create(session, acme, Wish(hooks.url + "/acme"))
        deliveries.test(session, made)
        outbox.emit_all(
            session,
            [outbox.Event("golden.updated", clock.uuid7(), version, {}, brands, ("",)) for version, brands in
             ((1, ("bolt",)), (2, ("acme", "bolt")), (3, None))],
        )  # fmt: skip
    eventually(lambda: len(hooks.received) == 2)
    assert [(one.event["type"], one.event["version"]) for one in hooks.received] == [("endpoint.test", 1), ("golden.updated", 2)]


def test_an_event_that_is_not_kept_and_a_secret_that_cannot_be_opened_are_told(running: None, hooks: Sink) -> None:
    gone, _ = endpoint(hooks.url + "/a")
    with db.transaction() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO webhook_delivery (endpoint_id, seq, subject_id) VALUES (%s, 0, %s)", (gone.endpoint_id, clock.uuid7())
        )
    eventually(lambda: states(gone.endpoint_id) == {"dead": 1})
    assert query("SELECT tried -> 0 ->> 'error' FROM webhook_delivery") == [("event_not_kept",)]
    query("UPDATE webhook_endpoint SET secret = %s", b"0" * 60)
    eventually(lambda: query("SELECT disabled_because FROM webhook_endpoint") == [("secret_unreadable",)])
    assert hooks.received == []
