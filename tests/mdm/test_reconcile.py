"""The bulk path comes to exactly what the online path comes to."""

import pytest

from mdm import pending, reconcile
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import MARIA, Master, empty_records, query
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
