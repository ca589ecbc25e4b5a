"""After a load an endpoint is told what still holds of it: whoever follows webhooks alone ends with the crosswalk."""

import dataclasses
import random
import uuid
from typing import Any

import pytest

from kernel import clock, db, outbox
from kernel.clock import uuid7
from matching.model import default_model
from mdm import loads, policy, reconcile, versions
from mdm.events import LOAD_FINISHED
from webhooks import catching_up, deliveries, endpoints
from webhooks.endpoints import Wish
from workers import sequencer, sweeper

from .. import resolution as master
from ..mdm.test_reconcile import take_in
from ..resolution import MARIA, POLICY, query
from .sink import Sink, eventually
from .test_delivering import WHO, endpoint, hooks
from .test_reference_subscriber import crosswalk, subscriber

__all__ = ["hooks"]  # The fixture.


def at_rest() -> bool:
    """Whether everything that is owed to anybody was delivered."""
    ((owed,),) = query(
        """SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM webhook_catch_up)
             + (SELECT count(*) FROM webhook_delivery WHERE state = 'due')
             + (SELECT count(*) FROM webhook_endpoint, event_counter WHERE reached_seq < last_seq)"""
    )
    return bool(owed == 0)


def test_a_subscriber_by_webhooks_alone_ends_with_the_crosswalk_after_loads(running: None, hooks: Sink) -> None:
    """Two loads, of which the second parts and merges what the first made, and single records before, between and behind."""
    mdm = master.start()
    endpoint(hooks.url + "/a", types=("golden.created",), latest_of_loads=False)
    endpoint(hooks.url + "/all", concurrency=20)
    mdm.put("staff", "first", MARIA)
    mdm.drain()
    take_in(mdm)
    reconcile.reconcile(mdm.resolver, chunk_size=20)
    made = query("SELECT count(*) FROM golden")[0][0]
    model = default_model()
    strict = model.with_lines(dataclasses.replace(model.lines, merge=30.0, guard=25.0))
    with db.transaction() as session:
        versions.adopt(session, model=strict)
    mdm.delete("shop", "3")
    mdm.put("crm", "new", MARIA)
    reconcile.reconcile(mdm.resolver, chunk_size=20)
    mdm.put("pos", "last", MARIA)
    mdm.drain()
    assert query("SELECT count(*) > 20 FROM golden WHERE version > 1")[0][0]
    eventually(at_rest)
    told = [one.event for one in hooks.of("/all")]
    assert sum(one["load_id"] is not None for one in told) >= made - 1
    assert all(one["type"].startswith("golden.") for one in told if one["load_id"])
    wanted = crosswalk()
    for delivered in (told, random.Random(1).sample(told, len(told))):
        follower = subscriber()
        for event in delivered:
            follower.apply(event)
        assert follower.crosswalk() == wanted
    assert [one.event["load_id"] for one in hooks.of("/a")] == [None]


@dataclasses.dataclass
class Load:
    """A load of the test's own, numbered."""

    load_id: uuid.UUID = dataclasses.field(default_factory=uuid7)

    def tell(self, subject: uuid.UUID, version: int, type_: str = "golden.updated", moves: bool = False, **body: Any) -> None:
        said = {"joined": [{"record_id": str(uuid7())}] if moves else [], "left": [], **body}
        self._write(outbox.Event(type_, subject, version, said, load_id=self.load_id))

    def finish(self) -> None:
        self._write(outbox.Event(LOAD_FINISHED, self.load_id, 1, {"load_id": str(self.load_id)}))

    def _write(self, event: outbox.Event) -> None:
        with db.transaction() as session:
            outbox.emit(session, event)


def wish(**more: Any) -> uuid.UUID:
    with db.transaction() as session:
        return endpoints.create(session, WHO, Wish("https://hooks.shop.example/a", **more))[0].endpoint_id


def due(endpoint_id: uuid.UUID) -> list[tuple[str, int]]:
    """Make everything due, and give it."""
    sequencer.number_all()
    while step():
        pass
    return query(
        """SELECT type, subject_version FROM webhook_delivery JOIN event USING (seq)
           WHERE endpoint_id = %s ORDER BY seq""",
        endpoint_id,
    )  # type: ignore[return-value]  # Rows of two columns.


def step() -> bool:
    with db.transaction() as session:
        more = deliveries.fan_out(session)
    with db.transaction() as session:
        return catching_up.step(session) or more


def test_of_a_golden_record_the_latest_version_and_those_that_moved_records(database: str) -> None:
    everything, finished, each = wish(), wish(latest_of_loads=False), wish(each_of_loads=True)
    merges, emails = wish(types=("golden.merged",)), wish(types=("golden.updated",), changed=("emails",))
    load, one, two = Load(), uuid7(), uuid7()
    load.tell(uuid7(), 1, "record.received")
    load.tell(one, 1, "golden.created", moves=True)
    load.tell(one, 2, changed=["emails"])
    load.tell(one, 3, changed=["phones"])
    load.tell(two, 7, "golden.merged", moves=True)
    assert due(everything) == []
    load.finish()
    done = (LOAD_FINISHED, 1)
    assert due(everything) == [("golden.created", 1), ("golden.updated", 3), ("golden.merged", 7), done]
    assert due(finished) == [done]
    assert due(merges) == [("golden.merged", 7)]
    assert due(emails) == [("golden.updated", 2)], "the latest that it would hear of"
    assert len(due(each)) == 6


def test_a_load_that_is_told_of_twice_is_told_on_from_the_first_time(database: str) -> None:
    everything, load = wish(), Load()
    load.tell(uuid7(), 1)
    load.finish()
    assert len(due(everything)) == 2
    query("DELETE FROM webhook_delivery")
    load.tell(uuid7(), 2)
    load.finish()
    assert due(everything) == [("golden.updated", 2), (LOAD_FINISHED, 1)]


def test_a_large_load_is_made_due_in_portions_beside_what_happens_meanwhile(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(catching_up, "MOST_DUE", 4)
    everything, load = wish(), Load()
    for version in range(9):
        load.tell(uuid7(), version)
    load.finish()
    assert len(due(everything)) == 5, "no more than are sent"
    with db.transaction() as session:
        outbox.emit(session, outbox.Event("golden.merged", uuid7(), 1, {}))
    assert ("golden.merged", 1) in due(everything)
    query("UPDATE webhook_delivery SET state = 'delivered', ended_at = now()")
    while len(due(everything)) < 11:
        query("UPDATE webhook_delivery SET state = 'delivered', ended_at = now()")
    assert query("SELECT count(*) FROM webhook_catch_up") == [(0,)]


def test_what_was_told_after_a_load_is_delivered_again(database: str) -> None:
    everything, load = wish(), Load()
    load.tell(uuid7(), 1, "record.received")
    load.tell(uuid7(), 2)
    load.finish()
    due(everything)
    query("UPDATE webhook_delivery SET state = 'dead', ended_at = now()")
    with db.transaction() as session:
        ((first, last),) = query("SELECT min(seq), max(seq) FROM event WHERE load_id = %s", load.load_id)
        assert deliveries.again(session, everything, first, last, only_dead=False) == 1


def test_a_load_whose_process_was_killed_is_closed_by_the_sweeper(database: str) -> None:
    mdm, load, empty = master.start(), Load(), uuid7()
    load.tell(uuid7(), 1)
    with db.transaction() as session:
        for known in (load.load_id, empty):
            loads.keep(session, known, loads.RECONCILE, list(mdm.policy.sources))
    sweeper.sweep()
    assert query("SELECT count(*) FROM load") == [(2,)]
    query("UPDATE load SET lease_until = now() - interval '1 second'")
    sweeper.sweep()
    assert query("SELECT subject_id FROM outbox WHERE type = %s", LOAD_FINISHED) == [(load.load_id,)]
    assert query("SELECT count(*) FROM load") == [(0,)]


def test_a_reconciliation_keeps_its_note_while_it_works(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mdm = master.start()
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.parse(POLICY), "test"))
    monkeypatch.setattr(loads, "BEAT_SECONDS", 0.0)
    load_id, told = clock.uuid7(), []
    progress = loads.keeping(db.transaction, load_id, list(mdm.policy.sources), lambda *figures: told.append(figures))
    progress(1, 2)
    assert (query("SELECT load_id, lease_until > now() FROM load"), told) == ([(load_id, True)], [(1, 2)])
