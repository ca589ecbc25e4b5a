"""Who reads, merges and answers unlike before is told of once, until somebody else has looked at it."""

import json
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from cli.doctor import ACCESS, examine
from kernel import audit, clock, db
from kernel.errors import Conflict, Forbidden, NotFound
from kernel.settings import configure, settings
from stewardship import access_alerts, access_counts, audit_sealing, figures
from stewardship.access_alerts import ANSWERS, READS, SECONDS, Alert

from ..resolution import query

HOUR = timedelta(hours=1)


def top() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)


def done(actor: str, number: int, action: str = "golden.read", of: str = "golden", **detail: object) -> None:
    """Write so many rows, sealed at once."""
    with db.transaction() as session:
        for place in range(number):
            audit.record(session, actor, action, of, f"g{place}", detail=detail)
    with db.transaction() as session:
        audit_sealing.seal(session)


def before(actor: str, number: int, hours: int, what: str = READS) -> None:
    """What was counted so many hours ago."""
    query(
        "INSERT INTO access_hour (what, actor, hour, number) VALUES (%s, %s, %s, %s)", what, actor, top() - hours * HOUR, number
    )


def run() -> int:
    with db.transaction() as session:
        return access_alerts.run(session)


def unseen() -> list[Alert]:
    with db.read_only() as session:
        return access_alerts.unseen(session)


def see(alert_id: UUID, *, is_usual: bool, by: str = "local:ann") -> Alert:
    with db.transaction() as session:
        return access_alerts.see(session, alert_id, by, "It was the month's mailing.", is_usual=is_usual)


@pytest.fixture(autouse=True)
def _low(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Floors that a test reaches."""
    low = {"alert_reads": 10, "alert_merges": 5, "alert_all_merges": 20, "alert_approvals": 4, "alert_answers": 10}
    given = settings()
    configure(given.model_copy(update=low))
    monkeypatch.setattr(access_alerts, "settings", lambda: given.model_copy(update=low))


def test_who_reads_far_more_than_ever_is_told_of_once_and_what_goes_on_is_counted(database: str) -> None:
    before("key:till", 3, 5)
    done("key:till", 10)
    assert run() == 0, "the floor is not passed"
    done("key:till", 10)
    assert run() == 1
    (alert,) = unseen()
    assert (alert.kind, alert.actor, alert.since) == (READS, "key:till", top())
    assert alert.sentence == "key:till read 20 customers within an hour; their most before was 3."
    done("key:till", 5)
    assert run() == 0
    assert unseen()[0].figures["number"] == 25


def test_who_is_used_to_much_is_not(database: str) -> None:
    before("key:nightly", 5, 24)
    done("key:nightly", 25)
    assert run() == 0, "five times as much is not more"
    done("key:nightly", 1)
    assert run() == 1


def test_nobody_gets_us_used_to_it_by_going_on_until_a_human_says_so(database: str) -> None:
    before("user:mallory", 50, 2)
    assert run() == 1
    before("user:mallory", 60, 1)
    assert run() == 1, "the hour before was unusual, and is no measure"
    first = next(one for one in unseen() if one.figures["number"] == 50)
    see(first.alert_id, is_usual=True)
    done("user:mallory", 70)
    assert run() == 0, "fifty are usual now"


def test_an_export_counts_by_its_rows_and_a_search_by_what_it_found(database: str) -> None:
    done("key:thief", 1, "export.downloaded", "export", rows=4_000)
    done("user:curious", 3, "golden.search", found=4)
    done("user:owner", 30, "golden.erased")
    done("user:privacy", 30, "privacy.noted")
    assert run() == 2
    assert {one.actor: one.figures["number"] for one in unseen()} == {"key:thief": 4_000, "user:curious": 12}


def test_a_detail_that_is_no_number_counts_as_one_and_stops_nothing(database: str) -> None:
    done("user:odd", 11, rows="many", found=None)
    assert run() == 1


def test_merges_by_one_and_by_all_are_told_of_apart(database: str) -> None:
    done("user:fast", 6, "decision.match", "decision")
    ((before_them,),) = query("SELECT last_seq FROM event_counter")
    query(
        """INSERT INTO event (seq, occurred_at, type, subject_id, subject_version, body, sources, load_id)
           SELECT %s + n, now(), 'golden.merged', gen_random_uuid(), 1, '{}', '{}', CASE WHEN n > 21 THEN gen_random_uuid() END
           FROM generate_series(1, 40) n""",
        before_them,
    )
    query("UPDATE event_counter SET last_seq = last_seq + 40")
    assert run() == 2
    assert {(one.kind, one.actor): one.figures["number"] for one in unseen()} == {
        ("merges", "user:fast"): 6,
        ("all_merges", "all"): 21,
    }
    assert run() == 0


def test_a_limit_that_was_stated_needs_no_history(database: str) -> None:
    done("key:scan", 1, "quota.identifiers_used_up", "key")
    assert run() == 1
    assert "than its limit allows" in unseen()[0].sentence


def second(by: str, number: int, asked_by: str = "user:ana") -> None:
    query(
        """INSERT INTO approval (approval_id, kind, subject, about, asked_by, asked_at, expires_at, state, decided_by, decided_at)
           SELECT gen_random_uuid(), 'test', gen_random_uuid()::text, '{}', %s, now(), now(), 'used', %s, now()
           FROM generate_series(1, %s)""",
        asked_by,
        by,
        number,
    )


def test_one_who_seconds_everything_is_told_of_once_in_the_month(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    second("user:ben", 3)
    assert run() == 0, "of so few nothing is said"
    second("user:ben", 7)
    second("user:cleo", 1)
    assert run() == 1
    (alert,) = unseen()
    assert alert.sentence == "user:ben was the second person of 10 of the 11 acts that took two in 30 days."
    see(alert.alert_id, is_usual=True)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert run() == 0


def test_two_who_share_the_seconding_are_not_told_of(database: str) -> None:
    second("user:ben", 10)
    second("user:cleo", 6)
    assert run() == 0


def test_one_who_answers_everything_alike_is_told_of(database: str) -> None:
    query(
        """WITH made AS (
             INSERT INTO task (task_id, kind, question_key, golden_ids, record_ids, brands, reason_code, state, opened_at)
             SELECT gen_random_uuid(), 'pair', n::text, '{}', '{}', '{}', 'review', 'closed', now()
             FROM generate_series(1, 24) n RETURNING task_id, question_key::int AS n)
           INSERT INTO task_desk (task_id, settled_by, verdict, settled_at)
           SELECT task_id, CASE WHEN n <= 12 THEN 'user:yes' ELSE 'user:looks' END,
                  CASE WHEN n > 20 THEN 'no_match' ELSE 'match' END, now() FROM made
           ON CONFLICT (task_id) DO UPDATE SET settled_by = EXCLUDED.settled_by, verdict = EXCLUDED.verdict,
             settled_at = EXCLUDED.settled_at"""
    )
    assert run() == 1
    assert [(one.kind, one.actor, one.figures["number"]) for one in unseen()] == [(ANSWERS, "user:yes", 12)]


def test_whom_it_is_about_does_not_say_that_it_was_usual(database: str) -> None:
    done("user:mallory", 11)
    run()
    (alert,) = unseen()
    with pytest.raises(Forbidden):
        see(alert.alert_id, is_usual=True, by="user:mallory")
    see(alert.alert_id, is_usual=False)
    with pytest.raises(Conflict):
        see(alert.alert_id, is_usual=True)
    with pytest.raises(NotFound):
        see(clock.uuid7(), is_usual=True)
    assert unseen() == []
    assert query("SELECT actor, detail ->> 'kind' FROM audit WHERE action = 'alert.seen'") == [("local:ann", READS)]


def test_a_run_that_is_killed_counts_nothing_twice_and_nothing_is_left_out(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("key:1", 7)
    with pytest.raises(ZeroDivisionError), db.transaction() as session:
        1 / access_alerts.run(session)
    monkeypatch.setattr(access_counts, "AT_ONCE", 3)
    with db.transaction() as session:
        found = [access_counts.count(session, clock.now())]
        while not found[-1]:
            found.append(access_counts.count(session, clock.now()))
    assert len(found) >= 3, "seven rows are counted by threes"
    done("key:1", 1)
    for _ in range(3):
        run()
    assert query("SELECT number FROM access_hour WHERE actor = 'key:1'") == [(8,)]


def test_two_sweepers_count_by_turns(database: str) -> None:
    done("key:1", 2)
    run()
    done("key:1", 2)
    with db.transaction() as first, db.transaction() as other:
        assert access_counts.count(first, clock.now())
        assert not access_counts.count(other, clock.now())
    assert query("SELECT number FROM access_hour") == [(4,)]


def test_what_is_unusual_is_shown_to_whoever_operates_the_service(database: str) -> None:
    finding = next(one for one in examine(settings()) if one.what == ACCESS)
    assert finding.state.value == "ok"
    done("key:till", 11)
    run()
    finding = next(one for one in examine(settings()) if one.what == ACCESS)
    assert (finding.state.value, "read 11 customers" in finding.seen, "mdm alerts seen" in finding.mend) == ("look", True, True)
    told = {figure.name: rows for figure, rows in figures.read(db.read_only)}
    assert told["mdm_access_alerts"] == [((READS,), 1.0)]


def test_an_alert_holds_who_and_how_much_and_nobody_that_was_read(database: str) -> None:
    done("key:till", 11, name="maria")
    run()
    assert "maria" not in json.dumps(query("SELECT to_jsonb(a) FROM access_alert a"))
    assert SECONDS in access_alerts.SENTENCES
