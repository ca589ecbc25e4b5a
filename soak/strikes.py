"""Strikes a wounded service with one kind of fault after another, and counts what came of each."""

import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable

from cli.children import HEALTHY_AFTER_SECONDS
from soak import books
from soak.kills import lost as lost_writes
from soak.progress import Suffered
from soak.service import flush
from soak.wounded import Wounded

MOST_PASSES = 4
PATIENCE_SECONDS = 120.0  # A checkpoint of the audit log is signed once a minute.
SELDOM = frozenset({"sealer.signed"})
ALONE = frozenset({"relay", "sequencer", "sealer", "sweeper", "dispatcher"})
LONGEST_GAP_SECONDS, MOST_WRITES = 4.0, 30


class Strikes:
    """Strikes one kind of fault after another, and counts what came of each."""

    def __init__(self, ground: Wounded, rng: random.Random) -> None:
        self.ground, self.rng = ground, rng
        self.findings: list[str] = []
        self.units = Counter[str]()

    def suffer(self, fault: str, meanwhile: str, times: int, strike: Callable[[], str | None]) -> Suffered:
        """Strike so many times among writes, let all recover, and count."""
        before, came, seconds, hit = books.read(), sum(self.ground.came.values()), list[float](), 0
        doubled = came - len(self.ground.came)
        for _ in range(times):
            self.breathe()
            running = {kind: len(found) for kind, found in self.ground.service.targets().items()}
            if kind := strike():
                hit += 1
                self.ground.watch.hit(kind, running.get(kind, 0), seconds)
        with self.ground.quiet():
            if not self.ground.watch.rest():
                self.findings.append(f"{fault}: had not recovered after minutes")
            now = books.read().since(before)
            lost = len(lost_writes([one for client in self.ground.clients for one in client.held if one.deliveries]))
        again = sum(self.ground.came.values()) - len(self.ground.came) - doubled
        done = now.taken + sum(self.ground.came.values()) - came
        self.units += Counter(done=done, again=now.lost_leases + again)
        made = Suffered(
            fault, meanwhile, hit, lost + max(0, now.missing_events), now.doubled_events + now.doubled_versions,
            (now.lost_leases + again) / max(1, done), (statistics.median(seconds or [0.0]), max(seconds or [0.0])),
        )  # fmt: skip
        sys.stdout.write(f"  {made.told()}\n")  # As it comes: a whole run takes the better part of an hour.
        sys.stdout.flush()
        return made

    def breathe(self) -> None:
        """Wait until some more writes got through."""
        wanted = self.ground.writes() + self.rng.randint(0, MOST_WRITES)
        deadline = time.monotonic() + LONGEST_GAP_SECONDS
        time.sleep(self.rng.uniform(0.1, 1.0))
        while self.ground.writes() < wanted and time.monotonic() < deadline:
            time.sleep(0.1)

    def die(self, name: str) -> str | None:
        """Arm a point and wait until somebody died of it; what kind of process that was, None when nobody came by."""
        points, before = self.ground.points, self.ground.points.deaths(name)
        self.let_live(name.partition(".")[0])
        is_of_files = name.startswith("reader") or name.endswith("chunk_claimed")
        points.arm(name, 1 if is_of_files or name in SELDOM else self.rng.randint(1, MOST_PASSES))
        if is_of_files:
            self.ground.uploads.send()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if points.deaths(name) > before:
                kind = name.partition(".")[0]
                return {"worker": "pool", "reader": "pool"}.get(kind, kind)
            time.sleep(0.02)
        points.disarm(name)
        return None

    def let_live(self, kind: str) -> None:
        """Wait until a process of which there is one has lived so long that its death is taken for an accident."""
        found = self.ground.service.targets().get(kind, [])
        if kind in ALONE and len(found) == 1:
            time.sleep(max(0.0, HEALTHY_AFTER_SECONDS + 1.0 - (time.time() - found[0].create_time())))

    def others(self) -> list[tuple[str, str, Callable[[], str | None]]]:
        """What is struck from outside."""
        return [
            ("PostgreSQL stopped at once", "whatever is under way", lambda: self._signal("postgres", signal.SIGQUIT)),
            ("broker emptied and killed", "bells are on their way", self._break_broker),
        ]

    def _break_broker(self) -> str | None:
        flush(self.ground.service.folder)
        return self._signal("valkey", signal.SIGKILL)

    def _signal(self, kind: str, number: int) -> str | None:
        for found in self.ground.service.targets().get(kind, [])[:1]:
            found.send_signal(number)
            found.wait(PATIENCE_SECONDS)
            return kind
        return None
