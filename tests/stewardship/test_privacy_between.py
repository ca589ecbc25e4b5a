"""What happens while an erasure is on its way: deliveries and consents that come between its confirmation and the removal."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from consent.entries import Channel, Origin, State
from consent.purposes import shipped
from kernel import actor, approvals, db, jobs
from mdm import chunks, consents, contact_points, ingest, pending, suppression
from mdm.consent_acts import Act
from mdm.consents import Outcome
from mdm.incoming import Incoming
from stewardship import privacy_confirming, privacy_erasure

from ..resolution import MARIA, WHO, Master, golden_of, query
from .test_privacy_crashes import confirmed
from .test_privacy_erasure import erase, records_of, with_people

ALONE: dict[str, Any] = {"emails": MARIA["emails"]}
HUSBAND: dict[str, Any] = {"given_name": "Carlos", "surname": "Ruiz Vega", "birth_date": "1980-01-05", "emails": MARIA["emails"]}
EMAIL = contact_points.read("email", MARIA["emails"][0])
GIVEN = Act(
    State.GIVEN, "marketing", Channel.EMAIL, "acme", contact=EMAIL, origin=Origin.SUBJECT, evidence={"form": "newsletter"}
)  # fmt: skip


@pytest.fixture
def mdm(database: str) -> Master:
    return with_people()


def carry_out() -> None:
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "test", [privacy_confirming.KIND])
    assert claim is not None
    chunks.take(db.transaction, privacy_confirming.CHUNKS, claim)


def living() -> set[str]:
    """The keys of the records that are not deleted."""
    return {row[0] for row in query("SELECT source_key FROM source_record WHERE NOT is_deleted")}


@pytest.mark.parametrize("is_resolved", [False, True])
def test_what_is_delivered_after_the_confirmation_is_erased_as_well(mdm: Master, is_resolved: bool) -> None:
    """Of the bought brand, of which nothing joins anybody unasked."""
    source = "bought"
    maria = golden_of("shop", "m1")
    confirmed(maria)
    assert mdm.put(source, "late", ALONE).status == "created"
    assert mdm.put("crm", "husband", HUSBAND).status == "created"
    if is_resolved:
        mdm.drain()
        assert golden_of(source, "late") != maria
    own = golden_of(source, "late")
    carry_out()
    mdm.drain()
    assert living() == {"o1", "husband"}
    assert query("SELECT state FROM privacy_request") == [("done",)]
    assert [row[0] for row in query("SELECT status FROM golden WHERE golden_id = %s", own)] == ["erased"] * is_resolved
    assert mdm.put(source, "late", ALONE).problem is not None
    assert mdm.verify(deep=True).differences == ()


def test_a_record_from_before_stays_that_somebody_looked_at(mdm: Master) -> None:
    mdm.put("staff", "before", ALONE)
    mdm.drain()
    maria = golden_of("shop", "m1")
    assert golden_of("staff", "before") != maria
    confirmed(maria)
    carry_out()
    assert living() == {"o1", "before"}


@contextmanager
def beside(*act: Any) -> Iterator[threading.Thread]:
    """Do something in another thread, which waits for this one."""
    thread = threading.Thread(target=act[0], args=act[1:])
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    yield thread
    thread.join(30)
    assert not thread.is_alive()


def test_a_delivery_that_is_being_stored_while_the_erasure_removes_is_taken(mdm: Master) -> None:
    """The erasure has noted whom it erases, and waits for a delivery that nobody sees yet."""
    entry = privacy_erasure.begin(db.transaction, uuid.uuid4(), records_of(golden_of("shop", "m1")))
    storing, go_on = threading.Event(), threading.Event()

    def deliver() -> None:
        with db.transaction() as session:
            ingest.put_records(session, mdm.policy, "crm", [Incoming("late", ALONE)], WHO, pending.INTERACTIVE_PRIORITY)
            storing.set()
            go_on.wait(30)

    delivering = threading.Thread(target=deliver)
    delivering.start()
    assert storing.wait(30)
    with beside(privacy_erasure.end, mdm.resolver, entry):
        go_on.set()
        delivering.join(30)
    mdm.drain()
    assert living() == {"o1"}
    with db.transaction() as session:
        assert suppression.tally(session) == [("crm", "contact", 1)]
    assert mdm.verify(deep=True).differences == ()


@pytest.mark.parametrize("named", ["record", "golden_id", "contact_point"])
def test_an_act_that_waits_behind_an_erasure_is_refused_and_counted(mdm: Master, named: str) -> None:
    maria = golden_of("shop", "m1")
    subjects: dict[str, dict[str, Any]] = {"record": {"record": ("shop", "m1")}, "golden_id": {"golden_id": maria}}
    said = Act(**{**{name: getattr(GIVEN, name) for name in GIVEN.__slots__}, **subjects.get(named, {})})
    outcomes: list[Outcome] = []

    def act() -> None:
        with db.transaction(db.Role.APP, db.Scope()) as session:
            outcomes.extend(consents.record(session, shipped(), [said], WHO))

    entry = privacy_erasure.begin(db.transaction, uuid.uuid4(), records_of(maria))
    with db.transaction() as session:
        privacy_erasure.remove(session, entry)
        waiting = threading.Thread(target=act)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(30)
    assert [(one.status, one.problem.code if one.problem else None) for one in outcomes] == [("rejected", "erased_person")]
    assert query("SELECT count(*) FROM consent_entry") == query("SELECT count(*) FROM consent_detail") == [(0,)]
    with db.transaction() as session:
        assert sum(number for _, _, number in suppression.tally(session)) == 1


def test_a_withdrawal_for_an_erased_contact_point_is_kept_without_it(mdm: Master) -> None:
    """Somebody else may come to hold the address."""
    erase(mdm, golden_of("shop", "m1"))
    said = Act(State.WITHDRAWN, "marketing", Channel.EMAIL, contact=EMAIL, evidence={"mail": "maria"}, reason="Maria said so.")
    with db.transaction() as session:
        (outcome,) = consents.record(session, shipped(), [said], WHO)
    assert outcome.status == "created"
    assert query("SELECT count(*) FROM consent_detail") == [(0,)]


def test_what_a_second_person_wrote_of_somebody_is_erased_and_of_others_stays(mdm: Master) -> None:
    maria, otto = golden_of("shop", "m1"), golden_of("crm", "o1")
    reasons = {
        "about her": ({"golden_ids": [str(maria)]}, "She asked for it."),
        "names her": ({"golden_ids": []}, "As Maria García Lopez wrote from maria.garcia@telefonica.net"),
        "about him": ({"golden_ids": [str(otto)]}, "He asked for it."),
    }
    for kind, (about, reason) in reasons.items():
        with db.transaction() as session:
            asked = approvals.second(session, kind, kind, "user:ana", about)
            assert asked is not None
            approvals.decide(session, asked.approval_id, actor.local("test").actor, approvals.REJECTED, reason)
    gone = erase(mdm, maria)
    assert gone["approvals"] == 2
    assert dict(query("SELECT kind, reason FROM approval")) == {
        "about her": None,
        "names her": None,
        "about him": "He asked for it.",
    }
