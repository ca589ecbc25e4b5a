"""P6: each fault again and again while a service takes records in, and what came of it, as the rows of the fault table.

An iteration is one group of faults. What was acknowledged and is not there is `lost`; what is there twice is `duplicated`;
`rework` is the share of leases and deliveries that were taken again. In the end the same is told to an installation that nothing
disturbs: partition, values, questions and events of both must be the same.
"""

import random
import shutil
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kernel import db
from kernel.settings import configure
from mdm import published
from soak import books, promises
from soak.follower import crosswalk, subscriber
from soak.kills import lost as lost_writes
from soak.place import differences, own_place, state
from soak.points import POINTS
from soak.population import Delivery
from soak.progress import Outcome, Suffered
from soak.service import flush
from soak.wounded import MORE_SOURCES, Wounded, wounded
from tests.resolution import query
from webhooks import feed
from workers import sequencer

# The full size; tests run the same with `SMALL`.
CUSTOMERS, CLIENTS = 7_300, 4  # About 20,000 records.
HITS_OF_A_POINT, STRIKES = 12, 20  # 18 points: 216 kills.
MOST_PASSES = 4
PATIENCE_SECONDS = 45.0
LONGEST_GAP_SECONDS, MOST_WRITES = 4.0, 30
MOST_REWORK = 0.05
RECEIVED = """
SELECT c.golden_id, r.source, r.source_key, e.subject_version
FROM event e JOIN source_record r ON r.record_id = e.subject_id JOIN crosswalk c ON c.record_id = r.record_id
WHERE e.type = 'record.received' AND r.rekeyed_to IS NULL"""


@dataclass(frozen=True)
class Size:
    """How much is done."""

    customers: int = CUSTOMERS
    clients: int = CLIENTS
    points: tuple[str, ...] = tuple(POINTS)
    hits: int = HITS_OF_A_POINT
    strikes: int = STRIKES


FULL = Size()


@contextmanager
def ready() -> Iterator[None]:
    """Nothing: every iteration has a service of its own."""
    yield


def run(_: None, seed: str, evidence: Path) -> Outcome:
    """One group of faults."""
    shutil.rmtree(evidence, ignore_errors=True)
    evidence.mkdir(parents=True)
    groups = _groups()
    return groups[int(seed.rpartition(":")[2]) % len(groups)](random.Random(seed), evidence)


def _groups() -> list[Callable[[random.Random, Path], Outcome]]:
    return [kills]


TARGET = 1


def kills(rng: random.Random, evidence: Path, size: Size = FULL, home: Path | None = None) -> Outcome:
    """Kill processes at every named point, stop the database at once, kill and empty the broker; then compare."""
    outcome = Outcome()
    with wounded(rng, evidence / "up.log", size.customers, size.clients, home or evidence.parent) as ground:
        strikes = _Strikes(ground, rng)
        for name in size.points:
            outcome.faults.append(strikes.suffer(f"kill at {name}", POINTS[name], size.hits, partial(strikes.die, name)))
            outcome.counts["kills"] += outcome.faults[-1].times
        if size.strikes:
            for what, meanwhile, strike in strikes.others():
                outcome.faults.append(strikes.suffer(what, meanwhile, size.strikes, strike))
        outcome.findings += strikes.findings + _judge(outcome.faults, size)
        outcome.findings += _compare(ground, rng, outcome.counts)
    return outcome


def _judge(rows: list[Suffered], size: Size) -> list[str]:
    wanted = {True: min(5, size.hits), False: size.strikes}
    found = [f"{one.fault}: only {one.times} hits" for one in rows if one.times < wanted[one.fault.startswith("kill at")]]
    return found + [f"{one.fault}: {one.lost} lost, {one.duplicated} duplicated" for one in rows if one.lost or one.duplicated]


class _Strikes:
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
        return Suffered(
            fault, meanwhile, hit, lost + max(0, now.missing_events), now.doubled_events + now.doubled_versions,
            (now.lost_leases + again) / max(1, done), (statistics.median(seconds or [0.0]), max(seconds or [0.0])),
        )  # fmt: skip

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
        is_of_files = name.startswith("reader") or name.endswith("chunk_claimed")
        points.arm(name, 1 if is_of_files else self.rng.randint(1, MOST_PASSES))
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
            return kind
        return None


def _compare(ground: Wounded, rng: random.Random, counts: Counter[str]) -> list[str]:
    """Tell the same to an installation that nothing disturbs, and see whether anything differs."""
    with ground.quiet():
        for client in ground.clients:
            while client.unsent:
                client.batch()
        findings = ground.trouble() + ([] if ground.watch.rest() else ["what was told last was not settled after minutes"])
        found, told, deliveries = state(), received(), ground.deliveries()
        findings += promises.broken({one for client in ground.clients for one in client.told}) + follows()
    counts.update(records=len(found["records"]), events=query("SELECT last_seq FROM event_counter")[0][0], writes=len(deliveries))
    configure(ground.service.chosen)
    with own_place(MORE_SOURCES) as place:
        place.deliver(rng, _in_turns(deliveries))
        place.in_bulk(rng)
        place.master.drain()
        sequencer.number_all()
        findings += differences(state(), found, "undisturbed run")
        findings += differences({"events": received()}, {"events": told}, "undisturbed run")
    ground.service.attach()
    return findings


def _in_turns(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The first delivery of every record, then the second of each, and so on: of versions that come at once one is told of."""
    turns, turn_of = Counter[tuple[str, str]](), list[tuple[int, str, Delivery]]()
    for one in deliveries:
        turns[one.source, one.key] += 1
        turn_of.append((turns[one.source, one.key], one.source, one))
    return [one for _, _, one in sorted(turn_of, key=lambda found: found[:2])]


def received() -> set[frozenset[Any]]:
    """What was told to have been received, of each golden record: the versions of its records. Ids are of an installation."""
    golden: dict[Any, set[Any]] = {}
    for golden_id, *version in query(RECEIVED):
        golden.setdefault(golden_id, set()).add(tuple(version))
    return set(map(frozenset, golden.values()))


def follows() -> list[str]:
    """Follow the whole log as the reference subscriber does: it must end with the crosswalk."""
    follower, at = subscriber(), 0
    while True:
        with db.read_only() as session:
            log = feed.log(session)
            page = feed.read(session, log, at, (), 5_000)
            for event in published.shown(session, log, page.events):
                follower.apply(event)
        at = page.reached
        if not page.has_more:
            break
    wanted = crosswalk()
    differing = set(wanted.items()) ^ set(follower.crosswalk().items())
    return [f"who followed the events differs from the crosswalk: {len(differing)}"] if differing else []
