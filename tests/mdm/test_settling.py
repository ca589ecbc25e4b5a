"""Everybody is settled once, in portions that hang together, and helpers come to what one process comes to."""

import uuid

import pytest

from kernel import db
from matching.evidence import Weigher
from mdm import pending, reconcile, versions
from mdm.evidence import form_key
from mdm.foreknown import Foreknown
from mdm.records import Pair
from mdm.resolve import Batch
from mdm.settling import helpers, portions, settle_all, together

from .. import resolution as master
from ..resolution import Master, query
from .test_reconcile import take_in
from .test_resolve import outcome

IDS = [uuid.UUID(int=number) for number in range(1, 10)]


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def test_what_pairs_or_a_golden_id_connect_stands_together() -> None:
    golden = uuid.UUID(int=99)
    golden_ids = [None, golden, None, None, None, golden, None, None, None]
    pairs: list[Pair] = [(IDS[3], IDS[8]), (IDS[0], IDS[3]), (IDS[2], uuid.UUID(int=77))]
    groups = together(IDS, golden_ids, pairs)
    assert [[IDS.index(one) for one in group] for group in groups] == [[3, 8, 0], [1, 5], [2], [4], [6], [7]]


def test_within_a_group_the_nearest_stand_side_by_side() -> None:
    pairs: list[Pair] = [(IDS[0], IDS[6]), (IDS[3], IDS[1]), (IDS[6], IDS[8]), (IDS[1], IDS[0])]
    groups = together(IDS, [None] * 9, pairs)
    assert [[IDS.index(one) for one in group] for group in groups] == [[0, 6, 8, 3, 1], [2], [4], [5], [7]]


def test_portions_hold_whole_groups_and_nobody_twice() -> None:
    done: set[uuid.UUID] = set()
    given = portions([IDS[:2], IDS[2:4], IDS[4:9]], done, 3)
    assert next(given) == IDS[:2]
    done.add(IDS[4])
    assert list(given) == [IDS[2:4], IDS[5:8], IDS[8:9]], "a group larger than a portion is cut"


def test_helpers_come_to_what_one_process_comes_to(mdm: Master) -> None:
    take_in(mdm)
    choice = reconcile.Choice(reconcile.Path.BULK, 0, processes=2)
    resolved = reconcile.reconcile(mdm.resolver, chunk_size=20, choice=choice)
    came_to = outcome()
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert query("SELECT count(*) FROM crosswalk WHERE state = 'pending'") == [(0,)]
    assert mdm.verify().differences == ()
    alone = reconcile.reconcile(mdm.resolver, chunk_size=20)
    assert (outcome(), alone.goldens) == (came_to, 0)
    assert resolved.goldens == len(came_to[0])  # type: ignore[arg-type]  # A partition.


def test_what_came_along_without_its_claim_is_settled_by_the_leader(mdm: Master) -> None:
    """Nobody guessed that they hang together: the helper that meets a record of another portion holds no claim on it."""
    take_in(mdm)
    with db.transaction() as session:
        of = versions.adopt(session)
        taken = pending.claim_next(session, "leader", 10_000, 60.0)
    batch = Batch(mdm.resolver, of, {claim.record_id: claim for claim in taken}, "leader", 60.0)
    reconcile._decide_all(batch, reconcile.Choice(reconcile.Path.BULK, 0))
    done: list[tuple[int, int]] = []
    with helpers(batch, 2) as crew:
        settle_all(batch, Foreknown(), lambda *told: done.append(told), 1, crew)
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert query("SELECT count(*) FROM crosswalk WHERE state = 'pending'") == [(0,)]
    assert not batch.claims
    assert done[-1] == (len(taken), len(taken))
    assert mdm.verify().differences == ()


def test_what_is_known_of_a_pair_is_what_would_be_weighed(mdm: Master) -> None:
    """The weight that the bulk engine summed, and what was decided by it, stand for what settling would weigh again."""
    take_in(mdm)
    with db.transaction() as session:
        of = versions.adopt(session)
    _, known = reconcile._decide_all(Batch(mdm.resolver, of, {}, "leader", 60.0), reconcile.Choice(reconcile.Path.BULK, 0))
    forms = {form_key(of, record): record.form for record in known.records.values()}
    pairs = known.about(known.records)
    for pair, evidence in pairs:
        weigher = Weigher(of.model, of.identifier_rules, of.lines.most_holders)
        assert weigher.weights({key: forms[key] for key in pair}, {pair[0]} & {pair[1]}) == {pair: evidence}
    assert len(pairs) == len(known.pairs) > len(known.records) / 4
