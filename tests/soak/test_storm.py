"""A whole service under many deliveries at one moment: one person is one golden id, one record is one version, nothing fails."""

from collections.abc import Iterator

import pytest

from kernel import db
from mdm import verify
from soak import storm
from soak.progress import Outcome
from stewardship import tasks

ROUNDS = 3


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[storm.Ground]:
    with storm.ready(tmp_path_factory.mktemp("storm")) as found:
        yield found


def test_64_sources_that_put_one_person_at_once_give_one_golden_id(ground: storm.Ground) -> None:
    outcome = Outcome()
    for number in range(ROUNDS):
        storm.one_person(ground, f"one person {number}", outcome)
    assert outcome.findings == []
    assert outcome.counts["puts of one person"] == ROUNDS * 64
    assert outcome.counts["golden ids told"] >= ROUNDS
    assert verify.verify(db.transaction, tasks).differences == ()


def test_one_record_put_a_thousand_times_at_once_has_one_version(ground: storm.Ground) -> None:
    outcome = Outcome()
    storm.one_record(ground, "one record", outcome)
    assert outcome.findings == []
    assert (outcome.counts["puts of one record"], outcome.counts["retries"]) == (1_000, 0)
