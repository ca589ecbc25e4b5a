"""Records of a day: as policy says, else the median of days, else not known."""

from datetime import timedelta

import pytest

from kernel import clock, db
from matching.calibration import Targets
from mdm import policy, targets

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, query

ASKING = POLICY + "matching: {false_merge_rate: 0.001, reviews_per_day: 50}\n"


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start(ASKING)


def received(days_ago: int, records: int) -> None:
    """Versions of one record, received on a day at noon."""
    at = clock.now().replace(hour=12) - timedelta(days=days_ago)
    query(
        """INSERT INTO record_version (record_id, version_no, received_at, is_deleted, payload_hash, received_by)
           SELECT record_id, 1000 * %s + n, %s, false, payload_hash, 'test'
           FROM source_record, generate_series(1, %s) AS g(n)""",
        days_ago, at, records,
    )  # fmt: skip


def asked(text: str = ASKING) -> Targets:
    with db.read_only() as session:
        return targets.targets(session, policy.parse(text))


def test_without_three_days_nobody_knows(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    received(1, 5)
    received(2, 5)
    assert asked() == Targets(0.001, 50, None)


def test_a_load_is_no_day_like_others(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    for days_ago, records in ((1, 4), (2, 6), (3, 5), (4, 900), (5, 5), (40, 700)):
        received(days_ago, records)
    assert asked().records_per_day == 5


def test_what_policy_says_stands(mdm: Master) -> None:
    assert asked(ASKING.replace("50}", "50, records_per_day: 7}")).records_per_day == 7
    assert asked(POLICY).says_nothing
