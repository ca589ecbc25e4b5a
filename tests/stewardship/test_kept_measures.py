"""Measures that read every record, kept as they were last told: what the report says, and what took too long left as it was."""

from datetime import timedelta

import pytest

from kernel import clock, db
from stewardship import governance, kept_measures
from stewardship.kept_measures import DUPLICATES, IN_TIME, RECOGNISED, Kept

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


def read() -> dict[str, Kept]:
    with db.read_only() as session:
        return kept_measures.read(session)


def test_they_are_what_the_report_says(mdm: Master) -> None:
    assert read() == {}
    assert kept_measures.keep(db.transaction) == 3
    found, now = read(), clock.now()
    report = {one.measure.name: one for one in governance.tell(db.read_only, governance.Month.of(now.year, now.month))}
    for name in (DUPLICATES, RECOGNISED):
        assert [tuple(row.values()) for row in found[name].rows] == report[name].rows
    assert found[DUPLICATES].rows[0] == {"source": "pos", "records": 2, "customers": 1, "duplicates": 1, "share": 0.5}
    assert [(row["source"], row["records"]) for row in found[IN_TIME].rows] == [("pos", 2), ("shop", 1)]
    assert now - found[IN_TIME].measured_at < timedelta(minutes=1)


def test_of_latency_the_last_days_are_told(mdm: Master) -> None:
    query("UPDATE source_record SET received_at = received_at - interval '8 days' WHERE source = 'pos'", role=db.Role.OWNER)
    kept_measures.keep(db.transaction)
    assert [row["source"] for row in read()[IN_TIME].rows] == ["shop"]


def test_what_takes_too_long_leaves_what_was_kept(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_measures.keep(db.transaction)
    before = read()
    monkeypatch.setattr(governance, "LONGEST", "1ms")
    slow = governance.Measure("Duplicates within a source", "", "", "", ("s",), "SELECT pg_sleep(1)::text")
    monkeypatch.setattr(kept_measures, "KEPT", (slow,))
    assert kept_measures.keep(db.transaction) == 0
    monkeypatch.undo()
    assert read() == before


def test_of_two_at_once_the_later_stands(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_measures.keep(db.transaction)
    before = read()
    earlier = clock.now() - timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: earlier)
    kept_measures.keep(db.transaction)
    assert read() == before


def test_what_a_program_of_other_columns_kept_is_not_told(mdm: Master) -> None:
    kept_measures.keep(db.transaction)
    query("UPDATE kept_measure SET rows = '[[1, 2]]' WHERE name = %s", RECOGNISED)
    assert read().keys() == {DUPLICATES, IN_TIME}
