"""What is owed to an endpoint: nothing beyond its regions, and what has arrived stays so, whatever is told of it later."""

import uuid

import pytest

from kernel import clock, db, outbox
from kernel.actor import Principal
from webhooks import deliveries, endpoints
from webhooks.deliveries import Due, Tried
from webhooks.endpoints import Wish
from workers import sequencer

from ..resolution import query

pytestmark = pytest.mark.usefixtures("database")


def endpoint(scope: db.Scope) -> uuid.UUID:
    caller = Principal("shop", "shop", frozenset(), scope)
    with db.transaction() as session:
        return endpoints.create(session, caller, Wish("https://hooks.example.com/"))[0].endpoint_id


def tell(*regions: tuple[str, ...] | None) -> None:
    with db.transaction() as session:
        outbox.emit_all(
            session,
            [
                outbox.Event("golden.updated", clock.uuid7(), version, {}, ("acme",), one)
                for version, one in enumerate(regions, 1)
            ],
        )
    sequencer.number_all()
    with db.transaction() as session:
        deliveries.fan_out(session)


def owed() -> list[tuple[int, str]]:
    """The versions of the subjects of deliveries, and their states."""
    return query("SELECT subject_version, state FROM webhook_delivery JOIN event USING (seq) ORDER BY 1")


def test_an_endpoint_of_some_regions_hears_of_no_other() -> None:
    endpoint(db.Scope(None, ("eu", "uk")))
    tell(("us",), ("eu", "us"), None, ("uk",))
    assert owed() == [(2, "due"), (4, "due")]


def handed_out(endpoint_id: uuid.UUID) -> Due:
    query("UPDATE webhook_delivery SET due_at = now()")
    with db.transaction() as session:
        (due,) = deliveries.hand_out(session, {endpoint_id: 5})
    return due


def note(due: Due, status: int) -> None:
    with db.transaction() as session:
        deliveries.note(session, [(Tried(due, status, None, 1, pause_seconds=5.0), status == 200)])


def test_what_has_arrived_is_not_sent_again_since_an_attempt_that_was_taken_for_lost_failed_after_all() -> None:
    endpoint_id = endpoint(db.Scope())
    tell(("eu",))
    lost, again = handed_out(endpoint_id), handed_out(endpoint_id)
    note(again, 200)
    note(lost, 500)
    assert owed() == [(1, "delivered")]
    assert query("SELECT attempts FROM webhook_delivery") == [(1,)]
