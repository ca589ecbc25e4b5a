"""Training on what is stored: decisions of stewards are read, an unusable record is passed over, policy draws the lines."""

import hashlib

import pytest

from kernel import db
from kernel.errors import Conflict
from mdm import training, versions

from .. import resolution as master
from ..resolution import POLICY, Master, query
from ..stewardship.test_tasks import decide, record
from .trainees import take_in


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start(POLICY + "matching: {false_merge_rate: 0.0001, reviews_per_day: 1000, records_per_day: 10}\n")
    with db.transaction() as session:
        versions.current(session)
    return made


def trained() -> training.Trained:
    with db.transaction() as session:
        return training.train_on_stored(session, "mine")


def test_decisions_teach_and_policy_draws_the_lines(mdm: Master) -> None:
    take_in(mdm)
    for person in range(30):
        key = f"{person:04}"
        decide("match" if person % 3 else "no_match", [record("shop", key)], [record("pos", key)])
    found = trained()
    said = found.model.report["stewards"]
    assert (said["pairs"], said["decisions"]) == (30, 30)
    assert found.model.lines.merge == 13.5
    assert found.forecast.inflow_per_day is not None
    assert found.forecast.lines == found.model.lines


def test_a_superseded_decision_teaches_nothing(mdm: Master) -> None:
    take_in(mdm)
    decide("match", [record("shop", "0001")], [record("pos", "0001")])
    query("UPDATE decision SET superseded_at = now(), superseded_because = 'a test'")
    assert "stewards" not in trained().model.report


def test_the_pairs_of_one_decision_count_as_one(mdm: Master) -> None:
    take_in(mdm)
    sides = [[record(source, f"{person:04}") for person in range(6)] for source in ("shop", "pos")]
    decide("no_match", *sides)
    said = trained().model.report["stewards"]
    assert (said["decisions"], said["pairs"]) == (1, training.MOST_PAIRS_OF_A_DECISION)


def test_a_record_that_cannot_be_read_is_passed_over(mdm: Master) -> None:
    take_in(mdm)
    query("UPDATE standard_record SET body = jsonb_set(body, '{emails}', '7') WHERE source_key = '0001'")
    assert trained().model.report["records"] == 238


@pytest.mark.parametrize("source", ["trial", "staff"])
def test_pairs_that_never_become_one_are_no_candidates(mdm: Master, source: str) -> None:
    """One source is scored only, the other holds people of another identity domain; so few share a first name and an initial."""
    take_in(mdm, people=60, other=source)
    with pytest.raises(Conflict, match="candidate pairs"):
        trained()


def test_a_source_in_review_merges_nothing_and_asks_all(mdm: Master) -> None:
    take_in(mdm, other="bought")
    found = trained().forecast.expected
    assert (found.merged, found.false_merges) == (0, 0.0)
    assert found.questions > 100


def test_of_many_records_an_even_sample_teaches(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes by the source keys alone, and what is decided about others teaches as well."""
    take_in(mdm)
    for person in range(30):
        decide("match", [record("shop", f"{person:04}")], [record("pos", f"{person:04}")])
    everything = trained()
    monkeypatch.setattr(training, "MOST_READ", 160)
    found = trained()
    report = found.model.report
    assert (report["records"], report["sampled_records"], report["stewards"]["decisions"]) == (240, 160, 30)
    assert "sampled_records" not in everything.model.report
    assert abs(found.model.prior_weight - everything.model.prior_weight) < 1.0
    assert 0.5 < found.forecast.expected.merged / everything.forecast.expected.merged < 2.0


def test_the_sample_is_the_same_wherever_the_records_are_stored(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(mdm)
    monkeypatch.setattr(training, "MOST_READ", 50)
    with db.read_only() as session:
        _, index = training._read(session)
    keys = {(row[0], row[1]) for row in query("SELECT source, source_key FROM standard_record")}
    first = sorted(keys, key=lambda key: hashlib.md5("\x1f".join(key).encode(), usedforsecurity=False).hexdigest())[:50]
    named = {row[0]: (row[1], row[2]) for row in query("SELECT record_id, source, source_key FROM standard_record")}
    assert {named[one] for one in index.record_ids} == set(first)
