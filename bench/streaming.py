"""Records that come one by one and in batches, while 50,000 are stored: accepted by the API, resolved by Celery workers.

The service as `mdm up` runs it: an API process, the relay, two workers and one for whom somebody waits. Half of what comes is
about people who are stored already. A rate counts until the last record is resolved; beside it stands what a record costs in
processor time.
"""

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import orjson
import psycopg
import uvloop

from bench import costs, import_stages, serving, stored
from bench.line import Line
from bench.match import mixed
from bench.server import own_database
from bench.serving import ROOT, Requests, Served
from cli.services import temporary_services
from kernel import actor, db
from kernel.settings import configure, settings
from sampledata.retailer import SimulatedRecord

STORED = 50_000
SINGLE_SECONDS, CONNECTIONS = 10.0, 8
BATCHES, BATCH_LINES, WARM_UP = 10, 1_000, 500
SEED = 2026
GOAL_SINGLE, GOAL_BATCH = 300.0, 1_000.0
MOST_SECONDS = 900.0
CELERY = ("celery", "--quiet", "-A", "workers.app", "worker")
URGENT = ("--concurrency", "1", "-Q", "interactive", "-n", "urgent@%h")
WORKERS = ((*CELERY, "--concurrency", "2"), (*CELERY, *URGENT), ("workers.relay",))


def measure() -> list[Line]:
    """Fill, then stream."""
    known = stored.records(STORED, SEED)
    with ExitStack() as stack:
        urls = stack.enter_context(temporary_services(durable=True))
        configure(settings().model_copy(update={"database_url": urls.database_url, "redis_url": urls.redis_url}))
        stack.enter_context(own_database())
        stored.adopt()
        with import_stages.written(known) as folder:
            import_stages.load_all(folder)
        return streamed(known)


def streamed(known: list[SimulatedRecord]) -> list[Line]:
    """Stream into the configured database, which holds `known`."""
    with db.transaction() as session:
        _, key = actor.create_key(session, "bench", ["records:write"])
    needed = BATCHES * BATCH_LINES + WARM_UP
    coming = iter(mixed(known, stored.records(needed, SEED + 5)) * 2)
    with serving.running_server() as served, _workers() as pids:
        _batch(served, key, list(itertools.islice(coming, WARM_UP)), "w")
        _await_resolved()
        lines = [*_singles(served, pids, key, coming), *_batches(served, pids, key, coming)]
    return lines


@contextmanager
def _workers() -> Iterator[list[int]]:
    environment = settings().child_environment()
    started = [
        subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment)  # noqa: S603 - our own programs.
        for command in WORKERS
    ]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def _singles(served: Served, pids: Sequence[int], key: str, coming: Iterator[SimulatedRecord]) -> Iterator[Line]:
    before, started = costs.spent(API=served.pids, workers=pids), time.perf_counter()
    done = uvloop.run(serving.drive(served.port, _puts(key, coming), CONNECTIONS, SINGLE_SECONDS))
    _await_resolved()
    seconds = time.perf_counter() - started
    count = len(done.latencies)
    note = f"{count:,} accepted at {done.per_second:.0f}/s, p99 {done.percentile(0.99):.1f} ms, {CONNECTIONS} callers"
    yield Line("single PUTs, accepted and resolved", count / seconds, "records/s", GOAL_SINGLE, at_most=False, note=note)
    yield _cost("single PUT", costs.each(before, costs.spent(API=served.pids, workers=pids), count))


def _batches(served: Served, pids: Sequence[int], key: str, coming: Iterator[SimulatedRecord]) -> Iterator[Line]:
    before, started = costs.spent(API=served.pids, workers=pids), time.perf_counter()
    count = 0
    for number in range(BATCHES):
        lines = list(itertools.islice(coming, BATCH_LINES))
        _batch(served, key, lines, f"b{number}-")
        count += len(lines)
    accepted = time.perf_counter() - started
    _await_resolved()
    seconds = time.perf_counter() - started
    note = f"{count:,} records, accepted at {count / accepted:.0f}/s"
    yield Line("NDJSON batches, accepted and resolved", count / seconds, "records/s", GOAL_BATCH, at_most=False, note=note)
    yield _cost("record of a batch", costs.each(before, costs.spent(API=served.pids, workers=pids), count))


def _cost(what: str, each: dict[str, float]) -> Line:
    parts = ", ".join(f"{part} {cost:.0f}" for part, cost in each.items())
    return Line(f"{what}, processor time", sum(each.values()), "µs/record", note=f"{parts} µs")


def _puts(key: str, coming: Iterator[SimulatedRecord]) -> Requests:
    head = f"host: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    number = itertools.count()

    def put() -> bytes:
        one = next(coming)
        body = orjson.dumps(one.payload)
        path = f"/v1/sources/{one.source}/records/put-{next(number)}"
        return f"PUT {path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body

    return put


def _batch(served: Served, key: str, lines: Sequence[SimulatedRecord], prefix: str) -> None:
    body = b"\n".join(
        orjson.dumps({"source": one.source, "key": f"{prefix}{place}", "record": one.payload}) for place, one in enumerate(lines)
    )
    head = f"host: localhost\r\nauthorization: Bearer {key}\r\ncontent-type: application/x-ndjson\r\n"
    request = f"POST /v1/records:batch HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body
    answered = serving.once(served.port, request)
    if not answered.startswith(b"HTTP/1.1 200") or b'"rejected"' in answered[-300:]:
        raise RuntimeError("a batch was not taken whole")


def _await_resolved() -> None:
    deadline = time.monotonic() + MOST_SECONDS
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        while connection.execute("SELECT EXISTS (SELECT FROM pending_record)").fetchone() != (False,):
            if time.monotonic() > deadline:
                raise RuntimeError("the records are not resolved in time")
            time.sleep(0.05)
