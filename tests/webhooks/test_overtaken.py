"""An endpoint that has not heard what is let go of is told so, and goes on where its subscriber says that it began anew."""

import uuid

import pytest

from kernel import db
from kernel.clock import uuid7
from kernel.errors import Gone
from mdm import upkeep
from webhooks import endpoints, feed
from workers import sequencer

from ..resolution import query
from .test_delivering import WHO, emit
from .test_loads import Load, due, wish

pytestmark = pytest.mark.usefixtures("database")


def forget_up_to(seq: int) -> None:
    """Let go of events up to a number, by the job that does so by night."""
    query("CREATE TABLE event_2020_01 PARTITION OF event FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')", role=db.Role.OWNER)
    query("UPDATE event SET numbered_at = '2020-01-05' WHERE seq <= %s", seq, role=db.Role.OWNER)
    upkeep.let_go(db.transaction)


def log() -> feed.Log:
    with db.read_only() as session:
        return feed.log(session)


def disabled_because(endpoint_id: uuid.UUID) -> str | None:
    with db.read_only() as session:
        return endpoints.get(session, endpoint_id).disabled_because


def enable(endpoint_id: uuid.UUID) -> None:
    with db.transaction() as session:
        endpoints.enable(session, WHO, endpoint_id)


def confirm(endpoint_id: uuid.UUID, seq: int) -> None:
    with db.transaction() as session:
        endpoints.applied(session, endpoint_id, log().cursor(seq))


def test_an_endpoint_that_missed_events_is_disabled_and_others_hear_of_it() -> None:
    behind, abreast = wish(), wish()
    emit((uuid7(), 1), (uuid7(), 1))
    sequencer.number_all()
    last = log().last_seq
    query("UPDATE webhook_endpoint SET reached_seq = %s WHERE endpoint_id = %s", last - 1, abreast)
    forget_up_to(last - 1)
    assert (disabled_because(behind), disabled_because(abreast)) == ("events_not_kept", None)
    told = query("SELECT subject_id, body ->> 'reason' FROM outbox WHERE type = 'endpoint.disabled'")
    assert told == [(behind, "events_not_kept")]
    assert due(abreast) == [("golden.updated", 1), ("endpoint.disabled", 1)]
    assert due(behind) == []


def test_it_goes_on_behind_the_export_that_its_subscriber_began_from() -> None:
    behind = wish()
    emit((uuid7(), 1), (uuid7(), 2), (uuid7(), 3))
    sequencer.number_all()
    last = log().last_seq
    forget_up_to(last - 2)
    with pytest.raises(Gone):
        enable(behind)
    confirm(behind, last - 1)
    enable(behind)
    assert due(behind) == [("golden.updated", 3)]


def test_an_endpoint_that_missed_events_of_a_load_is_disabled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.catching_up.MOST_DUE", 1)
    slow, load = wish(), Load()
    emit((uuid7(), 1))
    for version in (1, 2, 3):
        load.tell(uuid7(), version)
    load.finish()
    assert len(due(slow)) == 2, "what happened and the end of the load; the rest of it waits for room"
    first_of_load = query("SELECT min(seq) FROM event WHERE load_id = %s", load.load_id)[0][0]
    forget_up_to(first_of_load)
    assert disabled_because(slow) == "events_not_kept"
    with pytest.raises(Gone):
        enable(slow)
    confirm(slow, first_of_load + 3)
    enable(slow)
    query("DELETE FROM webhook_delivery")
    assert due(slow) == [], "the load was applied whole"


def test_who_waits_for_a_load_that_is_kept_whole_stays_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.catching_up.MOST_DUE", 1)
    slow, load = wish(), Load()
    emit((uuid7(), 1))
    load.tell(uuid7(), 1)
    load.finish()
    due(slow)
    before = query("SELECT min(seq) - 1 FROM event WHERE load_id = %s", load.load_id)[0][0]
    forget_up_to(before)
    assert disabled_because(slow) is None


def test_what_was_confirmed_while_disabled_is_not_told_again() -> None:
    one = wish()
    with db.transaction() as session:
        endpoints.disable(session, WHO, one)
    emit((uuid7(), 1), (uuid7(), 2))
    sequencer.number_all()
    confirm(one, log().last_seq - 1)
    enable(one)
    assert due(one) == [("golden.updated", 2)]
