"""Real worker processes: whatever is killed or flushed, every record is resolved in the end, once."""

import sys
import threading

import pytest
import redis

from kernel import db
from mdm import policy, schedules, upkeep, versions
from mdm.incoming import Incoming
from stewardship import accounts, kept_measures
from workers import sweeper
from workers.sweeper import sweep

from .. import resolution as master
from ..mdm.test_resolve import outcome, retailer
from ..resolution import MARIA, POLICY, Master, empty_records, partition, query
from .processes import RELAY, SWEEPER, WORKER, Start, kill, wait_until

SLOTS = 8


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


def test_a_sweep_forgets_sessions_that_are_over(mdm: Master) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ana")
        accounts.begin(session, "ana")
    query("UPDATE user_session SET seen_at = now() - interval '2 hours'")
    sweep()
    assert query("SELECT count(*) FROM user_session") == [(0,)]


def test_an_act_that_fails_holds_up_no_other(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise ValueError("maria.lopez@telefonica.net")

    monkeypatch.setattr(sweeper.lapsing, "ask", broken)
    with db.transaction() as session:
        accounts.add(session, "test", "ana")
        accounts.begin(session, "ana")
    query("UPDATE user_session SET seen_at = now() - interval '2 hours'")
    stopping = threading.Event()
    running = threading.Thread(target=sweeper.run, args=[stopping], daemon=True)
    running.start()
    wait_until(lambda: query("SELECT count(*) FROM user_session") == [(0,)])
    stopping.set()
    running.join()


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


def test_several_sweepers_fire_each_slot_once(mdm: Master, start: Start) -> None:
    """Four real processes that do nothing but look, while slot after slot begins."""
    query("INSERT INTO schedule (name, fired_slot) SELECT unnest(%s::text[]), now()", list(upkeep.ACTS))
    looking = "import time; from kernel import db; from mdm import schedules"
    looking += "\nwhile True: schedules.fire_due(db.transaction); time.sleep(0.002)"
    for _ in range(4):
        start([sys.executable, "-c", looking])
    opened = "SELECT kind, count(*) FROM job WHERE kind <> 'reconciliation' GROUP BY kind"
    for fired in range(1, SLOTS + 1):
        query("UPDATE schedule SET fired_slot = fired_slot - interval '1 day' WHERE name = ANY(%s)", list(upkeep.ACTS))
        wait_until(lambda fired=fired: sum(dict(query(opened)).values()) >= len(upkeep.ACTS) * fired)
        query("UPDATE job SET state = 'finished', finished_at = now()")
    assert dict(query(opened)) == dict.fromkeys(upkeep.ACTS, SLOTS)


def test_the_running_sweeper_fires_what_was_missed_while_everything_was_down(mdm: Master, start: Start) -> None:
    query("INSERT INTO schedule (name, fired_slot) VALUES ('retention', now() - interval '9 days')")
    start(SWEEPER)
    wait_until(lambda: query("SELECT count(*) FROM schedule") == [(len(schedules.TIMES),)])
    wait_until(lambda: query("SELECT kind, created_by FROM job") == [("retention", "schedule")])


def test_the_running_sweeper_measures_the_quality_of_sources(mdm: Master, start: Start) -> None:
    mdm.put("shop", "1", MARIA)
    start(SWEEPER)
    wait_until(lambda: query("SELECT source FROM quality_day") == [("shop",)])
    wait_until(lambda: query("SELECT count(*) FROM kept_measure") == [(len(kept_measures.KEPT),)])


def test_an_adoption_is_over_when_the_sweeper_finds_nothing_left_of_it(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, policy.parse(POLICY.replace("trust: 0.9", "trust: 0.8")), "test"))
    stands = "SELECT state, done_units FROM job WHERE kind = 'adoption'"
    sweep()
    assert query(stands) == [("queued", 0)]
    mdm.drain()
    wait_until(lambda: bool(sweep() or query(stands) == [("finished", 1)]))
