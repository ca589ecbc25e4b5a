"""Records that an older program or policy made are counted until they are renewed, wherever the renewal was stopped."""

from types import ModuleType

import pytest

from cli.doctor import examine
from cli.findings import Finding, State
from kernel import db
from kernel.settings import settings
from matching import blocking, decide, standardize
from mdm import pending, policy, reconcile, renewal, versions
from mdm.policy import Policy

from .. import resolution as master
from ..resolution import Master, at, query
from .test_restandardize import AFTER, BEFORE, PEOPLE, adopt, load


def stale(ruling: Policy) -> int:
    with db.read_only(db.Role.APP, db.Scope(brands=("nobody's",))) as session:  # A count for all, whoever searches.
        return renewal.stale(session, ruling)


def told() -> Finding:
    return next(one for one in examine(settings().model_copy(update={"port": 0})) if one.what == "renewal")


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start(BEFORE)
    load(made)
    return made


def test_every_record_counts_until_it_is_renewed_and_the_work_goes_on_where_it_stopped(mdm: Master) -> None:
    assert stale(mdm.policy) == 0
    assert told().state is State.GOOD
    after = adopt(AFTER)
    assert stale(after) == 4
    assert "4 records not yet renewed" in told().seen
    with db.transaction() as session:
        [claim, *_] = pending.claim_next(session, "first", 1)
    mdm.resolver.resolve([claim], "first")  # And no more: as if stopped here.
    assert stale(after) == 3
    mdm.drain()
    assert (stale(after), told().state) == (0, State.GOOD)


def test_another_standardizer_makes_stale_as_another_policy_does(mdm: Master) -> None:
    query("UPDATE standard_record SET standardizer = '0' WHERE source = 'shop'")
    assert stale(mdm.policy) == 2
    query("UPDATE standard_record SET standardizer = '~' WHERE source = 'shop'")
    assert stale(mdm.policy) == 2


@pytest.mark.parametrize("path", ["online", "bulk"])
@pytest.mark.parametrize(("module", "name"), [(standardize, "STANDARDIZER_VERSION"), (blocking, "BLOCKING_VERSION")])
def test_a_new_standardizer_or_blocking_alone_renews_records_and_keys(
    mdm: Master, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, path: str
) -> None:
    was = query("SELECT count(*), sum(rule) FROM blocking_key")
    query("UPDATE blocking_key SET blocking_key = -blocking_key, rule = 99")  # As another set of rules would have filed them.
    monkeypatch.setattr(module, name, "7")
    assert stale(mdm.policy) == 4
    assert "none is pending" in told().seen
    with db.transaction() as session:
        current = versions.adopt(session)  # What `mdm up` does.
    assert [current.standardizer, current.blocking].count("7") == 1
    assert query("SELECT count(*) FROM pending_record") == [(4,)]
    if path == "online":
        mdm.drain()
    else:
        reconcile.reconcile(mdm.resolver)
    assert query("SELECT DISTINCT standardizer FROM standard_record") == [(f"{current.standardizer}+{current.blocking}",)]
    assert query("SELECT count(*), sum(rule) FROM blocking_key") == was
    assert (stale(mdm.policy), told().state) == (0, State.GOOD)
    assert mdm.verify(deep=True).differences == ()


def test_other_rules_of_verdicts_resolve_everybody_anew_and_make_no_record_stale(
    mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    mdm.drain()
    made = query("SELECT record_id, standardizer, body::text FROM standard_record ORDER BY 1")
    monkeypatch.setattr(decide, "RULES_VERSION", "7")
    with db.transaction() as session:
        current = versions.adopt(session)
    assert current.rules.startswith("7+")
    assert (stale(mdm.policy), query("SELECT count(*) FROM pending_record")) == (0, [(4,)])
    mdm.drain()
    assert query("SELECT DISTINCT version_set_id FROM golden") == [(current.version_set_id,)]
    assert query("SELECT record_id, standardizer, body::text FROM standard_record ORDER BY 1") == made


def test_a_record_that_comes_again_unchanged_is_filed_by_the_new_rules(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "BLOCKING_VERSION", "7")
    query("UPDATE blocking_key SET rule = 99")
    query("DELETE FROM blocking_key WHERE record_id IN (SELECT record_id FROM standard_record WHERE source_key = 'a')")
    mdm.put("crm", "a", PEOPLE["a"], source_updated_at=at(1))
    assert query("SELECT source_key FROM standard_record WHERE standardizer LIKE '%%+7'") == [("a",)]
    assert query("SELECT count(*) > 0 FROM blocking_key WHERE rule < 99") == [(True,)]


def test_records_of_a_source_that_nobody_names_are_not_waited_for(mdm: Master) -> None:
    after = adopt(AFTER.replace("shop:", "store:"))
    mdm.drain()
    assert query("SELECT count(*) FROM standard_record WHERE policy_version < %s", after.version) == [(2,)]
    assert stale(after) == 0


def test_what_nothing_will_renew_is_told_apart(mdm: Master) -> None:
    query("UPDATE standard_record SET policy_version = 0")
    found = told()
    assert "none is pending" in found.seen
    assert found.mend.startswith("mdm reconcile")


def test_the_count_is_bounded(mdm: Master) -> None:
    with db.transaction() as session:
        after = policy.store(session, policy.parse(AFTER), "test")
        assert renewal.stale(session, after, 3) == 3


REFUSING = BEFORE.replace("given_name: first, emails: [mail], extras", "given_name: nick, emails: [mail], extras")


def refused(ruling: Policy) -> int:
    with db.read_only(db.Role.APP, db.Scope(brands=("nobody's",))) as session:
        return renewal.refused(session, ruling)


@pytest.mark.parametrize("path", ["online", "bulk"])
def test_what_the_policy_in_force_refuses_is_told_apart_with_its_reason_and_is_not_waited_for(mdm: Master, path: str) -> None:
    mdm.put("shop", "c", {"first": "Ada", "last": "Byron", "mail": "ada@byron.co.uk", "nick": {"is": "an object"}})
    mdm.drain()
    before = query("SELECT body FROM standard_record WHERE source_key = 'c'")
    after = adopt(REFUSING)
    assert (stale(after), refused(after)) == (5, 0)
    if path == "online":
        mdm.drain()
    else:
        reconcile.reconcile(mdm.resolver)
    assert (stale(after), refused(after)) == (0, 1)
    with db.read_only() as session:
        [one] = renewal.refused_of(session, after, "shop", 10)
    assert (one.source_key, one.code, one.field) == ("c", "wrong_type", "given_name")
    assert query("SELECT body FROM standard_record WHERE source_key = 'c'") == before
    assert (told().state, told().seen) == (State.ODD, "1 record refused by the policy in force; searches may miss them")
    assert mdm.verify(deep=True).differences == ()


def test_a_refusal_ends_with_another_policy_another_payload_or_the_record(mdm: Master) -> None:
    said = {"first": "Ada", "last": "Byron", "mail": "ada@byron.co.uk"}
    for key in "cde":
        mdm.put("shop", key, {**said, "nick": {"is": "an object"}})
    mdm.drain()
    mdm.policy = adopt(REFUSING)
    mdm.drain()
    assert refused(mdm.policy) == 3
    mdm.put("shop", "c", said)
    mdm.delete("shop", "d")
    mdm.drain()
    assert (stale(mdm.policy), refused(mdm.policy)) == (0, 1)
    again = adopt(BEFORE)  # The very policy that the record stands by.
    assert stale(again) > 0
    mdm.drain()
    assert (stale(again), refused(again)) == (0, 0)
    assert query("SELECT count(*) FROM standard_record WHERE refusal IS NOT NULL") == [(0,)]
    assert mdm.verify(deep=True).differences == ()


def test_a_refusal_by_a_policy_that_no_longer_rules_is_tried_again(mdm: Master) -> None:
    mdm.put("shop", "c", {"first": "Ada", "nick": {"is": "an object"}})
    mdm.drain()
    adopt(REFUSING)
    mdm.drain()
    later = adopt(REFUSING.replace("kind: text", "kind: category"))
    assert (stale(later), refused(later)) == (5, 0)
    mdm.drain()
    assert (stale(later), refused(later)) == (0, 1)
