"""The bulk path comes to exactly what the online path comes to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from sqlmodel import Session

from kernel import db
from kernel.clock import uuid7
from kernel.errors import Conflict
from matching import bulk_engine
from matching.blocking import HOT_LIMIT
from matching.bulk_pairs import find_pairs
from matching.hot_keys import HotLimits
from mdm import candidates, pending, policy, reconcile, resolve, versions
from mdm.incoming import Incoming
from mdm.parts import Part
from mdm.reconcile_part import reconcile_part
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, at, empty_records, golden_of, partition, query
from .test_candidates import crowd
from .test_resolve import outcome, retailer


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def take_in(mdm: Master) -> None:
    by_source: dict[str, list[Incoming]] = {}
    for source, item in retailer():
        by_source.setdefault(source, []).append(item)
    for source, items in by_source.items():
        mdm.put_many(source, items, pending.BULK_PRIORITY)


def test_bulk_equals_online(mdm: Master) -> None:
    take_in(mdm)
    mdm.drain()
    online = outcome()
    empty_records()
    take_in(mdm)
    resolved = reconcile.reconcile(mdm.resolver, chunk_size=20)
    assert outcome() == online
    assert resolved.goldens == len(online[0])  # type: ignore[arg-type]  # A partition.
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert query("SELECT count(*) FROM crosswalk WHERE state = 'pending'") == [(0,)]
    assert mdm.verify().differences == ()


def test_both_paths_of_reconciling_come_to_the_same_whatever_is_hot(mdm: Master) -> None:
    take_in(mdm)
    crowd(mdm, HOT_LIMIT + 40)
    mdm.put("shop", "silent", {"language": "es"})
    online = reconcile.reconcile(mdm.resolver, choice=reconcile.Choice(reconcile.Path.ONLINE, 0))
    said = "SELECT decision_id FROM decision WHERE superseded_at IS NULL ORDER BY 1"
    decided, came_to = query(said), outcome()
    bulk = reconcile.reconcile(mdm.resolver)
    assert (query(said), outcome(), bulk.goldens) == (decided, came_to, 0)
    assert (online.pairs, online.decisions, online.hot_keys) == (bulk.pairs, bulk.decisions, bulk.hot_keys)
    assert (online.keyless, online.unreachable) == (bulk.keyless, bulk.unreachable)
    assert (bulk.hot_keys > 0, bulk.keyless) == (True, 1)


def test_many_that_wait_are_worth_bulk_unless_they_are_few_of_all(mdm: Master) -> None:
    take_in(mdm)
    with db.transaction() as session:
        records = query("SELECT count(*) FROM standard_record")[0][0]
        assert reconcile.is_worth_it(session, records, 10)
        assert not reconcile.is_worth_it(session, records // 5, 10)
        assert not reconcile.is_worth_it(session, records, records + 1)
        assert not reconcile.is_worth_it(session, 0, 0)
        assert reconcile.choose(session, records).path is reconcile.Path.BULK
        assert reconcile.choose(session, 0, processes=4).processes == 1, "helpers cost more than so few records"
        assert reconcile.choose(session, records + 1).path is reconcile.Path.ONLINE


def test_reconciling_a_healthy_store_changes_nothing(mdm: Master) -> None:
    take_in(mdm)
    mdm.drain()
    before = query("SELECT golden_id, version, body FROM golden ORDER BY 1"), query("SELECT decision_id FROM decision ORDER BY 1")
    assert reconcile.reconcile(mdm.resolver).goldens == 0
    assert (
        query("SELECT golden_id, version, body FROM golden ORDER BY 1"),
        query("SELECT decision_id FROM decision ORDER BY 1"),
    ) == before


def test_reconciling_mends_what_was_corrupted(mdm: Master) -> None:
    take_in(mdm)
    mdm.drain()
    oldest = query("SELECT golden_id FROM golden ORDER BY 1")[0][0]
    query("UPDATE crosswalk SET golden_id = %s WHERE source_key = '5' AND state = 'resolved'", oldest)
    decision_id = query("SELECT decision_id FROM decision ORDER BY 1")[0][0]
    query("UPDATE decision SET weight = 99 WHERE decision_id = %s", decision_id)
    assert mdm.verify().differences != ()
    reconcile.reconcile(mdm.resolver)
    assert mdm.verify().differences == ()


def test_a_record_that_cannot_be_used_is_left_to_the_workers(mdm: Master) -> None:
    take_in(mdm)
    mdm.put("shop", "odd", MARIA)
    query("UPDATE standard_record SET body = jsonb_set(body, '{emails}', '7') WHERE source_key = 'odd'")
    reconcile.reconcile(mdm.resolver, chunk_size=50)
    assert query("SELECT count(*), max(lease_owner) FROM pending_record") == [(1, None)]
    assert query("SELECT count(*) FROM crosswalk WHERE state = 'pending'") == [(1,)]


STEPS = 12  # Of a reconcile of one chunk, and more.


def hooked(step: int, by: Callable[[], object]) -> resolve.Resolver:
    """A resolver to which something happens once, just before it opens its n-th transaction."""
    opened = iter(range(1, 1_000))

    @contextmanager
    def steps() -> Iterator[Session]:
        if next(opened) == step:
            by()
        with db.transaction() as session:
            yield session

    return resolve.Resolver(steps, tasks.project)


def everything() -> tuple[object, ...]:
    return (
        partition(),
        query("SELECT count(*) FROM pending_record"),
        query("SELECT count(*) FROM crosswalk WHERE state = 'pending'"),
    )


@pytest.mark.parametrize("step", range(2, STEPS))
def test_a_key_that_gets_hot_beside_a_reconcile_is_decided_as_without_it(mdm: Master, step: int) -> None:
    """A crowd shares a number with Maria's two records, and one more arrives, online: no pair by that number any more."""
    crowd(mdm, HOT_LIMIT - 2)
    mdm.put("shop", "1", {"phones": ["+34655119427"], "given_name": "Maria", "surname": "Garcia"}, source_updated_at=at(1))
    mdm.put("pos", "A", {"phones": ["+34655119427"], "given_name": "Maria", "surname": "Garcia"}, source_updated_at=at(1))
    mdm.drain()

    def one_more() -> None:
        crowd(mdm, 1, HOT_LIMIT)
        mdm.drain()

    reconcile.reconcile(hooked(step, one_more))
    mdm.drain()
    assert mdm.verify(deep=True).differences == ()
    beside = everything()
    reconcile.reconcile(mdm.resolver)
    assert everything() == beside


@pytest.mark.parametrize("step", range(2, STEPS))
def test_copies_that_come_and_go_beside_a_reconcile_are_joined_as_without_it(
    mdm: Master, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a chain goes, and another says the same again, while all are resolved in bulk under a low limit."""
    low = HotLimits.alike(3)
    monkeypatch.setattr(candidates, "LIMITS", low)
    monkeypatch.setattr(bulk_engine, "find_pairs", partial(find_pairs, limits=low))
    mdm.put_many("shop", [Incoming(f"{n}", MARIA) for n in range(8)])
    mdm.delete("shop", "5")
    mdm.drain()

    def come_and_go() -> None:
        mdm.delete("shop", "2")
        mdm.put("shop", "5", MARIA)
        mdm.drain()

    reconcile.reconcile(hooked(step, come_and_go))
    mdm.drain()
    assert frozenset(("shop", f"{n}") for n in range(8) if n != 2) in partition()
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.parametrize("step", range(2, STEPS))
def test_a_policy_adopted_beside_a_reconcile_ends_it_and_rules(mdm: Master, step: int) -> None:
    """Workers resolve all records under the new set at once; nothing of the old one is written over that."""
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    apart = POLICY.replace("pos: {channel_kind: pos, brand: acme", "pos: {channel_kind: pos, identity_domain: tills, brand: bolt")
    adopted = []

    def adopt() -> None:
        with db.transaction() as session:
            mdm.policy = policy.store(session, policy.parse(apart), "test")
            adopted.append(versions.adopt(session, mdm.policy))
        mdm.drain()

    with suppress(Conflict):
        reconcile.reconcile(hooked(step, adopt))
    if not adopted:  # The reconcile has fewer steps than that.
        adopt()
    assert query("SELECT count(*) FROM pending_record WHERE lease_owner IS NOT NULL") == [(0,)]
    mdm.drain()
    assert golden_of("shop", "1") != golden_of("pos", "A")
    assert mdm.verify(deep=True).differences == ()


def test_a_record_that_cannot_be_renewed_holds_up_nobody(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)
    mdm.put("shop", "odd", {"surname": "Odd"})
    query(
        """UPDATE record_version v SET sealed_payload = '\\x00'::bytea FROM source_record s
           WHERE s.record_id = v.record_id AND s.source_key = 'odd'""",
        role=db.Role.OWNER,
    )
    query("UPDATE standard_record SET standardizer = 'older'")
    reconcile.reconcile(mdm.resolver)
    assert golden_of("shop", "1") == golden_of("pos", "A")
    assert query("SELECT s.source_key, p.reason, p.lease_owner FROM pending_record p JOIN source_record s USING (record_id)") == [
        ("odd", "renewal_failed", None)
    ]


@pytest.mark.parametrize("of_part", [False, True], ids=["everybody", "a part"])
def test_a_portion_that_cannot_be_settled_is_told_as_failed_and_left_to_the_workers(mdm: Master, of_part: bool) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)

    def fail(_session: Session, _evaluations: object) -> None:
        raise MemoryError

    failing = resolve.Resolver(db.transaction, fail)
    done = reconcile_part(failing, Part(("shop",), ()), uuid7()) if of_part else reconcile.reconcile(failing)
    assert (done.failed, done.postponed, done.goldens) == (1 if of_part else 2, 0, 0)
    mdm.drain()
    assert golden_of("shop", "1") == golden_of("pos", "A")
    assert mdm.verify().differences == ()


def test_a_reconcile_that_fails_gives_back_what_it_holds(mdm: Master) -> None:
    take_in(mdm)

    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        reconcile.reconcile(hooked(4, fail))
    assert query("SELECT count(*) FROM pending_record WHERE lease_owner IS NOT NULL") == [(0,)]
    mdm.drain()
    assert mdm.verify().differences == ()
