"""A snapshot when a model first rules every record, and each day's last week held against it."""

from datetime import timedelta
from itertools import islice

import pytest

from cli.doctor import DRIFT, examine
from kernel import clock, db
from kernel.settings import settings
from mdm import drift_measure, quality_breaches
from mdm.incoming import Incoming
from sampledata.files import policy_text
from sampledata.retailer import SimulatedRecord, simulate
from stewardship import figures, governance

from .. import resolution as master
from ..resolution import Master, query


def measure() -> int:
    quality_breaches.run(db.transaction)
    return drift_measure.run(db.transaction)


def of_two_sources(seed: int) -> list[SimulatedRecord]:
    return list(islice((one for one in simulate(900, seed) if one.source in {"webshop", "crm"}), 700))


def figure(what: str, name: str = "") -> tuple[float, float, bool] | None:
    found = query("SELECT before, now, is_beyond FROM drift_day WHERE what = %s AND name = %s", what, name)
    return (found[0][0], found[0][1], found[0][2]) if found else None


@pytest.fixture
def mdm(database: str, monkeypatch: pytest.MonkeyPatch) -> Master:
    """A retailer, all of whose records are older than a week."""
    monkeypatch.setattr(drift_measure, "LEAST_SNAPSHOT_PAIRS", 100)
    made = master.start(policy_text())
    for one in of_two_sources(7):
        made.put_many(one.source, [Incoming(one.key, one.payload)])
    assert measure() == 0
    assert query("SELECT count(*) FROM drift_snapshot") == [(0,)], "records wait: figures would be of two models"
    made.drain()
    assert measure() == 0
    return made


def age() -> None:
    query("UPDATE source_record SET received_at = received_at - interval '8 days'", role=db.Role.OWNER)
    query("UPDATE decision SET created_at = created_at - interval '8 days'", role=db.Role.OWNER)
    query("DELETE FROM quality_day", role=db.Role.OWNER)


def test_a_source_that_stops_sending_what_it_sent_is_found(mdm: Master) -> None:
    ((pairs,),) = query("SELECT sum(band::int) FROM drift_snapshot, jsonb_array_elements_text(body -> 'bands') AS band")
    ((stored,),) = query("SELECT count(*) FROM decision WHERE author = 'model' AND superseded_at IS NULL AND weight IS NOT NULL")
    assert pairs == stored > 100
    assert measure() == 0, "what was just taken has not moved"
    age()
    for one in of_two_sources(8):
        lacking = {name: value for name, value in one.payload.items() if "mail" not in name}
        mdm.put_many(one.source, [Incoming(f"later-{one.key}", lacking)])
    mdm.drain()
    assert measure() > 0, query("SELECT what, name, before, now, counted FROM drift_day WHERE name ~ 'email|^$'")
    beyond = [name for name, is_beyond in query("SELECT name, is_beyond FROM drift_day WHERE what = 'complete'") if is_beyond]
    assert beyond
    assert {name.rpartition(".")[2] for name in beyond} == {"emails"}
    finding = next(one for one in examine(settings()) if one.what == DRIFT)
    assert (finding.state.value, "mdm train" in finding.mend) == ("look", True)
    told = {one.name: rows for one, rows in figures.read(db.read_only)}
    assert dict(told["mdm_drift_beyond"])["complete",] == len(beyond)
    now = clock.now()
    report = governance.tell(db.read_only, governance.Month.of(now.year, now.month))
    rows = next(one.rows for one in report if one.measure.name == "Drift")
    assert rows is not None
    assert [row[1] for row in rows if row[-1] == "yes" and row[0] == "complete"] == sorted(beyond)


def test_the_same_again_has_not_moved_and_a_day_is_kept_once(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    assert measure() == 0
    first = query("SELECT what, name, distance FROM drift_day ORDER BY 1, 2")
    assert {what for what, _, _ in first} == {"weights", "band", "reviews", "complete", "recognised"}
    assert max(distance for _, _, distance in first) < 0.02
    assert measure() == 0
    assert query("SELECT what, name, distance FROM drift_day ORDER BY 1, 2") == first
    assert figure("recognised", "crm") is not None
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    drift_measure.run(db.transaction)
    assert query("SELECT count(DISTINCT day) FROM drift_day") == [(2,)]


def test_weights_that_moved_are_told_and_no_value_stands_in_the_figures(mdm: Master) -> None:
    query("UPDATE decision SET weight = 31 WHERE author = 'model'", role=db.Role.OWNER)
    query("UPDATE drift_snapshot SET body = jsonb_set(body, '{bands}', '[0,0,0,400,400,400,400,0,0,0]')", role=db.Role.OWNER)
    measure()
    ((distance,),) = query("SELECT distance FROM drift_day WHERE what = 'weights'")
    assert distance > 0.25
    stored = query("SELECT to_jsonb(d)::text FROM drift_day d UNION ALL SELECT body::text FROM drift_snapshot")
    assert "@" not in str(stored)
