"""Records that an older standardizer or policy made are counted until they are renewed, wherever the renewal was stopped."""

import pytest

from cli.doctor import Finding, State, examine
from kernel import db
from kernel.settings import settings
from mdm import pending, policy, renewal
from mdm.policy import Policy

from .. import resolution as master
from ..resolution import Master, query
from .test_restandardize import AFTER, BEFORE, adopt, load


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
