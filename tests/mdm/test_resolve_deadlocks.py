"""Two workers that wait for each other in a circle: one is chosen to lose, and tries again."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlmodel import Session

from kernel import db
from mdm import owed, resolve
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, partition, query
from .test_resolve_interrupted import STEPS_OF_A_BATCH, interrupted

WRITES_DECISIONS = 5  # The first transaction takes the claim, then: version set, leases, candidates, decisions.


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def test_a_worker_that_loses_a_deadlock_tries_again(mdm: Master, database: str) -> None:
    """The rival holds the ledger's row and asks for the crosswalk's, which the worker holds while it asks for the ledger's."""
    record_id = mdm.put("shop", "1", MARIA).record_id
    assert record_id is not None
    with psycopg.connect(database) as rival:

        def close_the_circle() -> None:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            while not query(waiting, role=db.Role.OWNER)[0][0]:
                time.sleep(0.01)
            rival.execute("SELECT FROM crosswalk FOR UPDATE")
            rival.rollback()

        thread = threading.Thread(target=close_the_circle)

        def cross() -> None:
            rival.execute("SELECT FROM pending_record FOR UPDATE")
            thread.start()

        resolved = owed.work(interrupted(mdm, STEPS_OF_A_BATCH + 1, cross), [record_id])
        thread.join()
    assert (resolved.records, resolved.goldens) == (1, 1)
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert mdm.verify().differences == ()


def test_a_batch_that_loses_every_deadlock_goes_back_to_the_queue(mdm: Master) -> None:
    """Its worker was not lost and its record is not to blame: neither is counted."""
    record_id = mdm.put("shop", "1", MARIA).record_id
    assert record_id is not None
    opened = iter(range(1, 1_000))

    @contextmanager
    def steps() -> Iterator[Session]:
        number = next(opened)
        with db.transaction() as session:
            yield session
            if WRITES_DECISIONS <= number < WRITES_DECISIONS + resolve.MOST_RESTARTS:
                raise psycopg.errors.DeadlockDetected

    resolved = owed.work(resolve.Resolver(steps, tasks.project), [record_id])
    assert resolved.postponed == 1
    assert query("SELECT lease_owner, lost_leases, attempts FROM pending_record") == [(None, 0, 0)]
    query("UPDATE pending_record SET available_at = now()")
    mdm.drain()
    assert len(partition()) == 1
