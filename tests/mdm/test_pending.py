"""The ledger of what resolution owes: asked for, rung, claimed, finished, given back, failed, swept."""

import uuid

import pytest

from kernel import db
from mdm import pending

from .. import resolution as master
from ..resolution import Master, query

OWNER = "worker-1"


@pytest.fixture
def ids(database: str) -> list[uuid.UUID]:
    """Five records that nothing is owed for yet."""
    mdm: Master = master.start()
    found = [mdm.put("shop", str(number), {"surname": f"Nr {number}"}).record_id for number in range(5)]
    query("DELETE FROM pending_record")
    return [one for one in found if one]


def request(ids: list[uuid.UUID], priority: int = pending.BULK_PRIORITY, fresh: bool = True) -> None:
    with db.transaction() as session:
        pending.request(session, ids, "test", priority, fresh)


def claim(ids: list[uuid.UUID], owner: str = OWNER, seconds: float = 30.0) -> list[pending.Claim]:
    with db.transaction() as session:
        return pending.claim(session, ids, owner, seconds)


def finish(claims: list[pending.Claim], owner: str = OWNER) -> dict[uuid.UUID, str]:
    with db.transaction() as session:
        return pending.finish(session, claims, owner)


def test_a_claim_excludes_others_until_it_is_finished(ids: list[uuid.UUID]) -> None:
    request(ids)
    claims = claim(ids)
    assert {one.record_id for one in claims} == set(ids)
    assert claim(ids, "worker-2") == []
    assert finish(claims) == dict.fromkeys(ids, "test")  # Why each was asked for.
    assert query("SELECT count(*) FROM pending_record") == [(0,)]


def test_a_row_locked_by_another_transaction_is_passed_over(ids: list[uuid.UUID]) -> None:
    request(ids)
    with db.transaction() as session:
        pending.claim(session, ids[:2], OWNER)
        assert {one.record_id for one in claim(ids, "worker-2")} == set(ids[2:])


def test_a_record_asked_for_again_meanwhile_stays(ids: list[uuid.UUID]) -> None:
    request(ids)
    claims = claim(ids)
    request(ids[:1])
    assert finish(claims).keys() == set(ids[1:])
    assert query("SELECT record_id, lease_owner, rung_at FROM pending_record") == [(ids[0], None, None)]


def test_a_lost_lease_finishes_nothing(ids: list[uuid.UUID]) -> None:
    request(ids)
    claims = claim(ids, seconds=-1)
    assert len(claim(ids, "worker-2")) == 5
    assert finish(claims) == {}
    assert query("SELECT DISTINCT lease_owner, lost_leases FROM pending_record") == [("worker-2", 1)]


def test_whoever_begins_again_has_its_rows_back_and_has_lost_nobody(ids: list[uuid.UUID]) -> None:
    """A reconciliation that is killed again and again does not put the records in quarantine that it held."""
    request(ids)
    for _ in range(2 * pending.MAX_LOST_LEASES):
        assert {one.record_id for one in claim(ids)} == set(ids)
    assert query("SELECT DISTINCT lost_leases FROM pending_record") == [(0,)]


def test_released_records_come_back_after_the_delay(ids: list[uuid.UUID]) -> None:
    request(ids)
    claim(ids)
    with db.transaction() as session:
        assert pending.release(session, ids, OWNER, 60.0) == 5
    assert claim(ids) == []
    assert query("SELECT DISTINCT attempts FROM pending_record") == [(0,)]


def test_the_third_failure_quarantines_and_new_input_lifts_it(ids: list[uuid.UUID]) -> None:
    request(ids[:1])
    for _ in range(pending.MAX_ATTEMPTS):
        query("UPDATE pending_record SET available_at = now()")
        claim(ids[:1])
        with db.transaction() as session:
            pending.fail(session, ids[0], OWNER, "ValueError")
    assert query("SELECT attempts, error, quarantined_at IS NOT NULL FROM pending_record") == [(3, "ValueError", True)]
    request(ids[:1], fresh=False)
    assert claim(ids[:1]) == []
    request(ids[:1])
    assert len(claim(ids[:1])) == 1


def bells() -> list[pending.Bell]:
    with db.transaction() as session:
        return pending.due_bells(session)[0]


def test_each_open_record_is_rung_once_and_the_urgent_first(ids: list[uuid.UUID]) -> None:
    request(ids[:3])
    request(ids[3:], pending.INTERACTIVE_PRIORITY)
    first, second = bells()
    assert (first.interactive, set(first.record_ids)) == (True, set(ids[3:]))
    assert (second.interactive, set(second.record_ids)) == (False, set(ids[:3]))
    assert bells() == []


def test_unanswered_bells_and_expired_leases_are_rung_again(ids: list[uuid.UUID]) -> None:
    request(ids)
    bells()
    claim(ids[:2], seconds=-1)
    with db.transaction() as session:
        assert pending.sweep(session, ring_again_seconds=60.0) == 2
    with db.transaction() as session:
        assert pending.sweep(session, ring_again_seconds=0.0) == 3
    assert {one for bell in bells() for one in bell.record_ids} == set(ids)


def test_a_record_that_kills_its_workers_ends_up_alone_and_is_quarantined(ids: list[uuid.UUID]) -> None:
    """Batches whose worker died are rung smaller each time; the others are finished on the way."""
    request(ids)
    sizes = []
    for _ in range(pending.MAX_LOST_LEASES):
        rung = [bell.record_ids for bell in bells()]
        sizes.append(max(map(len, rung)))
        for record_ids in rung:
            claims = claim(list(record_ids), seconds=-1)
            if ids[0] not in record_ids:
                finish(claims)
        with db.transaction() as session:
            pending.sweep(session)
    assert sizes[0] == 5
    assert sizes[-1] == 1
    assert query("SELECT record_id, error FROM pending_record") == [(ids[0], "worker_lost")]
    with db.transaction() as session:
        assert pending.backlog(session) == pending.Backlog(0, 0, 1, 0.0)


def test_requests_wake_a_listener_at_commit(ids: list[uuid.UUID]) -> None:
    with db.listen(pending.CHANNEL) as doorbell:
        request(ids[:1], pending.INTERACTIVE_PRIORITY)
        assert doorbell.wait(5.0)
        request(ids[:1])
        assert not doorbell.wait(0.05)


def test_what_comes_while_an_urgent_bell_waits_is_not_rung_but_brought_along(ids: list[uuid.UUID]) -> None:
    first, second, bulk, bad = ids[:4]
    request([first], pending.INTERACTIVE_PRIORITY)
    assert [one.record_ids for one in bells()] == [(first,)]
    request([second, bad], pending.INTERACTIVE_PRIORITY)
    request([bulk])
    query("UPDATE pending_record SET attempts = 1 WHERE record_id = %s", bad)
    with db.transaction() as session:
        rung, held = pending.due_bells(session)
        assert ([one.record_ids for one in rung], held) == ([(bad,), (bulk,)], 1), "who failed before goes along with nobody"
        assert pending.with_company(session, [first]) == [first, second]
    finish(claim([first]))
    assert [one.record_ids for one in bells()] == [(second,)], "the bell was answered: the next one rings"


def test_what_comes_while_an_urgent_bell_is_being_answered_waits_for_a_moment_or_until_it_is_enough(
    ids: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    request(ids[:1], pending.INTERACTIVE_PRIORITY)
    bells()
    claim(ids[:1])
    request(ids[1:3], pending.INTERACTIVE_PRIORITY)
    request(ids[3:4])
    assert [one.record_ids for one in bells()] == [(ids[3],)], "bulk waits for nobody"
    query("UPDATE pending_record SET available_at = now() - make_interval(secs => %s)", pending.HELD_SECONDS)
    assert [set(one.record_ids) for one in bells()] == [set(ids[1:3])]
    claim(ids[1:3])
    monkeypatch.setattr(pending, "ENOUGH", 1)
    request(ids[4:], pending.INTERACTIVE_PRIORITY)
    assert [one.record_ids for one in bells()] == [(ids[4],)]


def test_a_bell_that_nobody_answers_soon_holds_nobody_back(ids: list[uuid.UUID]) -> None:
    request(ids[:1], pending.INTERACTIVE_PRIORITY)
    assert len(bells()) == 1
    query("UPDATE pending_record SET rung_at = now() - interval '2 seconds'")
    request(ids[1:2], pending.INTERACTIVE_PRIORITY)
    assert [one.record_ids for one in bells()] == [(ids[1],)]


def test_a_bell_is_answered_together_with_what_else_is_due_and_no_less_urgent(ids: list[uuid.UUID]) -> None:
    urgent, rung, due, later, held = ids[:5]
    request([rung, due, later, held])
    request([urgent], pending.INTERACTIVE_PRIORITY)
    query("UPDATE pending_record SET available_at = now() + interval '1 minute' WHERE record_id = %s", later)
    claim([held])
    with db.transaction() as session:
        assert pending.with_company(session, [rung]) == [rung, urgent, due]
        assert pending.with_company(session, [rung], most=2) == [rung, urgent]
        assert pending.with_company(session, [rung, due], most=2) == [rung, due]
        assert pending.with_company(session, [urgent]) == [urgent]
        assert pending.with_company(session, [held]) == [], "another bell has brought it along"
        assert pending.with_company(session, [held, rung]) == [rung, urgent, due]


@pytest.mark.parametrize("trouble", ["attempts", "lost_leases"])
def test_what_failed_before_gets_no_company_and_is_none(ids: list[uuid.UUID], trouble: str) -> None:
    bad, good = ids[:2]
    request([bad, good])
    query(f"UPDATE pending_record SET {trouble} = 1 WHERE record_id = %s", bad)
    with db.transaction() as session:
        assert pending.with_company(session, [bad]) == [bad]
        assert pending.with_company(session, [good]) == [good]
