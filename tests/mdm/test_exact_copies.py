"""Copies of one record, more than any key may have: in one chain, whatever came in which order, went again, or came between."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from kernel import db
from matching import bulk_engine
from matching.bulk_pairs import find_pairs
from matching.hot_keys import HotLimits
from mdm import candidates, closure, exact_copies, owed, reconcile, resolve, sql, versions
from mdm.incoming import Incoming
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, golden_of, partition, query, questions

LOW = HotLimits.alike(3)
OTTO: dict[str, Any] = {**MARIA, "given_name": "Otto", "birth_date": "1951-07-30", "emails": ["otto.garcia@telefonica.net"]}


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen copies are as many as thousands."""
    monkeypatch.setattr(candidates, "LIMITS", LOW)
    monkeypatch.setattr(bulk_engine, "find_pairs", partial(find_pairs, limits=LOW))


def copies(mdm: Master, source: str, *keys: str, data: dict[str, Any] = MARIA) -> None:
    mdm.put_many(source, [Incoming(key, data) for key in keys])


def live_pairs() -> int:
    found: int = query("SELECT count(*) FROM decision WHERE superseded_at IS NULL")[0][0]
    return found


def test_five_hundred_copies_are_one_customer_online_and_in_bulk(mdm: Master) -> None:
    keys = [f"{n}" for n in range(500)]
    copies(mdm, "shop", *keys)
    mdm.drain()
    whole = frozenset((frozenset(("shop", key) for key in keys),))
    assert partition() == whole
    assert live_pairs() == len(keys) - 1
    assert mdm.verify(deep=True).differences == ()
    assert questions() == set()

    query("UPDATE decision SET superseded_at = now()")
    done = reconcile.reconcile(mdm.resolver)
    assert (done.pairs, done.decisions, partition()) == (len(keys) - 1, len(keys) - 1, whole)
    assert mdm.verify().differences == ()


@pytest.mark.usefixtures("low")
def test_a_copy_more_than_a_key_may_have_and_one_less_change_nothing_for_the_others(mdm: Master) -> None:
    copies(mdm, "shop", *(f"{n}" for n in range(8)))
    mdm.drain()
    golden_id = golden_of("shop", "0")
    copies(mdm, "pos", "one more")
    mdm.drain()
    assert {golden_of("shop", "7"), golden_of("pos", "one more")} == {golden_id}
    assert live_pairs() == 8
    mdm.delete("shop", "5")
    mdm.drain()
    assert golden_of("shop", "7") == golden_id
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
def test_thin_copies_stay_apart(mdm: Master) -> None:
    """A first name, a phone, a town: what many say, said by many."""
    thin: list[dict[str, Any]] = [
        {"given_name": "Maria"},
        {"given_name": "Maria", "surname": "Garcia Lopez"},
        {"phones": MARIA["phones"]},
        {"addresses": MARIA["addresses"]},
        {"language": "es"},
    ]
    for kind, data in enumerate(thin):
        copies(mdm, "shop", *(f"{kind}.{n}" for n in range(6)), data=data)
    mdm.drain()
    assert all(len(part) == 1 for part in partition())
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
def test_a_chain_passes_by_copies_of_other_domains_and_shadow_sources(mdm: Master) -> None:
    for n in range(6):
        for source in ("shop", "staff", "trial", "pos"):
            copies(mdm, source, f"{n}")
    mdm.drain()
    customers = {(source, f"{n}") for source in ("shop", "pos") for n in range(6)}
    assert partition() == {frozenset(customers), frozenset(("staff", f"{n}") for n in range(6))}
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
def test_copies_of_a_source_in_review_are_asked_about(mdm: Master) -> None:
    copies(mdm, "shop", *"abcde")
    copies(mdm, "bought", *"fghij")
    mdm.drain()
    assert frozenset(("shop", key) for key in "abcde") in partition()
    assert {reason for _, _, reason in questions()} == {"source_in_review"}
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
def test_a_copy_that_comes_between_two_or_goes_parts_or_joins_them(mdm: Master) -> None:
    copies(mdm, "shop", *"abcdef")
    mdm.drain()
    for change in (OTTO, MARIA, None, MARIA):
        mdm.put("shop", "c", change, delete=change is None)
        mdm.drain()
        copied = "abcdef" if change is MARIA else "abdef"
        assert frozenset(("shop", key) for key in copied) in partition()
        assert live_pairs() == len(copied) - 1
        assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_comings_and_goings_ends_in_the_same(mdm: Master, seed: int) -> None:
    """Whatever was resolved in between, in whatever batches: in the end the copies of each are one customer."""
    chance = random.Random(seed)
    said: dict[tuple[str, str], dict[str, Any] | None] = {}
    for _ in range(40):
        source, key = chance.choice(("shop", "pos", "crm")), f"{chance.randrange(5)}"
        data = chance.choice((MARIA, MARIA, OTTO, None))
        if data is None and said.get((source, key)) is None:
            continue
        said[source, key] = data
        mdm.put(source, key, data, delete=data is None)
        waiting = [row[0] for row in query("SELECT record_id FROM pending_record WHERE available_at <= now()")]
        if chance.random() < 0.5:
            owed.work(mdm.resolver, chance.sample(waiting, chance.randint(0, len(waiting))))
        if chance.random() < 0.1:
            reconcile.reconcile(mdm.resolver, choice=reconcile.Choice(chance.choice(list(reconcile.Path)), 0))
    mdm.drain(chance.choice((1, 3, 200)))
    wanted = {frozenset(one for one, data in said.items() if data is whose) for whose in (MARIA, OTTO)} - {frozenset()}
    living = {part for part in partition() if any(said[one] is not None for one in part)}
    assert {frozenset(one for one in part if said[one] is not None) for part in living} == wanted
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
def test_copies_that_come_and_go_while_others_are_resolved_are_all_joined(mdm: Master) -> None:
    """Two who write and three who resolve, at once."""

    def write(source: str) -> None:
        chance = random.Random(source)
        for _ in range(60):
            data = chance.choice((MARIA, MARIA, None))
            mdm.put(source, f"{chance.randrange(6)}", data, delete=data is None)

    def work(_: int) -> None:
        resolver = resolve.Resolver(db.transaction, tasks.project)
        while not written.is_set():
            owed.drain(resolver, batch_size=2, patience_seconds=0.2)

    written = threading.Event()
    with ThreadPoolExecutor(5) as pool:
        workers = [pool.submit(work, n) for n in range(3)]
        for done in [pool.submit(write, source) for source in ("shop", "pos")]:
            done.result()
        written.set()
        for done in workers:
            done.result()
    mdm.drain()
    living = {
        (source, key) for source, key, state in query("SELECT source, source_key, state FROM crosswalk") if state != "deleted"
    }
    assert any(living <= part for part in partition())
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.usefixtures("low")
def test_who_came_or_went_while_a_batch_was_read_is_not_overlooked(mdm: Master) -> None:
    """Between a reading and its writing: the neighbours that were read are no more, and the reader is asked for again."""
    copies(mdm, "shop", *"abcde")
    mdm.drain()
    ids = dict(query("SELECT source_key, record_id FROM crosswalk"))
    with db.transaction() as session:
        current = versions.current(session)
        before = candidates.find(session, current, [ids["b"]])
    mdm.delete("shop", "c")
    with db.transaction() as session:
        assert candidates.mark(session, current, before, (), ()) >= 1
    assert ids["b"] in {row[0] for row in query("SELECT record_id FROM pending_record")}


@pytest.mark.usefixtures("low")
def test_a_long_chain_is_not_read_link_by_link(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    copies(mdm, "shop", *(f"{n}" for n in range(150)))
    mdm.drain()
    ((first,),) = query("SELECT min(record_id::text)::uuid FROM crosswalk")
    read, asked = sql.rows, []

    def counted(session: Session, statement: str, params: sql.Params | None = None) -> list[sql.Row]:
        asked.append(statement)
        return read(session, statement, params)

    monkeypatch.setattr(sql, "rows", counted)
    with db.transaction() as session:
        around = closure.read(session, [first], versions.current(session))
    assert len(around.records) == 150
    assert len(asked) < 80


def test_copies_are_beside_each_other_in_the_order_of_ids(mdm: Master) -> None:
    copies(mdm, "shop", *"abc")
    mdm.put("shop", "x", OTTO)
    ids = dict(query("SELECT source_key, record_id FROM crosswalk"))
    a, b, c = sorted(ids[key] for key in "abc")
    with db.transaction() as session:
        current = versions.current(session)
        places = exact_copies.find(session, current, list(ids.values()))
        assert places == {a: (None, b), b: (a, c), c: (b, None)}
        assert exact_copies.pairs(places) == exact_copies.every(session, current) == {(a, b), (b, c)}
        assert exact_copies.same_form(session, [a]) == {a, b, c}
        assert exact_copies.find(session, current, []) == {}
