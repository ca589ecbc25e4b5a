"""Ids are ordered by time and never twice the same; the clock can be set by tests."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from kernel import clock


def test_ids_increase_and_are_of_version_7() -> None:
    ids = [clock.uuid7() for _ in range(20_000)]
    assert ids == sorted(set(ids))
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}


def test_ids_hold_the_time() -> None:
    before = datetime.now(UTC).timestamp()
    made = (clock.uuid7().int >> 80) / 1000
    assert before - 0.01 <= made <= datetime.now(UTC).timestamp() + 0.1


def test_threads_get_different_ids() -> None:
    start = threading.Barrier(8)

    def make(_: int) -> list[object]:
        start.wait()
        return [clock.uuid7() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        made = [one for ids in pool.map(make, range(8)) for one in ids]
    assert len(set(made)) == 16_000


def test_a_fork_while_the_lock_is_held_leaves_a_usable_child() -> None:
    with clock._lock:
        child = os.fork()
        if child == 0:
            clock.uuid7()
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_the_clock_can_be_set() -> None:
    then = datetime(2001, 2, 3, tzinfo=UTC)
    clock.set_source(lambda: then)
    try:
        assert clock.now() == then
    finally:
        clock.set_source(None)
    assert clock.now() > then
