"""P6: each fault again and again while a service takes records in, and what came of it, as the rows of the fault table.

An iteration is one group of faults. What was acknowledged and is not there is `lost`; what is there twice is `duplicated`;
`rework` is the share of leases and deliveries that were taken again. In the end the same is told to an installation that nothing
disturbs: partition, values, questions and events of both must be the same.
"""

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from soak import following, outside, undisturbed
from soak.overlapping import live, overlap
from soak.points import POINTS
from soak.progress import Outcome, Suffered
from soak.strikes import Strikes
from soak.wounded import wounded

# The full size; tests run the same with `SMALL`.
CUSTOMERS, CLIENTS = 7_300, 4  # About 20,000 records.
# How often a process dies at each of its points, FEWEST_HITS at least: 222 kills in all. A process that dies within ten seconds
# of its start is given longer and longer pauses, so those of which there is one are let live so long first.
HITS = {"api": 24, "worker": 20, "reader": 6, "relay": 6, "sequencer": 6, "sealer": 6, "sweeper": 6, "dispatcher": 6}
STRIKES, FEWEST_HITS = 20, 5
MOST_REWORK = 0.05  # Of all leases and deliveries of a run, whatever was struck.


@dataclass(frozen=True)
class Size:
    """How much is done."""

    customers: int = CUSTOMERS
    clients: int = CLIENTS
    points: tuple[str, ...] = tuple(POINTS)
    most_hits: int = max(HITS.values())
    strikes: int = STRIKES
    full_disks: int = 20
    jumps: int = 20
    seconds: float = 60.0
    hangs: float = 600.0
    threads: int = 32
    operations: int = 10_000
    writers: int = 16
    events: int = 100_000


FULL = Size()
TARGET = 5  # Groups, one an iteration.


@contextmanager
def ready() -> Iterator[None]:
    """Nothing: every iteration has a service of its own."""
    yield


def run(_: None, seed: str, evidence: Path) -> Outcome:
    """One group of faults."""
    shutil.rmtree(evidence, ignore_errors=True)
    evidence.mkdir(parents=True)
    groups = (kills, outside_faults, clock, overlapping, events)
    return groups[int(seed.rpartition(":")[2]) % len(groups)](random.Random(seed), evidence)


def kills(rng: random.Random, evidence: Path, size: Size = FULL, home: Path | None = None) -> Outcome:
    """Kill processes at every named point, stop the database at once, kill and empty the broker; then compare."""
    outcome = Outcome()
    with wounded(rng, evidence / "up.log", size.customers, size.clients, home or evidence.parent) as ground:
        strikes = Strikes(ground, rng)
        for name in size.points:
            times = min(HITS[name.partition(".")[0]], size.most_hits)
            outcome.faults.append(strikes.suffer(f"kill at {name}", POINTS[name], times, partial(strikes.die, name)))
            outcome.counts["kills"] += outcome.faults[-1].times
        if size.strikes:
            for what, meanwhile, strike in strikes.others():
                outcome.faults.append(strikes.suffer(what, meanwhile, size.strikes, strike))
        outcome.findings += strikes.findings + _judge(outcome.faults, size) + _rework(strikes, outcome)
        outcome.findings += undisturbed.compare(ground, rng, outcome.counts)
    return outcome


def _rework(strikes: Strikes, outcome: Outcome) -> list[str]:
    share = outcome.worst["share of work done again"] = strikes.units["again"] / max(1, strikes.units["done"])
    return [f"{share:.1%} of all work was done again"] if share > MOST_REWORK else []


def outside_faults(rng: random.Random, evidence: Path, size: Size = FULL, home: Path | None = None) -> Outcome:
    """A full disk while files come, a broker that hangs, subscribers that hang, are slow and fail beside a good one; then
    compare."""
    outcome = Outcome()
    with wounded(rng, evidence / "up.log", size.customers // 10, size.clients, home or evidence.parent) as ground:
        outcome.faults.append(outside.full_disk(ground, size.full_disks))
        outcome.faults.append(outside.broker_hangs(ground, size.hangs))
        outcome.faults.append(outside.bad_subscribers(ground, size.seconds))
        outcome.findings += _judge(outcome.faults, size) + undisturbed.compare(ground, rng, outcome.counts)
    return outcome


def clock(rng: random.Random, evidence: Path, size: Size = FULL, home: Path | None = None) -> Outcome:
    """The wall clock of database, broker and service jumps; without a C compiler nothing can fake it, and the row says so."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="mdm-clock-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user.
        try:
            faked = outside.Clock(Path(folder))
        except FileNotFoundError:
            outcome.faults.append(Suffered("clock jumps", "", note="not run: there is no C compiler"))
            return outcome
        place = home or evidence.parent
        with wounded(rng, evidence / "up.log", size.customers // 10, size.clients, place, faked.environment) as ground:
            outcome.faults.append(outside.clock_jumps(ground, faked, rng, size.jumps))
            outcome.findings += _judge(outcome.faults, size) + undisturbed.compare(ground, rng, outcome.counts)
    return outcome


def overlapping(rng: random.Random, evidence: Path, size: Size = FULL, home: Path | None = None) -> Outcome:
    """Many threads ingest, merge and undo about the same records; then compare with the same deliveries and live decisions."""
    outcome = Outcome()
    with wounded(rng, evidence / "up.log", 1, 0, home or evidence.parent) as ground:
        done = overlap(ground, rng, size.threads, size.operations, size.threads * 8)
        is_settled, said = ground.watch.rest(), live()
        outcome.counts.update(done.answered)
        failed = [f"{len(done.trouble)} were answered wrongly, as {done.trouble[:3]}"] if done.trouble else []
        failed += [f"{done.retries} were answered 500 or more"] if done.retries else []
        outcome.findings += failed + ([] if is_settled else ["not settled after minutes"])
        outcome.findings += undisturbed.compare(ground, rng, outcome.counts, done.deliveries, said)
        refused = sum(count for name, count in done.answered.items() if name.startswith("refused"))
        rate = size.operations / done.seconds
        note = f"{refused:,} refused, {len(said):,} decisions hold, {done.retries} failures, {rate:.0f} a second"
        times, lost = sum(done.answered.values()), len(outcome.findings)
        outcome.faults.append(Suffered(f"{size.threads} threads at once", "they ingest, merge, undo", times, lost, note=note))
    return outcome


def events(rng: random.Random, evidence: Path, size: Size = FULL, home: Path | None = None) -> Outcome:
    """The reference subscriber under real webhooks that fail and come twice; then the feed under many writers."""
    outcome = Outcome()
    with wounded(rng, evidence / "up.log", size.customers // 10, size.writers // 2, home or evidence.parent) as ground:
        outcome.faults.append(following.follow(ground, rng, size.seconds))
        outcome.findings += undisturbed.compare(ground, rng, outcome.counts)
        ground.forget_subscriber()
        with ground.quiet():
            outcome.faults.append(following.gapless(rng, size.writers, size.events))
        outcome.findings += _judge(outcome.faults, size)
    return outcome


def _judge(rows: list[Suffered], size: Size) -> list[str]:
    wanted = min(FEWEST_HITS, size.most_hits)
    found = [f"{one.fault}: only {one.times} hits" for one in rows if one.times < wanted and one.fault.startswith("kill at")]
    return found + [f"{one.fault}: {one.lost} lost, {one.duplicated} duplicated" for one in rows if one.lost or one.duplicated]
