"""What happened, in the console: imports with their rejects, events within one's brands, and the audit log."""

from collections.abc import Iterator

import pytest

from kernel import clock, db
from mdm import rejects
from mdm.incoming import Incoming
from mdm.rejects import Reject
from workers.sequencer import number_all

from ...resolution import MARIA, Master, golden_of, query
from .conftest import Browser, signed_in
from .test_tasks import words_of

EVENTS, AUDIT, IMPORTS, REPORT = (f"/console/operations/{name}" for name in ("events", "audit", "imports", "report"))


@pytest.fixture
def olga(mdm: Master) -> Iterator[Browser]:
    """Who may do everything."""
    with signed_in("olga", scopes=["admin"]) as client:
        yield Browser(client)


def test_an_import_says_what_became_of_its_rows_and_which_it_left_out(olga: Browser, mdm: Master) -> None:
    assert "No file was imported yet" in words_of(olga.open(IMPORTS))
    job_id = mdm.load("pos", Incoming("7", MARIA))
    with db.transaction() as session:
        rejects.keep(session, [Reject("wrong_column_count", "3 of 4", "pos", 12, b"secret,row")], job_id)
    assert "c.csv" in words_of(olga.open(IMPORTS))
    page = words_of(olga.open(f"/console/operations/jobs/{job_id}"))
    assert "12 the line has 3 columns, the header 4" in page
    assert "secret" not in page


def test_events_come_the_latest_first_by_type_and_within_brands(olga: Browser, mdm: Master) -> None:
    number_all()
    page = words_of(olga.open(EVENTS))
    assert "golden.created" in page
    assert "task.opened" in page
    assert "Maria" not in page
    only = words_of(olga.open(f"{EVENTS}?kind=task.opened"))
    assert str(golden_of("pos", "1")) in only
    assert "Nothing of this type happened here" in words_of(olga.open(f"{EVENTS}?kind=golden.split"))
    with signed_in("eve", brands=["other"], scopes=["events:read", "decisions:write"]) as client:
        assert "Nothing happened here" in words_of(Browser(client).open(EVENTS))


def test_older_events_are_a_page_away(olga: Browser, mdm: Master) -> None:
    for number in range(30):
        mdm.put("pos", f"x{number}", {"given_name": "Otto", "surname": f"Becker {number}"})
    mdm.drain()
    number_all()
    olga.open(EVENTS)
    seen = olga.page
    last = query("SELECT last_seq FROM event_counter")[0][0]
    assert last > 50
    assert f">{last}<" in seen
    assert f"before={last - 49}" in seen
    assert f">{last - 50}<" in olga.open(f"{EVENTS}?before={last - 49}")


def test_the_audit_log_is_searched_and_that_is_audited(olga: Browser) -> None:
    golden_id = golden_of("pos", "1")
    olga.open(f"/console/customers/{golden_id}")
    found = words_of(olga.open(f"{AUDIT}?object_id={golden_id}&action=golden.read"))
    assert "user:olga golden.read" in found
    assert "Maria" not in found
    assert "Nothing is like that" in words_of(olga.open(f"{AUDIT}?actor=user:nobody"))
    assert "audit.searched" in words_of(olga.open(AUDIT))


@pytest.mark.parametrize(("scopes", "brands"), [(["jobs:read", "decisions:write"], None), (["admin"], ["main"])])
def test_the_audit_log_is_for_whoever_may_see_all(mdm: Master, scopes: list[str], brands: list[str] | None) -> None:
    with signed_in("eve", scopes=scopes, brands=brands) as client:
        Browser(client).open(AUDIT, 403)


def test_the_report_is_shown_as_it_was_told_and_told_anew_when_asked(olga: Browser, mdm: Master) -> None:
    page = words_of(olga.open(REPORT))
    assert "Nothing of this month was told yet" in page
    assert "Duplicates within a source" not in page
    month = f"{clock.now():%Y-%m}"
    told = olga.send(REPORT, month=month)
    assert str(told.url).endswith(f"{REPORT}?month={month}")
    assert "Pos 1 1 0 0.0 %" in words_of(told.text).replace("pos 1", "Pos 1")
    mdm.put("pos", "2", MARIA)
    mdm.drain()
    query("UPDATE kept_report SET told_at = '2026-01-02T03:04:05Z'")
    page = words_of(olga.open(REPORT))
    assert "As it was told 2026-01-02 03:04" in page
    assert "pos 1 1 0 0.0 %" in page, "what came since is not in it, and it says of when it is"
    assert "pos 2 1 1 50.0 %" in words_of(olga.send(REPORT, month=month).text)


@pytest.mark.parametrize("month", ["", "2026-13", "2026-1", "x" * 5_000, "2099-12", "=1+1", "20\N{ARABIC-INDIC DIGIT TWO}6-01"])
def test_no_month_but_one_that_has_begun_is_told(olga: Browser, month: str) -> None:
    olga.open(REPORT)
    assert olga.send(REPORT, month=month).status_code == 422
    assert query("SELECT count(*) FROM kept_report") == [(0,)]


def test_a_report_is_told_by_nobody_who_sees_a_part(mdm: Master) -> None:
    with signed_in("ana", brands=["main"], scopes=["audit:read", "decisions:settle"]) as client:
        ana = Browser(client)
        ana.open("/console")
        assert ana.send(REPORT, month="2026-01").status_code == 403
    assert query("SELECT count(*) FROM kept_report") == [(0,)]
