"""Merges and splits of stored records: what was given, taken back and left behind, on PostgreSQL."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from consent.effective import judge
from consent.entries import Channel, Origin, Query, State, Suppression
from consent.purposes import shipped
from consent.status import Answer
from kernel import clock, db
from kernel.errors import MdmError
from mdm import consent_customers, consent_writing, consents, contact_points, rebuild
from mdm.consent_acts import Act
from mdm.consents import Outcome, Owner
from mdm.differences import Difference, Kind
from mdm.incoming import Incoming
from mdm.reconcile import Choice, Path
from stewardship import settle, tasks
from stewardship.settle import Wish
from stewardship.sides import Side

from ..resolution import MARIA, WHO, Master, at, golden_of, query, start

EMAIL = "maria.garcia@telefonica.net"
POINT = contact_points.read("email", EMAIL)
MARKETING = {"purpose": "marketing", "channel": Channel.EMAIL, "contact": POINT, "origin": Origin.SUBJECT}
GIVEN = {**MARKETING, "state": State.GIVEN, "occurred_at": at(1), "evidence": {"form": "1"}}
SHOP, POS = ("shop", "1"), ("pos", "1")


@pytest.fixture
def master(database: str) -> Master:
    return start()


def act(**said: Any) -> Outcome:
    """Record an act."""
    with db.transaction() as session:
        (outcome,) = consents.record(session, shipped(), [Act(**said)], WHO)
    assert outcome.problem is None
    return outcome


def answers(master: Master, *keys: tuple[str, str]) -> list[str]:
    """What marketing by e-mail is answered for the customers of some records."""
    found = []
    with db.transaction() as session:
        for key in keys:
            golden_id = golden_of(*key)
            assert golden_id is not None
            (customer,) = consent_customers.customers(session, shipped(), [golden_id], clock.now()).values()
            found.append(str(judge(customer, Query("marketing", Channel.EMAIL, "acme"), shipped(), clock.now()).answer))
    return found


def told() -> Sequence[tuple[str, Any]]:
    """The consent events so far: type and what they say."""
    return query(
        """SELECT type, body FROM (SELECT type, body, 0 AS stage, seq AS place FROM event
             UNION ALL SELECT type, body, 1, outbox_id FROM outbox) AS told
           WHERE type LIKE 'consent.%%' ORDER BY stage, place"""
    )


def merged(master: Master) -> None:
    master.put(*SHOP, MARIA)
    master.put(*POS, MARIA)
    master.drain()
    assert golden_of(*SHOP) == golden_of(*POS)


def part(master: Master) -> None:
    """Split the two records by a steward's word."""
    wish = Wish("no_match", Side(records=(SHOP,)), Side(records=(POS,)), "Two people.")
    settle.make(master.resolver, WHO, wish, settle.look(master.resolver, WHO, wish).token)
    master.drain()
    assert golden_of(*SHOP) != golden_of(*POS)


def test_a_consent_of_one_record_goes_with_it(master: Master) -> None:
    merged(master)
    assert act(**GIVEN, record=POS, brand="acme").owner is Owner.RECORD
    assert answers(master, POS) == ["allowed"]
    part(master)
    assert answers(master, POS, SHOP) == ["allowed", "unknown"]


def test_a_consent_of_several_records_is_nobodys_once_they_part(master: Master) -> None:
    merged(master)
    assert act(**GIVEN, golden_id=golden_of(*POS), brand="acme").owner is Owner.GOLDEN
    assert answers(master, POS) == ["allowed"]
    part(master)
    assert answers(master, POS, SHOP) == ["unknown", "unknown"]
    assert query("SELECT count(*) FROM consent_parting") == [(1,)]
    assert [type_ for type_, _ in told()][-2:] == ["consent.changed", "consent.narrowed"]


def part_having_looked_again(master: Master) -> None:
    """Split them as a steward does who is told that something was consented to meanwhile."""
    with pytest.raises(MdmError) as told:
        part(master)
    assert told.value.code == "preview_outdated"
    part(master)


def test_a_consent_is_parted_also_when_it_is_recorded_while_they_part(master: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    merged(master)
    golden_id, append = golden_of(*POS), consent_writing.append
    parts = threading.Thread(target=part_having_looked_again, args=[master])

    def late(session: Any, statements: Any) -> Any:
        """Append what is known already, once somebody has begun to split."""
        parts.start()
        parts.join(1.0)
        return append(session, statements)

    monkeypatch.setattr(consent_writing, "append", late)
    act(**GIVEN, golden_id=golden_id, brand="acme")
    parts.join()
    assert answers(master, POS, SHOP) == ["unknown", "unknown"]
    assert query("SELECT count(*) FROM consent_parting") == [(1,)]


def test_a_parting_that_nobody_noted_is_named_and_noted_by_a_rebuild(master: Master) -> None:
    merged(master)
    act(**GIVEN, golden_id=golden_of(*POS), brand="acme")
    assert master.verify().differences == ()
    part(master)
    assert master.verify().differences == ()
    query("ALTER TABLE consent_parting DISABLE TRIGGER append_only", role=db.Role.OWNER)
    query("DELETE FROM consent_parting", role=db.Role.OWNER)
    query("ALTER TABLE consent_parting ENABLE TRIGGER append_only", role=db.Role.OWNER)
    ((entry_id,),) = query("SELECT entry_id FROM consent_entry")
    missed = Difference(Kind.CONSENT_ENTRY, str(entry_id), "parting_not_noted")
    assert master.verify().differences == (missed,)
    mended = rebuild.rebuild(master.resolver, tasks, Choice(Path.ONLINE, 0), lambda *_: None)
    assert (mended.differed, mended.after.differences) == ((missed,), ())
    assert answers(master, POS, SHOP) == ["unknown", "unknown"]


def test_what_was_parted_stays_so_when_they_meet_again(master: Master) -> None:
    merged(master)
    act(**GIVEN, golden_id=golden_of(*POS), brand="acme")
    part(master)
    query("UPDATE decision SET superseded_at = now(), superseded_because = 'test' WHERE author LIKE 'steward%%'")
    master.put(*SHOP, {**MARIA, "gender": "female"})
    master.drain()
    assert golden_of(*SHOP) == golden_of(*POS)
    assert answers(master, POS) == ["unknown"]


def test_a_withdrawal_about_the_person_goes_to_every_part(master: Master) -> None:
    merged(master)
    act(**GIVEN, record=POS, brand="acme")
    act(**{**GIVEN, "evidence": {"form": "2"}}, record=SHOP, brand="acme")
    act(state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=at(5), record=SHOP, brand="acme")
    assert answers(master, POS) == ["denied"]
    part(master)
    assert answers(master, POS, SHOP) == ["denied", "denied"]


def test_a_withdrawal_before_the_merge_goes_back_with_its_record(master: Master) -> None:
    master.put(*SHOP, MARIA)
    master.drain()
    act(state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=at(5), record=SHOP, brand="acme")
    act(state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=at(5), record=SHOP, brand="acme", purpose="marketing")
    master.put(*POS, MARIA)
    master.drain()
    act(**GIVEN, record=POS, brand="acme")
    assert answers(master, POS) == ["denied"]
    part(master)
    assert answers(master, POS, SHOP) == ["allowed", "denied"]


def test_a_withdrawal_stays_with_whom_a_deleted_record_leaves_behind(master: Master) -> None:
    master.put(*SHOP, MARIA)
    master.drain()
    act(state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=at(5), record=SHOP, brand="acme")
    master.put(*POS, MARIA)
    master.drain()
    act(**GIVEN, record=POS, brand="acme")
    assert answers(master, POS) == ["denied"]
    master.delete(*SHOP)
    master.drain()
    assert answers(master, POS) == ["denied"]


def test_a_suppression_of_a_contact_point_is_for_whoever_holds_it_and_is_lifted_by_name(master: Master) -> None:
    merged(master)
    act(**GIVEN, record=POS, brand="acme")
    bounced = act(state=State.SUPPRESSED, suppression=Suppression.BOUNCE, contact=POINT, channel=Channel.EMAIL)
    assert answers(master, POS) == ["denied"]
    act(state=State.LIFTED, lifts=bounced.entry_id, reason="The mailbox works again.")
    assert answers(master, POS) == ["allowed"]


def test_a_merge_tells_what_it_takes(master: Master) -> None:
    master.put(*SHOP, MARIA)
    master.drain()
    act(**GIVEN, record=SHOP, brand="acme")
    master.put(*POS, {"given_name": "Ann", "surname": "Nobody", "emails": ["ann@example.com"]})
    master.drain()
    act(state=State.WITHDRAWN, origin=Origin.SUBJECT, occurred_at=at(5), record=POS, brand="acme")
    before = len(told())
    master.put(*POS, MARIA)
    master.drain()
    assert golden_of(*SHOP) == golden_of(*POS)
    assert answers(master, POS) == [Answer.DENIED]
    types = [(type_, body["narrowed"], body["because"]) for type_, body in told()[before:]]
    assert types == [("consent.changed", True, "records"), ("consent.narrowed", True, "records")]
    assert EMAIL not in str(told())


def test_the_ledger_refuses_to_be_changed(master: Master) -> None:
    merged(master)
    act(**GIVEN, record=POS, brand="acme")
    for role in (db.Role.ENGINE, db.Role.OWNER):
        for statement in (
            "UPDATE consent_entry SET state = 'refused'",
            "DELETE FROM consent_entry",
            "DELETE FROM consent_anchor",
        ):
            with pytest.raises(Exception, match=r"append-only|permission denied"):
                query(statement, role=role)


def test_a_withdrawal_that_comes_with_a_load_counts_and_is_told_at_once(master: Master) -> None:
    said = {"purpose": "marketing_email", "state": "granted", "at": "2026-03-01T00:00:00Z"}
    master.put(*SHOP, {**MARIA, "consents": [said]})
    master.drain()
    assert answers(master, SHOP) == ["allowed"]
    master.load("shop", Incoming("1", {**MARIA, "consents": [{**said, "state": "withdrawn", "at": "2026-03-02T00:00:00Z"}]}))
    assert answers(master, SHOP) == ["denied"]  # Before anything is resolved.
    assert [type_ for type_, _ in told()] == ["consent.changed", "consent.narrowed"]
    found = query(
        "SELECT type, load_id IS NULL FROM outbox WHERE type LIKE 'consent.%%' OR type = 'record.received' ORDER BY outbox_id"
    )
    assert found[-3:] == [("record.received", False), ("consent.changed", True), ("consent.narrowed", True)]


def test_words_that_nobody_knows_permit_nothing_and_are_told(master: Master) -> None:
    outcome = master.put(*SHOP, {**MARIA, "consents": [{"purpose": "world peace", "state": "granted"},
                                                       {"purpose": "marketing_email", "state": "perhaps"}]})  # fmt: skip
    assert [one.code for one in outcome.notes] == ["consent_purpose_unknown", "consent_state_unknown"]
    master.drain()
    assert answers(master, SHOP) == ["unknown"]
    assert query("SELECT count(*) FROM consent_entry") == [(0,)]
