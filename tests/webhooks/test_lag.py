"""Delivered and applied are told apart; what must not wait and does is told of once, until the endpoint has caught up."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kernel import db, outbox
from kernel.clock import uuid7
from webhooks import endpoints, feed, lag
from webhooks.endpoints import Endpoint
from webhooks.lag import CONSENT, ERASED, MERGED, NARROWED, URGENT, Turned
from workers import sweeper

from ..resolution import query
from .test_delivering import WHO
from .test_loads import Load, due, wish

pytestmark = pytest.mark.usefixtures("database")
DAY = 24 * 3600.0
LIMITS = {MERGED: DAY, ERASED: DAY / 6, CONSENT: DAY / 6, NARROWED: DAY / 6}


def tell(endpoint_id: uuid.UUID, *types: str, hours: float = 0.0, **more: Any) -> list[int]:
    """Number events that were told so many hours ago, and make them due; their numbers."""
    for type_ in types:
        with db.transaction() as session:
            outbox.emit(session, outbox.Event(type_, uuid7(), 1, {"changed": []}, **more))
    due(endpoint_id)
    return [
        seq
        for (seq,) in query(
            """UPDATE event SET numbered_at = numbered_at - make_interval(secs => %s)
               WHERE seq > (SELECT max(seq) FROM event) - %s RETURNING seq""",
            hours * 3600,
            len(types),
            role=db.Role.OWNER,
        )
    ]


def arrived() -> None:
    query("UPDATE webhook_delivery SET state = 'delivered', ended_at = now()")


def confirm(endpoint_id: uuid.UUID, seq: int) -> None:
    with db.transaction() as session:
        endpoints.applied(session, endpoint_id, feed.log(session).cursor(seq))


def watch() -> Turned:
    with db.transaction() as session:
        return lag.watch(session, LIMITS)


def read(endpoint_id: uuid.UUID) -> Endpoint:
    with db.read_only() as session:
        return endpoints.get(session, endpoint_id)


def waiting(endpoint_id: uuid.UUID) -> list[tuple[str, int]]:
    with db.read_only() as session:
        return [(one.type, one.seq) for one in lag.waiting(session, endpoint_id)]


def notices() -> list[tuple[Any, ...]]:
    return query("SELECT subject_id, body ->> 'reason' FROM outbox WHERE type = 'endpoint.overdue' ORDER BY outbox_id")


def test_delivered_and_applied_are_told_apart() -> None:
    one = wish()
    first, second, third = tell(one, MERGED, "golden.updated", MERGED)
    assert (read(one).reached_seq, read(one).delivered_seq, waiting(one)) == (third, first - 1, [(MERGED, first)])
    query("UPDATE webhook_delivery SET state = 'delivered' WHERE seq <= %s", second)
    assert (read(one).delivered_seq, waiting(one)) == (second, [(MERGED, third)])
    arrived()
    assert (read(one).delivered_seq, read(one).applied_seq, waiting(one)) == (third, None, [])
    confirm(one, first)
    assert (read(one).delivered_seq, read(one).applied_seq, waiting(one)) == (third, first, [(MERGED, third)])


def test_an_endpoint_that_confirms_is_overdue_until_it_has_applied() -> None:
    one = wish()
    first, second = tell(one, "golden.updated", MERGED, hours=25)
    arrived()
    assert watch() == Turned([], []), "it has never confirmed, and everything has arrived"
    confirm(one, first)
    assert [(late.endpoint_id, late.type, late.seq) for late in watch().overdue] == [(one, MERGED, second)]
    assert watch() == Turned([], [])
    assert read(one).overdue_since is not None
    assert notices() == [(one, MERGED)]
    confirm(one, second)
    assert watch() == Turned([], [one])
    assert (read(one).overdue_since, len(notices())) == (None, 1)
    tell(one, MERGED, hours=25)
    assert len(watch().overdue) == 1, "another breach is told of again"


def test_an_endpoint_that_never_confirms_is_judged_by_what_arrives() -> None:
    one, other = wish(), wish(types=("golden.created",))
    tell(one, MERGED, hours=25)
    due(other)
    assert [late.endpoint_id for late in watch().overdue] == [one]
    arrived()
    assert watch().caught_up == [one]


@pytest.mark.parametrize(
    ("type_", "hours", "is_late"),
    [
        (MERGED, 23, False),
        (ERASED, 3, False),
        (ERASED, 5, True),
        (CONSENT, 5, True),
        (NARROWED, 3, False),
        (NARROWED, 5, True),
        ("golden.updated", 500, False),
    ],
)
def test_what_must_not_wait_has_its_own_time(type_: str, hours: float, is_late: bool) -> None:
    tell(wish(), type_, hours=hours)
    assert bool(watch().overdue) is is_late


def test_whoever_hears_only_of_what_may_not_be_done_any_more_is_overdue_with_it() -> None:
    one = wish(types=(NARROWED,))
    confirm(one, read(one).reached_seq)
    tell(one, CONSENT, NARROWED, hours=5)
    arrived()
    sweeper.watch_endpoints()
    assert (notices(), read(one).overdue_since is not None) == ([(one, NARROWED)], True)


def test_what_must_not_wait_is_found_by_an_index() -> None:
    """Else each look would read the log from where an endpoint is, which may be a month behind."""
    (said,) = query("SELECT pg_get_indexdef('event_urgent'::regclass)")[0]
    assert all(f"'{one}'" in said for one in URGENT)


def test_only_what_the_endpoint_hears_of_counts() -> None:
    created, elsewhere = wish(types=("golden.created",)), wish(sources=("crm",))
    confirm(created, read(created).reached_seq)
    confirm(elsewhere, read(elsewhere).reached_seq)
    tell(created, MERGED, hours=25, sources=("shop",))
    due(elsewhere)
    assert watch() == Turned([], [])


def test_a_merge_of_a_load_counts_unless_loads_are_read_from_the_feed() -> None:
    told, reads = wish(), wish(latest_of_loads=False)
    for one in (told, reads):
        confirm(one, read(one).reached_seq)
    load = Load()
    load.tell(uuid7(), 1, MERGED, moves=True)
    load.finish()
    tell(told, "golden.updated", "golden.updated", hours=30)
    query("UPDATE event SET numbered_at = numbered_at - interval '30 hours'", role=db.Role.OWNER)
    assert [one.endpoint_id for one in watch().overdue] == [told]


def test_a_load_that_is_not_yet_due_has_not_been_delivered() -> None:
    one, load = wish(), Load()
    load.tell(uuid7(), 1)
    load.finish()
    (last,) = tell(one, "golden.updated")
    arrived()
    query("INSERT INTO webhook_catch_up VALUES (%s, %s, %s, %s)", one, load.load_id, last - 3, last - 1)
    assert read(one).delivered_seq == last - 3


def test_whoever_looks_at_once_tells_of_a_breach_once() -> None:
    tell(wish(), MERGED, hours=25)
    with ThreadPoolExecutor(4) as pool:
        turned = [one.result() for one in [pool.submit(watch) for _ in range(8)]]
    assert (sum(len(one.overdue) for one in turned), len(notices())) == (1, 1)


def test_others_hear_of_it_and_one_disabled_by_hand_is_not_judged() -> None:
    one, other = wish(), wish(types=("golden.created",))
    tell(one, MERGED, hours=25)
    sweeper.watch_endpoints()
    assert due(other) == [("endpoint.overdue", 1)]
    assert ("endpoint.overdue", 1) not in due(one)
    with db.transaction() as session:
        endpoints.disable(session, WHO, one)
    assert watch().caught_up == [one]
