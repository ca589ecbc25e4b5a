"""A part that is reconciled comes to what reconciling everybody comes to, and leaves whoever has nothing to do with it alone."""

import uuid
from collections.abc import Mapping

import pytest

from kernel import db
from kernel.clock import uuid7
from kernel.errors import Invalid
from mdm import parts, plans, policy, reconcile, versions
from mdm.parts import Part
from mdm.reconcile_part import reconcile_part

from .. import resolution as master
from ..resolution import MARIA, POLICY, Key, Master, contents, empty_records, golden_of, partition, query
from .test_plans import BY_TIME, OTTO
from .test_reconcile import take_in

Of = Mapping[frozenset[Key], bytes]


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def of_source(found: Of, source: str) -> Of:
    return {members: digest for members, digest in found.items() if any(name == source for name, _ in members)}


def do(mdm: Master, *sources: str, brands: tuple[str, ...] = (), load_id: uuid.UUID | None = None, size: int = 500) -> int:
    return reconcile_part(mdm.resolver, Part(sources, brands), load_id or uuid7(), chunk_size=size).goldens


@pytest.mark.parametrize("source", ["crm", "bought"])
def test_a_part_comes_to_what_everybody_comes_to(mdm: Master, source: str) -> None:
    """Nobody was resolved before: whoever belongs to a record of the part is found beyond it."""
    take_in(mdm)
    reconcile.reconcile(mdm.resolver)
    whole, parts_of_all = contents(), partition()
    empty_records()
    take_in(mdm)
    do(mdm, source, size=20)
    assert of_source(contents(), source) == of_source(whole, source)
    assert {one for one in partition() if any(name == source for name, _ in one)} <= parts_of_all
    assert query("SELECT count(*) FROM pending_record JOIN source_record USING (record_id) WHERE source = %s", source) == [(0,)]
    mdm.drain()
    assert (contents(), mdm.verify().differences) == (whole, ())


def test_decisions_that_were_lost_are_made_again_beyond_the_part(mdm: Master) -> None:
    """Of a golden record of three, the decision between the two that are not of the part is gone as well."""
    take_in(mdm)
    reconcile.reconcile(mdm.resolver)
    whole = contents()
    query("UPDATE decision SET superseded_at = now(), superseded_because = 'test' WHERE superseded_at IS NULL")
    do(mdm, "crm")
    known = of_source(whole, "crm")
    assert of_source(contents(), "crm") == known
    members = sorted(next(one for one in known if len(one) > 2 and sum(name == "crm" for name, _ in one) == 1))
    pairs = query(
        """SELECT count(*) FROM decision
           JOIN source_record a ON a.record_id = record_a JOIN source_record b ON b.record_id = record_b
           WHERE superseded_at IS NULL AND a.source || a.source_key = ANY(%s) AND b.source || b.source_key = ANY(%s)""",
        *[[source + key for source, key in members if source != "crm"]] * 2,
    )
    assert pairs[0][0] >= 1


def test_a_new_policy_reaches_the_part_and_not_the_others(mdm: Master) -> None:
    for source, key, data in (("shop", "1", MARIA), ("crm", "1", MARIA), ("pos", "9", OTTO)):
        mdm.put(source, key, data)
    mdm.drain()
    versions_of = "SELECT golden_id, version_set_id FROM golden ORDER BY 1"
    before = dict(query(versions_of))
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.parse(POLICY + BY_TIME), "test"))
    do(mdm, brands=("bolt",))
    after = dict(query(versions_of))
    assert [before[one] == after[one] for one in (golden_of("crm", "1"), golden_of("pos", "9"))] == [False, True]
    assert query("SELECT source FROM pending_record JOIN source_record USING (record_id)") == [("pos",)]


def test_an_attempt_that_was_cut_off_has_its_claims_back_at_once(mdm: Master) -> None:
    load_id = uuid7()
    mdm.put("shop", "1", MARIA)
    query("UPDATE pending_record SET lease_owner = %s, lease_until = now() + interval '1 hour'", str(load_id))
    do(mdm, "shop", load_id=load_id)
    assert query("SELECT count(*) FROM pending_record") == [(0,)]


def test_what_another_holds_is_asked_for_once_more(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    query("UPDATE pending_record SET lease_owner = 'another', lease_until = now() + interval '1 hour'")
    ((before,),) = query("SELECT request_no FROM pending_record")
    do(mdm, "shop")
    ((after, owner),) = query("SELECT request_no, lease_owner FROM pending_record")
    assert (after > before, owner) == (True, "another")


def test_a_plan_of_a_part_looks_at_whoever_hangs_together_with_it(mdm: Master) -> None:
    for source, key, data in (("shop", "1", MARIA), ("crm", "1", MARIA), ("pos", "9", OTTO)):
        mdm.put(source, key, data)
    assert plans.plan(db.transaction, part=Part(("crm",))).causes == {"created": 1}
    mdm.drain()
    found = plans.plan(db.transaction, part=Part(("crm",)))
    assert (found.records, found.goldens, found.changes) == (2, 1, 0)
    assert plans.plan(db.transaction, part=Part(("pos",), ("bolt",))).records == 0


@pytest.mark.parametrize(("part", "code"), [(Part(("nobody",)), "unknown_source"), (Part((), ("none",)), "unknown_brand")])
def test_a_part_that_the_policy_does_not_know_is_refused(mdm: Master, part: Part, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parts.checked(mdm.policy, part)
    assert refused.value.code == code
