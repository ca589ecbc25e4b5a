"""Who follows: the reference subscriber fed by real webhooks that fail, are slow and come twice; the feed under many writers.

Both run while others write; the one must end with the crosswalk, the other must miss no event.
"""

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import Any

from kernel import clock, db, log, outbox
from kernel.settings import Settings, configure, settings
from mdm import published
from soak.follower import crosswalk, subscriber
from soak.progress import Suffered
from soak.wounded import Wounded
from tests.resolution import query
from tests.webhooks.sink import Answer, Received
from webhooks import deliveries, feed

FAILS_BEFORE, FAILS_AFTER = 0.1, 0.1  # The first time that an event comes: answered 500, without and with having been applied.
SLOWEST_SECONDS = 0.1
LARGEST_STEP, ROLLED_BACK = 40, 0.1
PAGE = 1_000
POLL_SECONDS = 0.02


def follow(ground: Wounded, rng: random.Random, seconds: float) -> Suffered:
    """Feed the reference subscriber while clients write, then once more with everything, from the last event to the first."""
    follower, turn, count = subscriber(), threading.Lock(), ground.sink.answer
    failed = [0]

    def answer(received: Received) -> Answer:
        time.sleep(rng.uniform(0.0, SLOWEST_SECONDS))
        known = ground.came[received.headers["webhook-id"]]
        status, headers = count(received)
        chance = rng.random() if not known else 1.0
        if chance >= FAILS_BEFORE:
            with turn:
                follower.apply(received.event)
        if chance < FAILS_BEFORE + FAILS_AFTER:
            failed[0] += 1
            return 500, {}
        return status, headers

    ground.sink.answer = answer
    time.sleep(seconds)
    with ground.quiet():
        is_done = ground.watch.rest()
        events, began = _again(ground), time.monotonic()
        is_done &= ground.watch.rest()
        wanted, found = crosswalk(), follower.crosswalk()
    ground.sink.answer = count
    twice = sum(1 for times in ground.came.values() if times > 1)
    note = f"{len(wanted):,} keys followed over {events:,} events; {failed[0]:,} answered 500, {twice:,} came twice or more"
    return Suffered(
        f"subscriber fails, is slow, hears twice; {len(ground.clients)} writers", "events are delivered", failed[0],
        len(wanted.items() - found.items()) + (not is_done), len(found.items() - wanted.items()), 0.0,
        (time.monotonic() - began,) * 2, note,
    )  # fmt: skip


def _again(ground: Wounded) -> int:
    """Have everything delivered once more."""
    with db.transaction() as session:
        last = feed.log(session).last_seq
        first = max(1, last - deliveries.MOST_REDELIVERED + 1)
        for endpoint in ground.watch.endpoints:
            deliveries.again(session, uuid.UUID(endpoint), first, last, only_dead=False)
    return last


def gapless(rng: random.Random, writers: int, events: int) -> Suffered:
    """Let processes write events, some of which are rolled back, and read the feed meanwhile: none is missed, none doubled."""
    with db.read_only() as session:
        log_ = feed.log(session)
    each = events // writers
    with ProcessPoolExecutor(writers, get_context("spawn"), _begin, (settings(),)) as pool:
        running = [pool.submit(_write, rng.randrange(10**9), each) for _ in range(writers)]
        came = [one for page in _pages(log_.cursor(log_.last_seq), running) for one in page]
        wanted = Counter(known for one in running for known in one.result())
    seen = Counter(one["subject_id"] for one in came if one["subject_id"] in wanted)
    gaps = [one for one, following in itertools.pairwise(came) if following["seq"] != one["seq"] + 1]
    missed, doubled = (wanted - seen).total() + len(gaps), (seen - wanted).total()
    first, last = came[0]["occurred_at"], came[-1]["occurred_at"]
    rate = len(came) / max(0.001, (last - first).total_seconds())
    note = f"{seen.total():,} of {wanted.total():,} events read, {len(gaps)} gaps; {rate:,.0f} a second were written"
    return Suffered(f"{writers} writers at once", "the feed is read", events, missed, doubled, note=note)


def _pages(cursor: str, writers: Sequence[Future[Any]]) -> Iterator[list[dict[str, Any]]]:
    """Pages of the feed as they come, until all writers are done and what they wrote has a number."""
    while True:
        are_done = all(one.done() for one in writers) and not query("SELECT count(*) FROM outbox")[0][0]
        with db.read_only() as session:
            page = published.page(session, cursor, (), PAGE)
        cursor = page["next"]
        if page["events"]:
            yield page["events"]
        elif are_done:
            return
        else:
            time.sleep(POLL_SECONDS)


def _begin(chosen: Settings) -> None:
    configure(chosen)
    log.configure(level="ERROR")


def _write(seed: int, events: int) -> list[uuid.UUID]:
    """Write so many events in steps of random size, some of which come to nothing; the subjects of those that stand."""
    rng, told = random.Random(seed), list[uuid.UUID]()
    while len(told) < events:
        subjects = [clock.uuid7() for _ in range(min(rng.randint(1, LARGEST_STEP), events - len(told)))]
        body = {"golden_id": "0", "changed": [], "joined": [], "left": []}
        with _perhaps(rng) as stands, db.transaction() as session:
            outbox.emit_all(session, [outbox.Event("golden.updated", one, 1, body) for one in subjects])
            time.sleep(rng.uniform(0.0, 0.005))  # Who began first commits last now and then.
            if not stands:
                raise _GivenUp
        told += subjects if stands else []
    return told


class _GivenUp(Exception):
    """A step that is rolled back."""


@contextmanager
def _perhaps(rng: random.Random) -> Iterator[bool]:
    with suppress(_GivenUp):
        yield rng.random() >= ROLLED_BACK
