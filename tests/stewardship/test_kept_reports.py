"""The report of a month as it was last told: what the report says, when it is told anew, and by which of two."""

from datetime import datetime, timedelta

import pytest

from kernel import clock, db
from stewardship import governance, kept_reports
from stewardship.governance import Month
from stewardship.kept_reports import Report

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    """Maria at the till twice and in the shop."""
    made = master.start(master.POLICY)
    for source, key in (("pos", "1"), ("pos", "2"), ("shop", "1")):
        made.put(source, key, MARIA)
    made.drain()
    return made


def this_month() -> Month:
    return Month.of(clock.now().year, clock.now().month)


def read(month: Month) -> Report | None:
    with db.read_only() as session:
        return kept_reports.read(session, month)


def told_at() -> list[datetime]:
    return [row[0] for row in query("SELECT told_at FROM kept_report ORDER BY month")]


def set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


def test_it_is_what_the_report_says(mdm: Master) -> None:
    month = this_month()
    assert read(month) is None
    kept_reports.keep(db.transaction, month)
    found, report = read(month), governance.tell(db.read_only, month)
    assert found is not None
    assert [one.measure for one in found.told] == [one.measure for one in report] == governance.every()
    assert all(kept.rows == told.rows and kept.figures == told.figures for kept, told in zip(found.told, report, strict=True))
    assert found.told[0].rows == [("pos", 2, 1, 1, 0.5), ("shop", 1, 1, 0, 0.0)]


def test_a_record_that_came_since_stands_in_the_next(mdm: Master) -> None:
    kept_reports.keep(db.transaction, this_month())
    mdm.put("pos", "3", MARIA)
    mdm.drain()
    before = read(this_month())
    assert before is not None
    assert before.told[0].rows == [("pos", 2, 1, 1, 0.5), ("shop", 1, 1, 0, 0.0)]
    kept_reports.keep(db.transaction, this_month())
    after = read(this_month())
    assert after is not None
    assert after.told[0].rows is not None
    assert after.told[0].rows[0][:2] == ("pos", 3)


def test_this_month_is_told_hourly_and_the_last_once_it_is_over(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    assert kept_reports.keep_due(db.transaction) == 2
    assert kept_reports.keep_due(db.transaction) == 0
    set_clock(monkeypatch, now + timedelta(minutes=59))
    assert kept_reports.keep_due(db.transaction) == 0
    set_clock(monkeypatch, now + timedelta(minutes=61))
    assert kept_reports.keep_due(db.transaction) == 1
    set_clock(monkeypatch, this_month().until + timedelta(minutes=5))
    assert kept_reports.keep_due(db.transaction) == 2, "what became of the month in its last hour, and the new one"
    assert kept_reports.keep_due(db.transaction) == 0


def test_of_two_at_once_the_later_stands(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_reports.keep(db.transaction, this_month())
    before = told_at()
    set_clock(monkeypatch, clock.now() - timedelta(minutes=5))
    kept_reports.keep(db.transaction, this_month())
    assert told_at() == before


def test_what_took_too_long_is_kept_as_that(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(governance, "LONGEST", "1ms")
    slow = governance.Measure("Slow", "", "", "", ("slept",), "SELECT pg_sleep(1)::text")
    answers = next(one for one in governance.MEASURES if one.name == "Stewards' answers")
    monkeypatch.setattr(governance, "MEASURES", (slow, answers))
    kept_reports.keep(db.transaction, this_month())
    found = read(this_month())
    assert found is not None
    assert next(one for one in found.told if one.measure is slow).rows is None


def test_what_a_program_of_other_columns_told_is_left_out(mdm: Master) -> None:
    kept_reports.keep(db.transaction, this_month())
    query("UPDATE kept_report SET measures = jsonb_set(measures, '{0,columns}', '[\"source\"]')")
    found = read(this_month())
    assert found is not None
    assert [one.measure for one in found.told] == governance.every()[1:]
