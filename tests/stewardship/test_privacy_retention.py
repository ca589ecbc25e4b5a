"""What a source deleted is let go of when its time is over: nothing of it is left, and everything else is as before."""

from datetime import timedelta

import pytest

from consent.entries import Origin, State
from kernel import actor, db
from stewardship import privacy_requests, privacy_retention
from stewardship.privacy_requests import Wish

from ..mdm.test_consent_changes import GIVEN, act, answers
from ..resolution import MARIA, POLICY, Master, at, golden_of, query, start
from .test_privacy_erasure import OTTO
from .test_privacy_values import held

KEPT = POLICY.replace("trust: 0.6}", "trust: 0.6, deleted_kept_days: 30}")


@pytest.fixture
def mdm(database: str) -> Master:
    made = start(KEPT)
    for source in ("pos", "shop"):
        made.put(source, "gone", MARIA | {"given_name": "Quxavela"})
        made.put(source, "here", MARIA)
    made.drain()
    for source in ("pos", "shop"):
        made.delete(source, "gone")
    made.drain()
    return made


def later(days: int) -> None:
    query("UPDATE source_record SET received_at = received_at - %s WHERE is_deleted", timedelta(days=days))


def due() -> dict[str, int]:
    with db.read_only() as session:
        return privacy_retention.due(session)


def test_only_what_is_deleted_and_old_goes(mdm: Master) -> None:
    golden_id = golden_of("pos", "here")
    assert due() == {}
    assert privacy_retention.run(db.transaction) == 0
    later(31)
    assert due() == {"pos": 1}
    assert privacy_retention.run(db.transaction) == 1
    mdm.drain()
    assert due() == {}
    assert golden_of("pos", "here") == golden_id
    assert query("SELECT source FROM record_data_key JOIN source_record USING (record_id) WHERE is_deleted") == [("shop",)]
    assert query("SELECT count(*) FROM source_record WHERE source = 'pos' AND source_key = 'gone'") == [(0,)]
    assert mdm.verify(deep=True).differences == ()
    assert mdm.put("pos", "gone", MARIA).status == "created"


@pytest.fixture
def unheard(database: str) -> Master:
    """Maria of the shop and the till, and Otto of the shop; the shop keeps nobody of whom nothing was heard for 30 days."""
    made = start(POLICY.replace("trust: 0.7}", "trust: 0.7, kept_days: 30}"))
    made.put("shop", "maria", MARIA | {"emails": [*MARIA["emails"], "quxavela@telefonica.net"], "phones": ["+34655872319"]})
    made.put("pos", "maria", MARIA)
    made.put("shop", "otto", OTTO)
    made.put("shop", "gone", MARIA | {"surname": "Quxabel"})
    made.drain()
    made.delete("shop", "gone")
    made.drain()
    return made


def unheard_for(days: int, where: str = "true") -> None:
    query(f"UPDATE source_record SET received_at = received_at - %s WHERE {where}", timedelta(days=days))


def named(source: str, key: str) -> bool:
    return bool(query("SELECT FROM crosswalk WHERE source = %s AND source_key = %s", source, key))


def test_records_of_whom_nothing_was_heard_go_with_all_that_they_said(unheard: Master) -> None:
    maria, otto = golden_of("pos", "maria"), golden_of("shop", "otto")
    assert maria == golden_of("shop", "maria")
    assert due() == {}
    unheard_for(31)
    moved = unheard.verify(deep=True).differences
    assert due() == {"shop": 3}
    assert privacy_retention.run(db.transaction) == 3
    unheard.drain()
    assert (due(), privacy_retention.run(db.transaction)) == ({}, 0)
    assert (golden_of("pos", "maria"), named("shop", "otto")) == (maria, False)
    for text in ("quxavela", "Quxabel", "655872319", "Becker", "otto.becker"):
        assert held(text) == set()
    assert query("SELECT status FROM golden WHERE golden_id = %s", otto) == [("ended",)]
    assert set(unheard.verify(deep=True).differences) <= set(moved), "but for what the test itself moved"
    assert unheard.put("shop", "otto", OTTO).status == "created"
    unheard.drain()
    assert due() == {}


def test_whoever_was_heard_of_by_any_record_keeps_them_all(unheard: Master) -> None:
    unheard_for(31, "source = 'shop' AND source_key <> 'gone'")
    assert due() == {"shop": 1}
    assert privacy_retention.run(db.transaction) == 1
    unheard.drain()
    assert golden_of("shop", "maria") == golden_of("pos", "maria")
    assert not named("shop", "otto")


def test_what_was_withdrawn_by_a_record_that_goes_stays_withdrawn(unheard: Master) -> None:
    act(state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=at(5), record=("shop", "maria"), brand="acme")
    act(**GIVEN, record=("pos", "maria"), brand="acme")
    assert answers(unheard, ("pos", "maria")) == ["denied"]
    unheard_for(31)
    privacy_retention.run(db.transaction)
    assert answers(unheard, ("pos", "maria")) == ["denied"]
    unheard.drain()
    assert answers(unheard, ("pos", "maria")) == ["denied"]


@pytest.mark.parametrize("kind", ["erasure", "restriction"])
def test_what_somebody_asked_about_is_kept_until_that_is_over(mdm: Master, kind: str) -> None:
    """A legal hold of a request bars its erasure: a rule of retention must not do the same by night."""
    lived = """SELECT v.golden_id FROM crosswalk_version v JOIN source_record r USING (record_id)
               WHERE r.source = 'pos' AND r.source_key = 'gone' AND v.golden_id IS NOT NULL"""
    clerk, ((golden_id,), *_) = actor.local("clerk"), query(lived)
    later(31)
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, clerk, Wish(kind, golden_id))
        privacy_requests.identify(session, clerk, request_id, "passed", "id_document")
        privacy_requests.hold(session, clerk, request_id, "legal_claim")
    assert due() == {}
    assert privacy_retention.run(db.transaction) == 0
    with db.transaction() as session:
        if kind == "erasure":
            privacy_requests.refuse(session, clerk, request_id, "withdrawn_by_person")
        else:
            asked = {one: True for one in privacy_requests.find(session, request_id).unanswered}
            privacy_requests.answer(session, clerk, request_id, asked)
            privacy_requests.complete(session, clerk, request_id)
    assert due() == ({"pos": 1} if kind == "erasure" else {})
    if kind == "restriction":
        with db.transaction() as session:
            privacy_requests.lift(session, clerk, request_id)
    assert privacy_retention.run(db.transaction) == 1
