"""Faults from outside that kill nobody: a full disk, a broker that hangs, subscribers that do, are slow or fail, a clock that
jumps."""

import random
import resource
import shutil
import statistics
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from kernel import db
from soak.kills import lost as lost_writes
from soak.progress import Suffered
from soak.service import ROOT
from soak.wounded import WHO, Wounded
from tests.resolution import query
from tests.webhooks.sink import Answer, Received
from webhooks import endpoints
from webhooks.endpoints import Wish

FULL_AT_BYTES = 4_096
REFUSED_SECONDS = 60.0
HANG_SECONDS, SLOW_SECONDS = 20.0, 1.0
FORWARD_SECONDS, BACK_SECONDS = (60, 10_800), (1, 20)
SOURCE = ROOT / "soak" / "clock.c"
LATENCY = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FROM (
  SELECT extract(epoch FROM d.ended_at - e.occurred_at) AS seconds FROM webhook_delivery d JOIN event e USING (seq)
  WHERE d.endpoint_id::text = %s AND d.state = 'delivered' AND e.seq > %s) AS taken"""


def full_disk(ground: Wounded, times: int) -> Suffered:
    """Send files while no process of the API can write more than a page; each is refused, and taken once there is room."""
    seconds: list[float] = []
    for _ in range(times):
        with _full(ground):
            sending = threading.Thread(target=ground.uploads.send)
            before = ground.uploads.http.retries
            sending.start()
            deadline = time.monotonic() + REFUSED_SECONDS
            while ground.uploads.http.retries == before and sending.is_alive() and time.monotonic() < deadline:
                time.sleep(0.05)
        ground.watch.hit("api", 1, seconds)
        sending.join()
    refused = ground.uploads.http.retries
    with ground.quiet():  # While clients write, something is owed nearly always.
        is_done = ground.watch.rest()
    stored = query("SELECT count(*) FROM source_record WHERE source = 'files'")[0][0]
    lost = len(ground.uploads.sent) - stored
    left = len(list((ground.service.chosen.data_dir / "uploads").iterdir()))
    return Suffered(
        "disk full while files come", "files are being written", times, max(0, lost) + left + (not is_done), max(0, -lost), 0.0,
        _half_and_most(seconds), f"{refused} refused with 503; {left} files left behind",
    )  # fmt: skip


@contextmanager
def _full(ground: Wounded) -> Iterator[None]:
    """Let no process of the API make a file longer than a page: writing fails as on a full disk."""
    processes = ground.service.targets().get("api", [])
    for one in processes:
        one.rlimit(psutil.RLIMIT_FSIZE, (FULL_AT_BYTES, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for one in processes:
            one.rlimit(psutil.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def broker_hangs(ground: Wounded, seconds: float) -> Suffered:
    """Let the broker answer nobody for so long, which is worse than being gone, while clients write; then let it go on."""
    took: list[float] = []
    broker, before = ground.service.targets()["valkey"][0], ground.writes()
    broker.suspend()
    try:
        time.sleep(seconds)
    finally:
        broker.resume()
    meanwhile = ground.writes() - before
    ground.watch.hit("valkey", 1, took)
    with ground.quiet():
        is_done = ground.watch.rest()
        lost = len(lost_writes([one for client in ground.clients for one in client.held if one.deliveries]))
    note = f"{seconds:.0f} s; {meanwhile:,} writes acknowledged meanwhile"
    return Suffered(
        "broker hangs", "clients write", 1, lost + (not is_done) + (meanwhile == 0), 0, 0.0, _half_and_most(took), note
    )


def bad_subscribers(ground: Wounded, seconds: float) -> Suffered:
    """Let three more subscribers hear the same: one hangs, one is slow, one fails. The good one must not notice."""
    good, count = ground.watch.endpoints[0], ground.sink.answer

    def answer(received: Received) -> Answer:
        if received.path == "/hung":
            time.sleep(HANG_SECONDS)
        if received.path == "/slow":
            time.sleep(SLOW_SECONDS)
        return count(received) if received.path == "/good" else (500 if received.path == "/failing" else 204, {})

    ground.sink.answer = answer
    made = []
    with db.transaction() as session:
        ((since,),) = session.connection().exec_driver_sql("SELECT last_seq FROM event_counter").all()
        for name in ("hung", "slow", "failing"):
            wish = Wish(f"{ground.sink.url}/{name}", each_of_loads=True)
            made.append(endpoints.create(session, WHO, wish)[0].endpoint_id)
    before, doubled = len(ground.came), sum(ground.came.values()) - len(ground.came)
    time.sleep(seconds)
    with ground.quiet():
        is_done = ground.watch.rest()
        half, most = query(LATENCY, good, since)[0]
        due = query("SELECT count(*) FROM webhook_delivery WHERE endpoint_id::text = %s AND state <> 'delivered'", good)[0][0]
    with db.transaction() as session:
        for one in made:
            endpoints.delete(session, WHO, one)
    again = sum(ground.came.values()) - len(ground.came) - doubled
    heard = len(ground.came) - before
    note = f"a good subscriber beside them heard {heard:,}; seconds: half, 95 %"
    return Suffered(
        "subscribers hang, are slow, fail", "events are delivered", 3, due + (not is_done), again, again / max(1, heard),
        (float(half or 0), float(most or 0)), note,
    )  # fmt: skip


class Clock:
    """The wall clock of all processes of a service, which can be set."""

    def __init__(self, folder: Path) -> None:
        """Make what fakes it in a folder that everybody may enter. Raises: FileNotFoundError where there is no C compiler."""
        compiler = shutil.which("cc")
        if compiler is None:
            raise FileNotFoundError("cc")
        library, self._told = folder / "clock.so", folder / "clock"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, SOURCE], check=True)  # noqa: S603 - our own program.
        self.set(0)
        self._told.chmod(0o644)
        self.environment = {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(self._told)}

    def set(self, seconds: int) -> None:
        """Let it go so many seconds ahead of the true one. Written in place: processes hold the file."""
        with open(self._told, "r+b" if self._told.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("=q", seconds))


def clock_jumps(ground: Wounded, clock: Clock, rng: random.Random, times: int) -> Suffered:
    """Let the clock of database and service jump, further than any lease forwards and less than one backwards."""
    seconds, offset = list[float](), 0
    is_done = True
    for number in range(times):
        time.sleep(rng.uniform(1.0, 4.0))
        offset += rng.randint(*FORWARD_SECONDS) if number % 2 == 0 else -rng.randint(*BACK_SECONDS)
        clock.set(offset)
        time.sleep(rng.uniform(1.0, 3.0))
        with ground.quiet():
            began = time.monotonic()
            is_done &= ground.watch.rest()
            seconds.append(time.monotonic() - began)
    note = f"forwards by up to {FORWARD_SECONDS[1] // 3600} h, back by up to {BACK_SECONDS[1]} s"
    return Suffered(
        "clock jumps", "leases and bells are out", times, int(not is_done), 0, 0.0, _half_and_most(seconds), note
    )  # fmt: skip


def _half_and_most(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds or [0.0]), max(seconds or [0.0])
