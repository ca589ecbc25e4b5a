"""What a source deleted is let go of when its time is over: nothing of it is left, and everything else is as before."""

from datetime import timedelta

import pytest

from kernel import db
from stewardship import privacy_retention

from ..resolution import MARIA, POLICY, Master, golden_of, query, start

KEPT = POLICY.replace("trust: 0.6}", "trust: 0.6, deleted_kept_days: 30}")


@pytest.fixture
def mdm(database: str) -> Master:
    made = start(KEPT)
    for source in ("pos", "shop"):
        made.put(source, "gone", MARIA | {"given_name": "Quxavela"})
        made.put(source, "here", MARIA)
    made.drain()
    for source in ("pos", "shop"):
        made.delete(source, "gone")
    made.drain()
    return made


def later(days: int) -> None:
    query("UPDATE source_record SET received_at = received_at - %s WHERE is_deleted", timedelta(days=days))


def due() -> dict[str, int]:
    with db.read_only() as session:
        return privacy_retention.due(session)


def test_only_what_is_deleted_and_old_goes(mdm: Master) -> None:
    golden_id = golden_of("pos", "here")
    assert due() == {}
    assert privacy_retention.run(db.transaction) == 0
    later(31)
    assert due() == {"pos": 1}
    assert privacy_retention.run(db.transaction) == 1
    mdm.drain()
    assert due() == {}
    assert golden_of("pos", "here") == golden_id
    assert query("SELECT source FROM record_data_key JOIN source_record USING (record_id) WHERE is_deleted") == [("shop",)]
    assert query("SELECT count(*) FROM source_record WHERE source = 'pos' AND source_key = 'gone'") == [(0,)]
    assert mdm.verify(deep=True).differences == ()
    assert mdm.put("pos", "gone", MARIA).status == "created"
