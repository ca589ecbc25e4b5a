"""Automatic merging on hold: what would newly be merged waits, all else goes on, and in the end nothing differs."""

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any

import pytest

from kernel import db
from kernel.errors import Conflict, NotFound
from mdm import merge_holds, pending
from mdm.incoming import Incoming
from mdm.merge_holds import Hold
from mdm.reconcile import reconcile
from mdm.resolve import Resolver
from sampledata.files import policy_text
from sampledata.retailer import simulate
from stewardship import settle, tasks

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, contents, golden_of, partition, query

WHY = "Two wrong merges this morning."
OTHER = {"given_name": "Jonas", "surname": "Berg", "birth_date": "1971-01-30", "emails": ["jonas.berg@posteo.de"]}
TOGETHER = frozenset({("shop", "1"), ("pos", "1")})


@pytest.fixture
def mdm(database: str) -> Master:
    """One customer of the shop."""
    made = master.start()
    made.put("shop", "1", MARIA)
    made.drain()
    return made


def hold(*sources: str) -> Hold:
    with db.transaction() as session:
        return merge_holds.begin(session, "key:a1", WHY, sources or None)


def lift(held: Hold) -> int:
    with db.transaction() as session:
        return merge_holds.lift(session, held.hold_id, "key:b2", "Mended.")


def backlog() -> pending.Backlog:
    with db.read_only() as session:
        return pending.backlog(session)


def test_what_would_newly_be_merged_waits_and_all_else_goes_on(mdm: Master) -> None:
    held = hold()
    mdm.put("pos", "1", MARIA)
    mdm.put("pos", "2", OTHER)
    assert mdm.drain().held == 1
    assert (golden_of("pos", "1"), golden_of("pos", "2") is None) == (None, False)
    assert (backlog().open, backlog().held, backlog().oldest_seconds) == (0, 1, 0.0)
    assert mdm.verify().differences == ()
    assert lift(held) == 1
    mdm.drain()
    assert TOGETHER in partition()
    assert (backlog().held, mdm.verify().differences) == (0, ())


def test_what_is_merged_stays_so_and_takes_new_values(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    before = golden_of("shop", "1")
    hold()
    mdm.put("pos", "1", {**MARIA, "language": "es"})
    assert mdm.drain().held == 0
    assert partition() == {TOGETHER}
    ((language,),) = query("SELECT body -> 'values' -> 'language' ->> 'value' FROM golden WHERE golden_id = %s", before)
    assert language == "es"


def test_two_customers_that_an_update_would_join_stay_two(mdm: Master) -> None:
    mdm.put("pos", "1", OTHER)
    mdm.drain()
    ids = {golden_of("shop", "1"), golden_of("pos", "1")}
    held = hold()
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    assert {golden_of("shop", "1"), golden_of("pos", "1")} == ids
    lift(held)
    mdm.drain()
    assert partition() == {TOGETHER}


def test_a_steward_still_joins(mdm: Master) -> None:
    mdm.put("pos", "2", OTHER)
    mdm.drain()
    hold()
    wish = settle.Wish("match", settle.Side(records=(("shop", "1"),)), settle.Side(records=(("pos", "2"),)), "Seen both.")
    resolver = Resolver(db.transaction, tasks.project)
    settle.make(resolver, WHO, wish, settle.look(resolver, WHO, wish).token)
    mdm.drain()
    assert partition() == {frozenset({("shop", "1"), ("pos", "2")})}


@pytest.mark.parametrize(("sources", "waits"), [(("shop", "pos"), True), (("pos", "crm"), False), (("pos",), False)])
def test_a_hold_of_two_sources_is_of_their_merges_alone(mdm: Master, sources: tuple[str, ...], waits: bool) -> None:
    hold(*sources)
    mdm.put("pos", "1", MARIA)
    assert mdm.drain().held == waits
    assert (TOGETHER in partition()) is not waits


def test_a_hold_of_one_source_is_of_its_merges_with_itself(mdm: Master) -> None:
    hold("shop")
    mdm.put("shop", "2", MARIA)
    assert mdm.drain().held == 1


def test_a_later_version_of_who_waits_is_looked_at_and_nothing_is_lost(mdm: Master) -> None:
    held = hold()
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    mdm.put("pos", "1", OTHER)
    assert mdm.drain().held == 0
    assert partition() == {frozenset({("shop", "1")}), frozenset({("pos", "1")})}
    mdm.put("pos", "1", MARIA)
    assert mdm.drain().held == 1
    lift(held)
    mdm.drain()
    assert partition() == {TOGETHER}


def test_who_is_asked_for_again_while_it_is_put_aside_is_due_again(mdm: Master) -> None:
    ((record_id,),) = query("SELECT record_id FROM crosswalk")
    owner = str(uuid.uuid4())
    with db.transaction() as session:
        pending.request(session, [record_id], "new")
        (claim,) = pending.claim(session, [record_id], owner)
        pending.request(session, [record_id], "newer")
    with db.transaction() as session:
        merge_holds.park(session, {record_id: claim}, [record_id], owner)
    assert query("SELECT reason, lease_owner IS NULL, available_at <= now() FROM pending_record") == [("newer", True, True)]


def test_in_bulk_the_same_waits(mdm: Master) -> None:
    hold()
    mdm.put("pos", "1", MARIA)
    mdm.put("pos", "2", OTHER)
    assert reconcile(mdm.resolver).held == 1
    assert (golden_of("pos", "1"), golden_of("pos", "2") is None) == (None, False)


def test_what_another_hold_still_bars_waits_on(mdm: Master) -> None:
    everything, pair = hold(), hold("pos", "shop")
    mdm.put("pos", "1", MARIA)
    mdm.drain()
    lift(everything)
    assert mdm.drain().held == 1
    lift(pair)
    mdm.drain()
    assert partition() == {TOGETHER}


def test_a_hold_is_audited_and_told_and_ends_once(mdm: Master) -> None:
    held = hold("pos", "shop")
    with pytest.raises(Conflict, match="already"):
        hold("shop", "pos")
    lift(held)
    with pytest.raises(Conflict, match="ended"):
        lift(held)
    with db.transaction() as session, pytest.raises(NotFound):
        merge_holds.lift(session, uuid.uuid4(), "key:b2", WHY)
    audited = query("SELECT actor, action FROM audit WHERE object_type = 'merge_hold' ORDER BY audit_id")
    assert audited == [("key:a1", "merging.held"), ("key:b2", "merging.resumed")]
    told = query("SELECT type, subject_version, body FROM outbox WHERE type LIKE 'merging.%%' ORDER BY outbox_id")
    about = {"sources": ["pos", "shop"], "by_budget": False}
    assert told == [("merging.held", 1, about), ("merging.resumed", 2, about)]


def test_of_many_who_hold_the_same_one_does(mdm: Master) -> None:
    def attempt(_: int) -> bool:
        try:
            hold()
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


@pytest.mark.parametrize("seed", range(3))
def test_with_a_hold_in_the_middle_the_end_is_the_same(database: str, seed: int) -> None:
    """70 records of the simulated retailer in any order, some again, in batches of any size; held and let go anywhere."""
    drawn = random.Random(seed)
    puts = _puts(drawn)
    expected = _end(puts, drawn, lambda _: None)
    master.empty_records()
    places = sorted(drawn.sample(range(1, len(puts)), 4))
    holds: list[Hold] = []

    def meddle(place: int) -> None:
        if place in places[:2]:
            holds.append(hold() if place == places[0] else hold("crm", "pos"))
        elif place in places[2:]:
            lift(holds.pop())

    query("DELETE FROM merge_hold", role=db.Role.OWNER)
    assert _end(puts, drawn, meddle) == expected


def _puts(drawn: random.Random) -> list[tuple[str, Incoming]]:
    puts = [
        (one.source, Incoming(one.key, one.payload, source_updated_at=datetime.fromisoformat(one.updated_at)))
        for one in islice(simulate(200, 77), 70)
    ]
    drawn.shuffle(puts)
    return [*puts, *drawn.sample(puts, 10)]


def _end(puts: list[tuple[str, Incoming]], drawn: random.Random, meddle: Callable[[int], None]) -> tuple[Any, Any]:
    mdm = master.start(policy_text())
    for place, (source, item) in enumerate(puts):
        meddle(place)
        mdm.put_many(source, [item])
        if drawn.random() < 0.15:
            mdm.drain(drawn.choice((1, 7, 200)))
    mdm.drain()
    assert mdm.verify().differences == ()
    return partition(), contents()
