"""Events on their way: numbered, read by the feed, delivered by webhook to twenty endpoints.

A sequencer and a dispatcher as `mdm up` runs them; the endpoints are one process on loopback that only counts.
"""

import ipaddress
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from bench import serving
from bench.line import Line
from bench.server import own_database
from kernel import actor, clock, db, outbox
from kernel.actor import Principal
from kernel.settings import configure, settings
from mdm import published, sql
from webhooks import endpoints, feed
from webhooks.endpoints import Wish
from workers import sequencer

Process = subprocess.Popen[str]
WHO = Principal("bench", "bench", frozenset(), db.Scope())
ENDPOINTS = 20
PAGES_OF, FEED = 1_000, 50_000
BURST = 250  # Events, each to all endpoints.
STEADY_SECONDS, STEADY_PAUSE_SECONDS = 10, 0.1
A_SECOND, RATE_SECONDS, TICK_SECONDS = 1_000, 6, 0.01
GOAL_FEED, GOAL_LAG_SECONDS, GOAL_RATE, GOAL_LATENCY_SECONDS = 10_000.0, 2.0, 500.0, 2.0


def measure() -> list[Line]:
    """Read, number at a rate, deliver."""
    with own_database():
        lines = [*read()]
        with _running("workers.sequencer") as sequencing:
            lines.append(lag(sequencing))
            return [*lines, *delivered()]


def emit(count: int, **body: object) -> None:
    """Write events of as many subjects, in one step."""
    said = {"golden_id": "0", "changed": ["name"], "joined": [], "left": [], **body}
    with db.transaction() as session:
        outbox.emit_all(session, [outbox.Event("golden.updated", clock.uuid7(), 1, said) for _ in range(count)])


def read() -> Iterator[Line]:
    """Read the feed from its beginning: in this process, and over HTTP as a subscriber does."""
    for _ in range(FEED // PAGES_OF):
        emit(PAGES_OF)
    sequencer.number_all()
    started, cursor, count = time.perf_counter(), None, 0
    while True:
        with db.read_only() as session:
            page = published.page(session, cursor, (), PAGES_OF)
        count, cursor = count + len(page["events"]), page["next"]
        if not page["has_more"]:
            break
    yield Line("feed read in process", count / (time.perf_counter() - started), "events/s")
    with db.transaction() as session:
        _, key = actor.create_key(session, "bench", ["events:read"])
        log = feed.log(session)
    with serving.running_server() as served:
        places = [log.cursor(after) for after in range(0, log.last_seq, PAGES_OF)]
        asked = [f"GET /v1/events?after={place}&limit={PAGES_OF} HTTP/1.1" for place in places]
        requests = cycle(f"{line}\r\nhost: x\r\nauthorization: Bearer {key}\r\n\r\n".encode() for line in asked)
        found = serving.run(served.port, {"page": partial(next, requests)}, 1, 3)["page"]
        taken = statistics.median(one.percentile(0.5) for one in found) / 1_000
    yield Line(
        "feed read over HTTP", PAGES_OF / taken, "events/s", GOAL_FEED, at_most=False, note="pages of 1,000, one connection"
    )


def lag(sequencing: Process) -> Line:
    """Number what comes at a rate, by a sequencer that is up; how long an event waits for its number."""
    emit(1)
    _until(sequencing, lambda: _scalar("SELECT count(*) FROM outbox") == 0)
    with db.read_only() as session:
        since = feed.log(session).last_seq
    each = int(A_SECOND * TICK_SECONDS)
    began = time.monotonic()
    for tick in range(int(RATE_SECONDS / TICK_SECONDS)):
        emit(each)
        time.sleep(max(0.0, began + (tick + 1) * TICK_SECONDS - time.monotonic()))
    rate = each * RATE_SECONDS / TICK_SECONDS / (time.monotonic() - began)
    _until(sequencing, lambda: _scalar("SELECT count(*) FROM outbox") == 0)
    (p99,) = _row(
        """SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM numbered_at - occurred_at)) FROM event
           WHERE seq > %s""",
        [since],
    )
    return Line("wait for a number, p99", float(p99), "s", GOAL_LAG_SECONDS, note=f"{rate:.0f} events/s came")


def delivered() -> Iterator[Line]:
    """Deliver a burst, and then what comes steadily."""
    configure(
        settings().model_copy(update={"webhook_networks": (ipaddress.ip_network("127.0.0.0/8"),), "webhook_allow_http": True})
    )
    with _sink() as sink, _running("workers.dispatcher") as dispatching:
        for number in range(ENDPOINTS):
            with db.transaction() as session:
                endpoints.create(session, WHO, Wish(f"http://127.0.0.1:{sink.port}/{number}", per_second=1_000, concurrency=10))
        emit(1, sent=time.time())
        _until_delivered(dispatching, 1)  # It is up, and knows every endpoint.
        began = time.perf_counter()
        emit(BURST, sent=time.time())
        _until_delivered(dispatching, 1 + BURST)
        burst = BURST * ENDPOINTS / (time.perf_counter() - began)
        steady = int(STEADY_SECONDS / STEADY_PAUSE_SECONDS)
        for _ in range(steady):
            emit(1, sent=time.time())
            time.sleep(STEADY_PAUSE_SECONDS)
        _until_delivered(dispatching, 1 + BURST + steady)
        came = sink.end()[(1 + BURST) * ENDPOINTS :]
    waits = sorted(arrived - sent for arrived, sent in came)
    yield Line("webhook deliveries", burst, "deliveries/s", GOAL_RATE, at_most=False, note=f"{ENDPOINTS} endpoints, a burst")
    yield Line(
        "outbox to delivered, p95",
        waits[int(len(waits) * 0.95)],
        "s",
        GOAL_LATENCY_SECONDS,
        note=f"{ENDPOINTS} endpoints, 200 deliveries/s",
    )


@dataclass
class _Sink:
    port: int
    process: Process

    def end(self) -> list[tuple[float, float]]:
        """End it; when each delivery arrived, and when its event was written."""
        said, _ = self.process.communicate()
        return [(one[0], one[1]) for one in json.loads(said)]


@contextmanager
def _sink() -> Iterator[_Sink]:
    process = _start("bench.sink")
    assert process.stdout is not None  # noqa: S101 - narrows the type
    try:
        yield _Sink(int(process.stdout.readline()), process)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _running(module: str) -> Iterator[Process]:
    process = _start(module)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _start(module: str) -> Process:
    return subprocess.Popen(  # noqa: S603 - our own programs.
        [sys.executable, "-m", module],
        env=settings().child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _until_delivered(dispatching: Process, events: int) -> None:
    done = "SELECT count(*) FROM webhook_delivery WHERE state = 'delivered'"
    _until(dispatching, lambda: _scalar(done) >= events * ENDPOINTS)


def _until(working: Process, is_so: Callable[[], bool]) -> None:
    """Wait for as long as whoever works at it is up: on a busy machine it takes what it takes."""
    while not is_so():
        if working.poll() is not None:
            raise RuntimeError("the process that is measured has ended")
        time.sleep(0.05)


def _row(statement: str, params: Sequence[object] = ()) -> sql.Row:
    with db.read_only() as session:
        return sql.rows(session, statement, params)[0]


def _scalar(statement: str) -> int:
    return int(_row(statement)[0])
