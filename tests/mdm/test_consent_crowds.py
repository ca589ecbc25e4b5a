"""A contact point that a crowd holds: denied to all of them at once, told to each of them once, and nobody's by itself."""

import uuid
from collections import Counter
from typing import Any

import pytest

from bench import crowd
from consent.entries import Channel, State
from consent.purposes import shipped
from kernel import clock, db, jobs
from mdm import chunks, consent_checks, consent_crowds, consents, contact_points, policy, versions
from mdm.consent_acts import Act
from mdm.consent_checks import Check
from mdm.consent_customers import MOST_HOLDERS
from mdm.consents import Owner
from mdm.contact_points import ContactPoint

from ..resolution import query

PHONE = contact_points.read("phone", "+34655872310")
HOLDERS = MOST_HOLDERS + consent_crowds.PAGE + 1  # More than one page of them.


@pytest.fixture
def holders(database: str) -> list[uuid.UUID]:
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.default(), "test"))
    return crowd.fill(HOLDERS, phone(), HOLDERS + 1)


def phone() -> ContactPoint:
    assert PHONE is not None
    return PHONE


def answers(*checks: Check) -> list[tuple[str, str]]:
    with db.read_only(db.Role.APP, crowd.CALLER.scope) as session:
        found = consent_checks.check_in(session, shipped(), checks, clock.now())
    return [(str(one.ruling.answer), str(one.ruling.reason)) for one in found]


def of(*golden_ids: uuid.UUID) -> list[tuple[str, str]]:
    return answers(*(Check("marketing", Channel.SMS, "main", one) for one in golden_ids))


def told() -> Counter[tuple[str, uuid.UUID]]:
    """How often each golden record was told of by each type of event."""
    return Counter(
        (type_, subject) for type_, subject in query("SELECT type, subject_id FROM outbox WHERE type LIKE 'consent.%%'")
    )


def test_a_withdrawal_denies_a_crowds_phone_to_all_at_once_and_a_job_tells_each_holder_once(holders: list[uuid.UUID]) -> None:
    assert set(of(*holders)) == {("allowed", "given")}
    assert crowd.record(crowd.act(State.WITHDRAWN, phone(), holders[7])).owner is Owner.RECORD
    assert set(of(*holders)) == {("denied", "withdrawn")}
    assert told() == Counter()
    crowd.record(crowd.act(State.REFUSED, phone(), holders[-1]))
    assert query("SELECT count(*) FROM job WHERE kind = 'consent_crowd'") == [(1,)], "what comes while a job waits is told by it"
    assert crowd.tell() == 1
    assert told() == Counter({(type_, one): 1 for one in holders for type_ in ("consent.changed", "consent.narrowed")})
    ((state, result),) = query("SELECT state, result FROM job")
    assert (state, result) == ("finished", {"golden_records": HOLDERS, "changed": HOLDERS})


def test_what_changes_nothing_any_more_is_told_to_nobody(holders: list[uuid.UUID]) -> None:
    crowd.record(crowd.act(State.WITHDRAWN, phone(), holders[0]))
    crowd.tell()
    before = told()
    crowd.record(crowd.act(State.WITHDRAWN, phone(), holders[1]))
    assert crowd.tell() == 1, "a job that was begun tells nothing of what comes after"
    assert told() == before
    assert query("SELECT result ->> 'changed' FROM job ORDER BY created_at DESC LIMIT 1") == [("0",)]


def test_what_comes_while_a_job_works_is_told_by_another(holders: list[uuid.UUID]) -> None:
    crowd.record(crowd.act(State.WITHDRAWN, phone(), holders[0]))
    with db.transaction() as session:
        claim = jobs.claim_chunk(session, "works", [consent_crowds.KIND])
    assert claim is not None
    crowd.record(crowd.act(State.REFUSED, phone(), holders[1]))
    assert query("SELECT count(*) FROM job WHERE kind = 'consent_crowd'") == [(2,)]
    chunks.take(db.transaction, consent_crowds.CHUNKS, claim)
    assert crowd.tell() == 1
    assert query("SELECT count(*) FROM job WHERE state = 'finished'") == [(2,)]


def test_a_worker_that_dies_half_way_is_followed_by_one_that_goes_on(
    holders: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd.record(crowd.act(State.WITHDRAWN, phone(), holders[0]))
    pages, real = iter(range(2)), consent_crowds.consent_changes.said_against

    def dies(*arguments: Any) -> Any:
        """Do the first page, and no more."""
        if next(pages) == 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(consent_crowds.consent_changes, "said_against", dies)
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "dies", [consent_crowds.KIND])
        assert claim is not None
        with pytest.raises(KeyboardInterrupt):
            chunks.take(db.transaction, consent_crowds.CHUNKS, claim)
    assert 0 < len(told()) < 2 * HOLDERS
    query("UPDATE job_chunk SET lease_until = now() - interval '1 second'")
    assert crowd.tell() == 1
    assert told() == Counter({(type_, one): 1 for one in holders for type_ in ("consent.changed", "consent.narrowed")})


def test_a_crowds_phone_alone_is_nobodys(holders: list[uuid.UUID]) -> None:
    alone = Check("marketing", Channel.SMS, "main", contact=phone())
    assert answers(alone) == [("unknown", "held_by_many")]
    given = crowd.record(crowd.act(State.GIVEN, phone()))
    assert (given.owner, given.notes) == (Owner.UNCLEAR, ())
    assert query("SELECT count(*) FROM consent_anchor WHERE entry_id = %s", given.entry_id) == [(0,)]
    assert answers(alone) == [("unknown", "held_by_many")]
    assert crowd.record(crowd.act(State.WITHDRAWN, phone())).owner is Owner.UNCLEAR
    assert answers(alone) == [("denied", "withdrawn")]
    assert set(of(*holders)) == {("denied", "withdrawn")}


def test_a_channel_that_reaches_a_person_needs_to_know_whom(holders: list[uuid.UUID]) -> None:
    with db.transaction(db.Role.APP, crowd.CALLER.scope) as session:
        said = Act(State.WITHDRAWN, "marketing", Channel.POST, "main", contact=phone())
        (outcome,) = consents.record(session, shipped(), [said], crowd.CALLER)
    assert outcome.problem is not None
    assert outcome.problem.code == "held_by_many"
