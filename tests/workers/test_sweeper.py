"""Real worker processes: whatever is killed or flushed, every record is resolved in the end, once."""

import pytest
import redis

from kernel import db
from mdm.incoming import Incoming
from workers.sweeper import sweep, tidy

from .. import resolution as master
from ..mdm.test_resolve import outcome, retailer
from ..resolution import MARIA, Master, empty_records, partition, query
from .processes import RELAY, SWEEPER, WORKER, Start, kill, wait_until


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def owed() -> int:
    count: int = query("SELECT count(*) FROM pending_record")[0][0]
    return count


def test_a_sweep_makes_rows_ready_to_ring(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    assert sweep() == 0
    query("UPDATE pending_record SET lease_owner = 'dead', lease_until = now() - interval '1 second'")
    assert sweep() == 1
    assert query("SELECT lease_owner, rung_at, lost_leases FROM pending_record") == [(None, None, 1)]


def test_killed_workers_and_a_flushed_broker_change_nothing(mdm: Master, start: Start, redis_url: str) -> None:
    records = retailer()
    for source, item in records:
        mdm.put_many(source, [item])
    mdm.drain()
    wanted = outcome()
    empty_records()

    broker = redis.Redis.from_url(redis_url)
    relay, _, worker = start(RELAY), start(SWEEPER), start(WORKER)
    for number, (source, item) in enumerate(records):
        mdm.put_many(source, [item])
        if number == len(records) // 2:
            wait_until(lambda: query("SELECT count(*) FROM golden")[0][0] > 0)
            kill(worker)  # With whatever it holds.
            kill(relay)
            broker.flushdb()
            start(WORKER)
            start(RELAY)
    broker.flushdb()
    wait_until(lambda: owed() == 0)
    assert outcome() == wanted
    assert mdm.verify().differences == ()


def test_somebody_who_waits_is_served_before_a_bulk_load(mdm: Master, start: Start) -> None:
    crowd = [{"given_name": f"Name{n}", "surname": f"Sur{n}", "emails": [f"n{n}@telefonica.net"]} for n in range(800)]
    mdm.put_many("pos", [Incoming(str(n), data) for n, data in enumerate(crowd)], priority=5)
    mdm.put("shop", "1", MARIA)
    for command in (WORKER, RELAY, SWEEPER):
        start(command)
    wait_until(lambda: frozenset({("shop", "1")}) in partition())
    assert owed() > 0
    wait_until(lambda: owed() == 0)


def test_answers_are_let_go_of_after_three_days(mdm: Master) -> None:
    query(
        """INSERT INTO idempotency (principal, idempotency_key, request_hash, created_at, status_code)
           SELECT 'p', n::text, 'h', now() - make_interval(hours => n), 200 FROM generate_series(69, 73) n"""
    )
    assert tidy() == 2
    assert query("SELECT idempotency_key FROM idempotency ORDER BY 1") == [("69",), ("70",), ("71",)]


def test_a_month_that_gets_no_partition_stops_no_sweep(mdm: Master, start: Start) -> None:
    """Its rows are in the default partition, so it cannot be made; answers are let go of and leases end all the same."""
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    ((month,),) = query("SELECT to_char(now() + '3 months'::interval, 'YYYY_MM')")
    query(f"DROP TABLE golden_version_{month}", role=db.Role.OWNER)
    query(
        """INSERT INTO golden_version
             (golden_id, version, computed_at, status, members, body, content_hash, version_set_id, cause)
           SELECT golden_id, 2, now() + '3 months'::interval, status, members, body, content_hash, version_set_id, cause
           FROM golden_version""",
        role=db.Role.OWNER,
    )
    query(
        """INSERT INTO idempotency (principal, idempotency_key, request_hash, created_at, status_code)
           VALUES ('p', 'old', 'h', now() - interval '4 days', 200)"""
    )
    sweeper = start(SWEEPER)
    wait_until(lambda: query("SELECT count(*) FROM idempotency") == [(0,)])
    mdm.put("shop", "2", MARIA)
    query("UPDATE pending_record SET lease_owner = 'dead', lease_until = now() - interval '1 second'")
    wait_until(lambda: query("SELECT lost_leases FROM pending_record") == [(1,)])
    assert sweeper.poll() is None
    query("TRUNCATE golden_version", role=db.Role.OWNER)  # The next test finds all partitions again.
    tidy()


def test_partitions_of_the_coming_months_are_made_by_the_running_service(mdm: Master) -> None:
    coming = (
        "SELECT c.relname FROM pg_class c WHERE c.relname = 'golden_version' || to_char(now() + '3 months'::interval, '_YYYY_MM')"
    )
    ((name,),) = query(coming)
    query(f"DROP TABLE {name}", role=db.Role.OWNER)
    tidy()
    assert query(coming) == [(name,)]


def test_the_running_sweeper_measures_the_quality_of_sources(mdm: Master, start: Start) -> None:
    mdm.put("shop", "1", MARIA)
    start(SWEEPER)
    wait_until(lambda: query("SELECT source FROM quality_day") == [("shop",)])
