"""Whoever follows events alone ends with the crosswalk: in order, shuffled, doubled, delayed, and as real webhooks bring them."""

import importlib.util
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kernel import db
from mdm import published
from stewardship import privacy_erasure
from webhooks import deliveries, endpoints, feed, schedule
from webhooks.endpoints import Wish
from workers import sequencer

from .. import resolution as master
from ..resolution import MARIA, WHO, Master, query
from .sink import Answer, Received, eventually, sink

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscriber.py"


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def example() -> Any:
    spec = importlib.util.spec_from_file_location("subscriber", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def subscriber() -> Any:
    return example().Subscriber()


def told(since: int) -> list[dict[str, Any]]:
    sequencer.number_all()
    with db.read_only() as session:
        log = feed.log(session)
        return published.shown(session, log, feed.read(session, log, since).events)


def crosswalk() -> dict[tuple[str, str], str]:
    rows = query("SELECT source, source_key, golden_id FROM crosswalk WHERE golden_id IS NOT NULL AND state = 'resolved'")
    return {(source, key): str(golden_id) for source, key, golden_id in rows}


def person(number: int) -> dict[str, Any]:
    names = ("Maria", "Ana", "Lucia", "Carmen", "Elena", "Rosa")
    name = names[number]
    own = {"emails": [f"{name}@example{number}.org"], "birth_date": f"198{number}-03-12", "phones": [f"+3465587231{number}"]}
    return {**MARIA, "given_name": name, **own}


def play(mdm: Master, rng: random.Random) -> None:
    """Thirty random acts: deliveries that make and break matches, deletions, steward decisions and their undoing, new keys."""
    keys = [(source, str(n)) for source in ("shop", "pos", "crm") for n in range(4)]
    for _ in range(30):
        source, key = rng.choice(keys)
        act = rng.random()
        if act < 0.7:
            mdm.put(source, key, person(rng.randrange(6)))
        elif act < 0.85 and (source, key) in crosswalk():
            mdm.delete(source, key)
        mdm.drain()


@pytest.mark.parametrize("seed", range(4))
def test_a_follower_ends_with_the_crosswalk(mdm: Master, seed: int) -> None:
    with db.read_only() as session:
        since = feed.log(session).last_seq
    rng = random.Random(seed)
    play(mdm, rng)
    events = told(since)
    wanted = crosswalk()
    assert wanted
    assert len({one["type"] for one in events}) >= 4
    for delivered in (events, rng.sample(events, len(events)), rng.choices(events, k=len(events)) + events[::-1]):
        follower = subscriber()
        for event in delivered:
            follower.apply(event)
        assert follower.crosswalk() == wanted


def write(number: int) -> None:
    """Tell news of records that others write about as well, and resolve what is owed meanwhile."""
    master_, rng = master.start(), random.Random(number)
    for _ in range(12):
        master_.put(rng.choice(("shop", "pos", "crm")), str(rng.randrange(5)), person(rng.randrange(6)))
        if rng.random() < 0.3:
            master_.drain()


def last_seq() -> int:
    with db.read_only() as session:
        return feed.log(session).last_seq


def test_a_follower_of_real_webhooks_ends_with_the_crosswalk(mdm: Master, running: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight write at once; the subscriber fails and is slow at first, and is sent everything twice."""
    monkeypatch.setattr(schedule, "RETRY_SECONDS", (0.2,) * len(schedule.RETRY_SECONDS))
    follower, turn, came, rng = subscriber(), threading.Lock(), Counter[int](), random.Random(5)

    def answer(received: Received) -> Answer:
        time.sleep(rng.uniform(0.0, 0.02))
        with turn:
            chance, is_first = rng.random(), not came[received.event["seq"]]
            came[received.event["seq"]] += 1
            if not (is_first and chance < 0.5):
                follower.apply(received.event)
        return (500 if is_first and chance < 0.6 else 204), {}

    with db.read_only() as session:
        since = feed.log(session).last_seq
    with sink() as hooks:
        hooks.answer = answer
        with db.transaction() as session:
            made, _ = endpoints.create(session, WHO, Wish(hooks.url, concurrency=20, per_second=1_000))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
        mdm.drain()
        eventually(lambda: query("SELECT count(*) FROM outbox") == [(0,)] and len(came) == last_seq() - since)
        eventually(lambda: query("SELECT count(*) FROM webhook_delivery WHERE state = 'due'") == [(0,)])
        assert follower.crosswalk() == crosswalk()
        with db.transaction() as session:
            deliveries.again(session, made.endpoint_id, since + 1, last_seq(), only_dead=False)
        eventually(lambda: query("SELECT count(*) FROM webhook_delivery WHERE state = 'due'") == [(0,)])
    assert min(came.values()) >= 2
    assert len(crosswalk()) > 8
    assert follower.crosswalk() == crosswalk()


def test_a_record_that_is_deleted_while_its_golden_id_is_merged_away_is_told(mdm: Master) -> None:
    """Both in one resolution: the golden record that the id went to tells of who joined it, and not of who is nowhere."""
    with db.read_only() as session:
        since = feed.log(session).last_seq
    mdm.put("shop", "3", person(1))
    mdm.drain()
    mdm.put("shop", "1", person(4))
    mdm.put("pos", "2", person(4))
    mdm.drain()
    mdm.put("shop", "1", person(1))
    mdm.delete("pos", "2")
    mdm.drain()
    follower = subscriber()
    for event in told(since):
        follower.apply(event)
    assert follower.crosswalk() == crosswalk()
    assert len(set(crosswalk().values())) == 1


def erase(mdm: Master, *keys: tuple[str, str]) -> None:
    """Erase the records of some keys, as a privacy request does that names them."""
    found = [query("SELECT record_id FROM crosswalk WHERE source = %s AND source_key = %s", *key)[0][0] for key in keys]
    privacy_erasure.end(mdm.resolver, privacy_erasure.begin(db.transaction, uuid.uuid4(), found))
    mdm.drain()


@pytest.mark.parametrize("erased", [(("shop", "1"), ("pos", "2")), (("pos", "2"),)], ids=["whole", "in part"])
def test_a_follower_lets_go_of_whoever_was_erased(mdm: Master, erased: tuple[tuple[str, str], ...]) -> None:
    """With all their records, and with one of those that live under one golden id; its key is let go of as well."""
    with db.read_only() as session:
        since = feed.log(session).last_seq
    for source, key, number in (("shop", "1", 4), ("pos", "2", 4), ("crm", "3", 1)):
        mdm.put(source, key, person(number))
    mdm.drain()
    before = told(since)
    assert len(set(crosswalk().values())) == 2
    erase(mdm, *erased)
    behind = told(before[-1]["seq"])
    wanted = crosswalk()
    assert len(wanted) == 3 - len(erased)
    for delivered in (before + behind, behind + before, (before + behind)[::-1]):
        follower = subscriber()
        for event in delivered:
            follower.apply(event)
        assert follower.crosswalk() == wanted
        assert not set(erased) & set(follower.keys.values())
    assert mdm.verify().differences == ()


def test_what_an_export_contains_already_changes_nothing_however_late_it_comes(mdm: Master) -> None:
    """An event of before, of a record that the export does not hold any more, among them."""
    with db.read_only() as session:
        since = feed.log(session).last_seq
    for key, number in (("1", 1), ("2", 2)):
        mdm.put("shop", key, person(number))
    mdm.drain()
    mdm.delete("shop", "1")
    mdm.put("shop", "2", person(3))
    mdm.drain()
    events = told(since)
    follower = subscriber()
    rows = query("SELECT record_id::text, source, source_key, golden_id::text FROM crosswalk WHERE golden_id IS NOT NULL")
    named = ("record_id", "source", "source_key", "golden_id")
    follower.load([dict(zip(named, row, strict=True)) for row in rows], events[-1]["seq"])
    for event in events:
        follower.apply(event)
    assert list(follower.crosswalk()) == [("shop", "2")]
    assert follower.crosswalk() == crosswalk()
