"""Upkeep done as jobs: what is kept for a time is let go of, coming months get partitions, what fails says so by its job."""

import uuid

import pytest

from kernel import db, jobs
from mdm import chunks, rejects, upkeep
from mdm.rejects import Reject
from workers.kinds import KINDS

from .. import resolution as master
from ..resolution import MARIA, Master, query

COMING = (
    "SELECT c.relname FROM pg_class c WHERE c.relname = 'golden_version' || to_char(now() + '3 months'::interval, '_YYYY_MM')"
)


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def do(kind: str) -> jobs.Job:
    """Open and do one, as often as it takes."""
    with db.transaction() as session:
        job_id = upkeep.begin(session, kind, "test")
        assert upkeep.begin(session, kind, "test") is None
    assert job_id is not None
    while True:
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "test", [kind])
            if claim is None:
                return jobs.status(session, job_id)
        chunks.take(db.transaction, KINDS[kind], claim)


def test_answers_are_let_go_of_after_three_days(mdm: Master) -> None:
    query(
        """INSERT INTO idempotency (principal, idempotency_key, request_hash, created_at, status_code)
           SELECT 'p', n::text, 'h', now() - make_interval(hours => n), 200 FROM generate_series(69, 73) n"""
    )
    done = do("retention")
    assert (done.state, done.result and done.result["answers"]) == ("finished", 2)
    assert query("SELECT idempotency_key FROM idempotency ORDER BY 1") == [("69",), ("70",), ("71",)]


def test_the_text_of_rejected_rows_is_let_go_of_after_thirty_days_and_the_reason_stays(mdm: Master) -> None:
    with db.transaction() as session:
        rejects.keep(session, [Reject("key_missing", "key", "pos", line, b"quxagarcia") for line in (1, 2)], uuid.uuid4())
        rejects.keep(session, [Reject("wrong_type")])
    query("UPDATE reject SET rejected_at = now() - make_interval(days => 28 + line_no::int, hours => 1) WHERE line_no > 0")
    done = do("retention")
    assert (done.state, done.result and done.result["rejects"]) == ("finished", 1)
    left = "SELECT line_no, code, wrapped_key IS NULL, sealed_payload IS NULL FROM reject WHERE line_no IS NOT NULL ORDER BY 1"
    assert query(left) == [(1, "key_missing", False, False), (2, "key_missing", True, True)]


def test_partitions_of_the_coming_months_are_made(mdm: Master) -> None:
    ((name,),) = query(COMING)
    query(f"DROP TABLE {name}", role=db.Role.OWNER)
    assert do("partitions").state == "finished"
    assert query(COMING) == [(name,)]


def test_a_month_that_gets_no_partition_is_told_by_its_job(mdm: Master) -> None:
    """Its rows are in the default partition, so it cannot be made."""
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    ((name,),) = query(COMING)
    query(f"DROP TABLE {name}", role=db.Role.OWNER)
    query(
        """INSERT INTO golden_version
             (golden_id, version, computed_at, status, members, body, content_hash, version_set_id, cause)
           SELECT golden_id, 2, now() + '3 months'::interval, status, members, body, content_hash, version_set_id, cause
           FROM golden_version""",
        role=db.Role.OWNER,
    )
    done = do("partitions")
    query("TRUNCATE golden_version", role=db.Role.OWNER)  # The next test finds all partitions again.
    assert (done.state, done.error is None) == ("failed", False)
    assert do("partitions").state == "finished"


def test_quality_is_measured(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    assert do("quality").result == {"breaches_opened": 0, "drifts": 0}
    assert query("SELECT source FROM quality_day") == [("shop",)]
