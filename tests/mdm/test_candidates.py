"""Candidate pairs from the key index, and what becomes of them when a key gets hot or cools."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kernel import db
from matching.blocking import HOT_LIMIT
from matching.hot_keys import NARROW_HOT_LIMIT
from mdm import candidates, owed, reconcile, resolve, versions
from mdm.incoming import Incoming
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, at, partition, query


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def find(*source_keys: str) -> candidates.Candidates:
    ids = [row[0] for row in query("SELECT record_id FROM crosswalk WHERE source_key = ANY(%s)", list(source_keys))]
    with db.transaction() as session:
        return candidates.find(session, versions.current(session), ids)


def person(n: int) -> dict[str, Any]:
    """Somebody who shares nothing with others but a phone number."""
    return {
        "given_name": f"{chr(97 + n % 26)}{chr(97 + n // 26)}na",
        "surname": f"q{chr(97 + n // 26)}x{chr(97 + n % 26)}z{n}",
        "birth_date": f"{1930 + n % 80}-{1 + n % 12:02}-{1 + n * 7 % 28:02}",
        "phones": ["+34655119427"],
    }


def crowd(mdm: Master, size: int, first: int = 0) -> None:
    """Different people who gave one and the same phone number."""
    mdm.put_many("shop", [Incoming(f"crowd{n}", person(n)) for n in range(first, first + size)])


def test_records_that_share_a_key_are_pairs_with_ids_in_order(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", {"emails": MARIA["emails"]})
    mdm.put("crm", "x", {"given_name": "Otto", "surname": "Becker"})
    found = find("1", "A", "x")
    assert len(found.pairs) == 1
    assert all(a < b for a, b in found.pairs)
    assert found.hot == frozenset()
    assert find("A").pairs == found.pairs


def test_a_key_of_a_hundred_thousand_records_is_hot_at_once_and_nobody_is_left_unsaid(mdm: Master) -> None:
    mdm.put("shop", "1", {"phones": MARIA["phones"]})
    mdm.put("pos", "A", MARIA)
    key = query("SELECT blocking_key FROM blocking_key WHERE rule = 2 LIMIT 1")[0][0]
    query("INSERT INTO blocking_key SELECT %s, gen_random_uuid(), 2 FROM generate_series(1, 100000)", key)
    started = time.monotonic()
    found = find("1", "A")
    assert time.monotonic() - started < 20  # Pairing all of them would take hours.
    assert (found.hot, found.pairs) == (frozenset((key,)), frozenset())
    assert len(found.unreachable) == 1  # The one with nothing but that phone.


def test_a_record_without_any_key_is_counted(mdm: Master) -> None:
    mdm.put("shop", "1", {"language": "es"})
    assert len(find("1").keyless) == 1
    assert mdm.drain().keyless == 1


def test_a_hot_key_yields_nothing_and_its_refined_keys_do(mdm: Master) -> None:
    """No name of the crowd sounds like theirs, so that only the initials refine the phone."""
    crowd(mdm, HOT_LIMIT + 1)
    mdm.put("pos", "A", {"given_name": "axtr", "surname": "qwrtfm", "phones": ["+34655119427"]})
    found = find("A")
    assert len(found.hot) == 1
    initials = query(
        "SELECT count(*) FROM standard_record WHERE body -> 'name' ->> 'given_folded' LIKE 'a%%' AND source = 'shop'"
    )
    assert len(found.pairs) == initials[0][0]


def test_crossing_the_limit_re_queues_the_records_and_drops_what_only_the_hot_key_supported(mdm: Master) -> None:
    crowd(mdm, HOT_LIMIT)
    mdm.drain()
    ((before,),) = query("SELECT count(*) FROM decision WHERE superseded_at IS NULL")
    crowd(mdm, 1, first=HOT_LIMIT)
    mdm.drain()
    ((after,),) = query("SELECT count(*) FROM decision WHERE superseded_at IS NULL")
    assert query("SELECT count(*) FROM hot_key") == [(1,)]
    assert after < before
    assert mdm.verify().differences == ()

    mdm.delete("shop", f"crowd{HOT_LIMIT}")
    mdm.drain()
    assert query("SELECT count(*) FROM hot_key") == [(0,)]
    assert query("SELECT count(*) FROM decision WHERE superseded_at IS NULL") == [(before,)]
    assert mdm.verify().differences == ()


def test_a_key_that_falls_to_the_limit_and_passes_it_again_unswept_is_redone(mdm: Master) -> None:
    """Between two sweeps: the full key yields pairs once more, and then only its refined keys do."""
    crowd(mdm, HOT_LIMIT + 1)
    mdm.drain()
    mdm.put_many("shop", [Incoming(f"crowd{n}", {**person(n), "language": "es"}) for n in range(1, 60)])
    mdm.delete("shop", "crowd0")
    owed.work(mdm.resolver, [row[0] for row in query("SELECT record_id FROM pending_record")])
    assert query("SELECT count(*) FROM hot_key") == [(0,)], "noted without the sweeper"
    crowd(mdm, 1, first=HOT_LIMIT + 1)
    owed.work(mdm.resolver, [row[0] for row in query("SELECT record_id FROM pending_record")])
    mdm.drain()
    assert query("SELECT count(*) FROM hot_key") == [(1,)]
    assert mdm.verify(deep=True).differences == ()


def namesake(n: int) -> dict[str, Any]:
    """One of many of one name, each with a home of their own."""
    return {
        "given_name": "Ludovica",
        "surname": "Brambilla",
        "addresses": [
            {
                "line1": f"Via {chr(97 + n % 26)}{chr(97 + n // 26)}orta {n + 1}",
                "city": f"{chr(97 + n // 26)}rto{chr(97 + n % 26)}no",
            }
        ],
    }


def test_a_key_of_a_narrow_rule_is_hot_beyond_a_lower_limit_on_both_paths(mdm: Master) -> None:
    """So many share both name sounds, and little else: at the limit all are pairs, one more and nobody is."""
    mdm.put_many("shop", [Incoming(f"{n}", namesake(n)) for n in range(NARROW_HOT_LIMIT)])
    ids = [f"{n}" for n in range(NARROW_HOT_LIMIT + 1)]
    full = find(*ids)
    assert (full.hot, len(full.pairs)) == (frozenset(), NARROW_HOT_LIMIT * (NARROW_HOT_LIMIT - 1) // 2)
    mdm.drain()
    assert mdm.verify(deep=True).differences == ()

    mdm.put("shop", f"{NARROW_HOT_LIMIT}", namesake(NARROW_HOT_LIMIT))
    more = find(*ids)
    assert len(more.hot) > 0
    assert len(more.pairs) < len(full.pairs)
    mdm.drain()
    assert {row[0] for row in query("SELECT blocking_key FROM hot_key")} == more.hot
    assert mdm.verify(deep=True).differences == ()
    mdm.delete("shop", "0")
    mdm.drain()
    assert query("SELECT count(*) FROM hot_key") == [(0,)]


def test_two_workers_that_see_one_key_become_hot_both_finish(mdm: Master) -> None:
    crowd(mdm, HOT_LIMIT + 5)
    ids = sorted(row[0] for row in query("SELECT record_id FROM pending_record"))
    start = threading.Barrier(2)

    def work(mine: list[uuid.UUID]) -> resolve.Resolved:
        start.wait()
        return owed.work(resolve.Resolver(db.transaction, tasks.project), mine)

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, [ids[::2], ids[1::2]]))
    assert sum(one.records for one in done) == len(ids)
    mdm.drain()
    assert query("SELECT count(*), count(quarantined_at) FROM pending_record") == [(0, 0)]
    assert mdm.verify().differences == ()


@pytest.mark.parametrize("in_bulk", [False, True])
@pytest.mark.parametrize("holders", [8, HOT_LIMIT + 30])
def test_an_identifier_of_one_person_that_many_hold_merges_nobody(mdm: Master, holders: int, in_bulk: bool) -> None:
    """A staff card, a number typed for everybody: hot, only refined keys pair its holders, so few are in any one component."""
    card = {"identifiers": [{"type": "national_id", "value": "12345678Z"}], "phones": []}
    # Each pair of initials is a few people's: fewer than an identifier may have.
    initials = [
        {"given_name": f"{'abcdefghij'[n % 10]}x{n}y", "surname": f"{'abcdefghij'[n // 10 % 10]}z{n}w"} for n in range(holders)
    ]
    people = [Incoming(f"{n}", {**person(n), **card, **initials[n]}, source_updated_at=at(1)) for n in range(holders)]
    mdm.put_many("shop", people)
    if in_bulk:
        reconcile.reconcile(mdm.resolver)
    else:
        mdm.drain()
    assert len(partition()) == holders
    assert mdm.verify().differences == ()


def test_what_no_candidate_can_be_found_for_is_counted(mdm: Master) -> None:
    mdm.put("shop", "nothing", {"language": "es"})
    mdm.put_many("pos", [Incoming(f"{n}", MARIA) for n in range(HOT_LIMIT + 1)])
    mdm.put("crm", "x", person(1))
    mdm.drain()
    with db.read_only() as session:
        assert candidates.out_of_reach(session) == candidates.OutOfReach(1, HOT_LIMIT + 1, 0)


def test_a_record_that_is_found_by_some_of_its_values_only_is_counted_by_both_paths(mdm: Master) -> None:
    mdm.put("shop", "many", {**person(1), "emails": [f"m{n}@x{n}shop.org" for n in range(40)]})
    mdm.put("shop", "few", person(2))
    assert mdm.drain().partly_filed == 1
    assert reconcile.reconcile(mdm.resolver).partly_filed == 1
    with db.read_only() as session:
        assert candidates.out_of_reach(session) == candidates.OutOfReach(0, 0, 0, 1)
    assert query("SELECT 'emails!too_many_to_file' = ANY(appraisal) FROM standard_record ORDER BY source_key") == [
        (False,),
        (True,),
    ]
    assert mdm.verify(deep=True).differences == ()
