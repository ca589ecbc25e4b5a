"""The job ledger under concurrency: every chunk is done once, a lost lease cannot finish, poison ends up alone."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from kernel import db, jobs
from kernel.errors import Conflict, NotFound

pytestmark = pytest.mark.usefixtures("database")


def make_job(chunks: Sequence[Mapping[str, Any]], **options: Any) -> uuid.UUID:
    with db.transaction() as session:
        return jobs.create_job(session, "load", {"file": "f"}, "test", chunks=chunks, **options)


def claim(owner: str = "w", **options: Any) -> jobs.Claim | None:
    with db.transaction() as session:
        return jobs.claim_chunk(session, owner, ["load"], **options)


def must_claim(owner: str = "w", **options: Any) -> jobs.Claim:
    found = claim(owner, **options)
    assert found is not None
    return found


def finish(held: jobs.Claim, **units: int) -> None:
    with db.transaction() as session:
        jobs.finish_chunk(session, held, **units)


def fail(held: jobs.Claim, bisect: jobs.Bisect | None = None) -> None:
    with db.transaction() as session:
        jobs.fail_chunk(session, held, "ValueError", units=1, bisect=bisect)


def status(job_id: uuid.UUID) -> jobs.Job:
    with db.read_only() as session:
        return jobs.status(session, job_id)


def expire_leases() -> None:
    with db.transaction() as session:
        session.connection().execute(
            text("UPDATE job_chunk SET lease_until = now() - interval '1 second' WHERE lease_until > now()")
        )


def change(act: Callable[[Any, uuid.UUID], object], job_id: uuid.UUID) -> object:
    with db.transaction() as session:
        return act(session, job_id)


def test_a_paused_job_ends_what_is_begun_and_begins_no_more() -> None:
    job_id = make_job([{}, {}], total_units=2)
    held = must_claim()
    change(jobs.pause, job_id)
    change(jobs.pause, job_id)
    with db.transaction() as session:
        jobs.heartbeat(session, held)
        jobs.checkpoint(session, job_id, {"rows": 1})
        assert jobs.ring_due(session) == []
    finish(held, done_units=1)
    assert (status(job_id).state, status(job_id).done_units, claim()) == ("paused", 1, None)
    change(jobs.resume, job_id)
    assert status(job_id).state == "running"
    finish(must_claim(), done_units=1)
    assert status(job_id).state == "finished"
    with pytest.raises(Conflict, match="not paused"):
        change(jobs.resume, job_id)
    with pytest.raises(Conflict, match="left to be handed out"):
        change(jobs.pause, job_id)


def test_a_paused_job_that_loses_its_worker_or_is_cancelled() -> None:
    job_id = make_job([{}, {}])
    must_claim()
    change(jobs.pause, job_id)
    expire_leases()
    assert claim() is None
    change(jobs.resume, job_id)
    assert claim() is not None
    change(jobs.pause, job_id)
    change(jobs.cancel, job_id)
    assert status(job_id).state == "cancelled"


def test_what_is_tried_again_leaves_the_other_failures_counted() -> None:
    """An import's rejected rows are failed units of chunks that were done."""
    job_id = make_job([{}, {}], total_units=9)
    finish(must_claim(), done_units=3, failed_units=4)
    for _ in range(jobs.MAX_ATTEMPTS):
        with db.transaction() as session:
            found = jobs.claim_chunk(session, "w", ["load"])
            assert found is not None
            jobs.fail_chunk(session, found, "ValueError", units=2)
    assert status(job_id).failed_units == 6
    assert change(jobs.retry, job_id) == 1
    assert status(job_id).failed_units == 4
    finish(must_claim(), done_units=2)
    assert (status(job_id).state, status(job_id).done_units, status(job_id).failed_units) == ("finished", 5, 4)


def halves(params: jobs.Params) -> Sequence[jobs.Params]:
    rows = list(params["rows"])
    middle = len(rows) // 2
    return [{"rows": rows[:middle]}, {"rows": rows[middle:]}] if middle else []


def test_chunks_are_claimed_in_order_and_close_the_job() -> None:
    job_id = make_job([{"n": n} for n in range(3)], total_units=30)
    seen = []
    while (held := claim()) is not None:
        seen.append(held.params["n"])
        finish(held, done_units=9, failed_units=1)
    done = status(job_id)
    assert seen == [0, 1, 2]
    assert (done.state, done.done_units, done.failed_units, done.open_chunks) == ("finished", 27, 3, 0)


def test_eight_workers_do_each_chunk_exactly_once() -> None:
    """Real connections at once: SKIP LOCKED hands out no chunk twice and leaves none."""
    job_id = make_job([{"n": n} for n in range(120)], total_units=120)
    start = threading.Barrier(8)

    def work(worker: int) -> list[int]:
        start.wait()
        done = []
        while (held := claim(f"w{worker}")) is not None:
            finish(held, done_units=1)
            done.append(held.params["n"])
        return done

    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(work, range(8)))
    assert sorted(n for done in lists for n in done) == list(range(120))
    assert (status(job_id).state, status(job_id).done_units) == ("finished", 120)


def test_a_locked_chunk_is_skipped_not_waited_for() -> None:
    make_job([{"n": 0}, {"n": 1}])
    with db.transaction() as session:
        first = jobs.claim_chunk(session, "a", ["load"])
        with db.transaction() as other:
            other.connection().exec_driver_sql("SET LOCAL lock_timeout = '5s'")  # Else who waits would wait for ever.
            second = jobs.claim_chunk(other, "b", ["load"])
    assert first is not None
    assert second is not None
    assert (first.params["n"], second.params["n"]) == (0, 1)


def test_a_chunk_can_finish_while_the_claim_that_begins_its_job_is_not_committed() -> None:
    """The first claim marks the job as running; a second one, faster, must not take that for a lost lease."""
    job_id = make_job([{"n": 0}, {"n": 1}], total_units=2)
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as session:
            jobs.claim_chunk(session, "slow", ["load"])
            fast = must_claim("fast")
            finished = pool.submit(finish, fast, done_units=1)
            with db.transaction() as beside:
                assert jobs.status(beside, job_id).state == "queued"
        finished.result(timeout=20)
    assert (status(job_id).state, status(job_id).done_units) == ("running", 1)


def test_a_claim_that_was_rolled_back_is_free_again() -> None:
    make_job([{"n": 0}])

    def die() -> None:
        with db.transaction() as session:
            jobs.claim_chunk(session, "a", ["load"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    assert must_claim("b").params == {"n": 0}


def test_a_lost_lease_cannot_finish() -> None:
    job_id = make_job([{"n": 0}], total_units=1)
    lost = must_claim("a")
    assert claim("b") is None
    expire_leases()
    taken = must_claim("b")
    with pytest.raises(Conflict, match="lost"):
        finish(lost, done_units=1)
    finish(taken, done_units=1)
    assert status(job_id).done_units == 1


def test_the_effect_of_a_lost_lease_is_rolled_back() -> None:
    job_id = make_job([{"n": 0}])
    lost = must_claim("a")
    expire_leases()
    must_claim("b")

    def late() -> None:
        with db.transaction() as session:
            jobs.checkpoint(session, job_id, {"line": 99}, done_units=5)
            jobs.finish_chunk(session, lost)

    with pytest.raises(Conflict, match="lost"):
        late()
    assert (status(job_id).checkpoint, status(job_id).done_units) == ({}, 0)


def test_a_heartbeat_keeps_the_lease() -> None:
    make_job([{"n": 0}])
    held = must_claim("a", lease_seconds=0.0)
    with db.transaction() as session:
        jobs.heartbeat(session, held)
    assert claim("b") is None
    finish(held)


def test_a_lost_lease_is_not_a_failure() -> None:
    make_job([{"n": 0}])
    must_claim("a")
    expire_leases()
    assert must_claim("b").attempts == 0


def test_the_row_that_fails_alone_is_quarantined_and_the_others_finish() -> None:
    job_id = make_job([{"rows": list(range(16))}], total_units=16)
    while (held := claim()) is not None:
        if 11 in held.params["rows"]:
            fail(held, halves)
        else:
            finish(held, done_units=len(held.params["rows"]))
    done = status(job_id)
    assert (done.state, done.done_units, done.failed_units, done.quarantined_chunks) == ("finished", 15, 1, 1)
    with db.read_only() as session:
        alone = session.connection().execute(text("SELECT params, error FROM job_chunk WHERE state = 'quarantined'")).one()
    assert tuple(alone) == ({"rows": [11]}, "ValueError")


def test_two_failures_are_tried_again() -> None:
    make_job([{"rows": [1, 2]}])
    for _ in range(2):
        fail(must_claim(), halves)
    assert must_claim().params == {"rows": [1, 2]}


def test_a_chunk_that_kills_five_workers_is_bisected() -> None:
    job_id = make_job([{"rows": [1, 2]}])
    for _ in range(jobs.MAX_LOST_LEASES):
        must_claim()
        expire_leases()
    assert claim() is None
    with db.transaction() as session:
        assert len(jobs.divide_abandoned(session, "load", bisect=halves)) == 1
    assert [must_claim().params, must_claim().params] == [{"rows": [1]}, {"rows": [2]}]
    assert status(job_id).open_chunks == 2


def test_a_row_that_kills_five_workers_is_quarantined() -> None:
    job_id = make_job([{"rows": [1]}])
    for _ in range(jobs.MAX_LOST_LEASES):
        must_claim()
        expire_leases()
    with db.transaction() as session:
        jobs.divide_abandoned(session, "load", bisect=halves)
    assert (status(job_id).open_chunks, status(job_id).quarantined_chunks) == (0, 1)


def test_a_cancelled_job_hands_out_nothing_and_takes_nothing() -> None:
    job_id = make_job([{"n": 0}, {"n": 1}])
    held = must_claim()
    with db.transaction() as session:
        jobs.cancel(session, job_id)
    assert claim() is None
    with pytest.raises(Conflict, match="lost"):
        finish(held)


def test_urgent_chunks_come_first() -> None:
    make_job([{"n": 5}])
    make_job([{"n": 1}], priority=1)
    assert must_claim().params == {"n": 1}


def test_a_bell_is_rung_once_and_again_when_nobody_answers() -> None:
    make_job([{"n": 0}, {"n": 1}])

    def ring() -> int:
        with db.transaction() as session:
            return len(jobs.ring_due(session))

    assert (ring(), ring()) == (2, 0)
    with db.transaction() as session:
        session.connection().execute(text("UPDATE job_chunk SET rung_at = now() - interval '1 hour'"))
    must_claim()
    assert ring() == 1


def test_no_more_bells_are_out_than_workers_can_hear() -> None:
    """A long job's chunks are rung as they are taken: rung again and again, its bells would fill the broker."""
    make_job([{"n": n} for n in range(5)])
    make_job([{"n": 9}], priority=1)

    def ring() -> list[int]:
        with db.transaction() as session:
            return [priority for _, priority in jobs.ring_due(session, limit=3)]

    assert (ring(), ring()) == ([1, 5, 5], [])
    must_claim()
    assert (ring(), ring()) == ([5], [])


def test_a_named_chunk_is_claimed_by_its_bell() -> None:
    make_job([{"n": 0}, {"n": 1}])
    with db.transaction() as session:
        second = session.connection().execute(text("SELECT chunk_id FROM job_chunk WHERE ordinal = 2")).scalar_one()
    assert must_claim(chunk_id=second).params == {"n": 1}
    assert claim(chunk_id=second) is None


def test_the_same_input_finds_its_job_and_checkpoint() -> None:
    job_id = make_job([], fingerprint="abc")
    with db.transaction() as session:
        jobs.checkpoint(session, job_id, {"line": 500}, done_units=490, failed_units=10)
        jobs.checkpoint(session, job_id, {"line": 900}, done_units=400)
    with db.read_only() as session:
        found = jobs.find_by_fingerprint(session, "load", "abc")
        assert jobs.find_by_fingerprint(session, "load", "xyz") is None
    assert found is not None
    assert (found.job_id, found.checkpoint, found.done_units, found.failed_units) == (job_id, {"line": 900}, 890, 10)


def test_a_closed_job_takes_no_checkpoint() -> None:
    job_id = make_job([])
    with db.transaction() as session:
        jobs.finish_job(session, job_id, error="unreadable_file")
    assert (status(job_id).state, status(job_id).error) == ("failed", "unreadable_file")
    with pytest.raises(Conflict, match="over"), db.transaction() as session:
        jobs.checkpoint(session, job_id, {"line": 1})


def test_an_unknown_job_is_not_found() -> None:
    with pytest.raises(NotFound), db.read_only() as session:
        jobs.status(session, uuid.UUID(int=1))
