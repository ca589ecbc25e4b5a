"""P2 on many records: one population, told in many orders to 1, 2 or 8 worker processes, online, in bulk and mixed.

The population hangs on the seed alone; an iteration is one run of it. All must come to the same records, decisions, partition,
golden values and questions, and the keys that crowds share must cross the hot limit on the way as `soak.crowded` says.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from kernel.settings import settings
from matching.blocking import lookup_key
from mdm import pending, reconcile
from soak import stewards
from soak.crowded import CROWDS, Population, draw
from soak.place import Place, differences, own_place, state
from soak.population import Delivery
from soak.progress import Outcome
from soak.stewards import Said
from soak.workers import Workers
from tests.resolution import query

TARGET = 20
RECORDS = 20_000
WORKERS = (1, 2, 8)
BATCHES = (7, 50, 200)
PATHS = ("online", "bulk", "mixed")
SLICES = 2  # Of a phase, unless all is in bulk; a mixed run takes each as it likes.
BULK_CHUNK = 500
FEWEST_LARGE, LARGE = 200, 5


@dataclass(frozen=True, slots=True)
class Run:
    """How a population is told: the order, how many workers, by which path, how many records at once.

    Phases before `begins` come in bulk, whatever the path: a shorter run.
    """

    order: str
    workers: int
    path: str
    batch: int
    begins: int = 0

    def __str__(self) -> str:
        return f"{self.workers} workers, {self.path}" + ("" if self.path == "bulk" else f" in batches of {self.batch}")

    def of_phase(self, phase: int) -> "Run":
        """How a phase is told."""
        return self if phase >= self.begins else replace(self, path="bulk", batch=BULK_CHUNK)


@dataclass
class Ground:
    """What the runs of a process share. `wanted` is what the first run of the population came to."""

    place: Place
    workers: Workers
    drawn: dict[tuple[str, int], Population] = field(default_factory=dict)
    wanted: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def population(self, seed: str, records: int) -> Population:
        """The population of a seed."""
        if (seed, records) not in self.drawn:
            self.drawn[seed, records] = draw(random.Random(seed), records)
        return self.drawn[seed, records]


@contextmanager
def ready(most_workers: int = max(WORKERS)) -> Iterator[Ground]:
    """An installation and its worker processes."""
    with own_place() as place, at(place, most_workers) as ground:
        yield ground


@contextmanager
def at(place: Place, most_workers: int) -> Iterator[Ground]:
    """The same for an installation that is there."""
    workers = Workers(most_workers)
    try:
        yield Ground(place, workers)
    finally:
        workers.close()


def run(ground: Ground, seed: str, evidence: Path) -> Outcome:
    """Tell the population in one more order, and compare with all of it at once and in bulk."""
    population = seed.rpartition(":")[0]
    rng = random.Random(seed)
    outcome = Outcome()
    if (population, RECORDS) not in ground.wanted:
        outcome.findings += play(ground, population, RECORDS, Run(population, 1, "bulk", BULK_CHUNK))[1]
    chosen = Run(seed, rng.choice(WORKERS), rng.choice(PATHS), rng.choice(BATCHES))
    counts, findings = play(ground, population, RECORDS, chosen)
    return Outcome(counts, outcome.findings + findings)


def play(ground: Ground, seed: str, records: int, chosen: Run) -> tuple[Counter[str], list[str]]:
    """Tell a population from an empty start; what was counted, and how it differs from what the first run came to."""
    rng = random.Random(chosen.order)
    population = ground.population(seed, records)
    ground.place.empty()
    findings = []
    crossed = [_hot()]
    for number, acts in enumerate(population.phases(rng)):
        _tell(ground, rng, chosen.of_phase(number), acts)
        crossed.append(_hot())
        findings += [f"{chosen}: after phase {number + 1} {problem}" for problem in _unlike(crossed[-1], number)]
    found = state()
    wanted = ground.wanted.setdefault((seed, records), found)
    findings += differences(wanted, found, str(chosen)) + [f"{chosen}: {one}" for one in ground.place.complaints()]
    large = sum(len(part) >= LARGE for part in found["partition"])
    if large < FEWEST_LARGE:
        findings.append(f"{chosen}: only {large} clusters of {LARGE} and more: the run shows too little")
    crossings = sum(len(before ^ after) for before, after in pairwise(crossed))
    counts = Counter({
        "runs": 1, "records": population.records, "clusters of 5 and more": large, "crossings of the hot limit": crossings,
        "differences": sum(len(wanted[name] ^ found[name]) for name in wanted),
    })  # fmt: skip
    return counts, findings


def _tell(ground: Ground, rng: random.Random, chosen: Run, acts: Sequence[Delivery | Said]) -> None:
    """Tell one phase, in slices after each of which nothing is owed."""
    slices = 1 if chosen.path == "bulk" else SLICES
    cuts = [0, *sorted(rng.sample(range(1, len(acts)), slices - 1)), len(acts)]
    for start, end in pairwise(cuts):
        in_bulk = chosen.path == "bulk" or (chosen.path == "mixed" and rng.random() < 0.5)
        if in_bulk:
            _in_bulk(ground, chosen, acts[start:end])
        else:
            with ground.workers.at_work(chosen.workers, chosen.batch):
                _deliver(ground.place, acts[start:end], chosen.batch)


def _in_bulk(ground: Ground, chosen: Run, acts: Sequence[Delivery | Said]) -> None:
    """Everything arrives, each source at once, and is reconciled; workers, if more than one is asked for, are busy beside it."""
    said = [one for one in acts if isinstance(one, Said)]
    told = sorted(
        (one for one in acts if isinstance(one, Delivery)), key=lambda one: one.source
    )  # Stable: versions stay shuffled.
    _deliver(ground.place, [*told, *said], len(acts))
    with ground.workers.at_work(chosen.workers - 1, chosen.batch):
        reconcile.reconcile(ground.place.master.resolver, chunk_size=BULK_CHUNK)
    ground.place.master.drain()


def _deliver(place: Place, acts: Sequence[Delivery | Said], most: int) -> None:
    """Take acts in, in their order: runs of one source's deliveries in batches, what a steward says one by one."""
    for source, run_of in groupby(acts, key=lambda one: one.source if isinstance(one, Delivery) else None):
        together = list(run_of)
        for start in range(0, len(together), most):
            _take(place, source, together[start : start + most])


def _take(place: Place, source: str | None, acts: Sequence[Delivery | Said]) -> None:
    if source is None:
        for one in acts:
            stewards.write(one)  # type: ignore[arg-type]  # Only deliveries have a source.
        return
    items = [one.item() for one in acts if isinstance(one, Delivery)]
    refused = [one.problem for one in place.master.put_many(source, items, pending.BULK_PRIORITY) if one.problem]
    if refused:
        raise ValueError(f"the retailer's own records were refused: {refused[:3]}")


def _hot() -> frozenset[str]:
    """The crowds whose key is hot now."""
    hot = {row[0] for row in query("SELECT blocking_key FROM hot_key")}
    secret = settings().secret_for("blocking")
    return frozenset(crowd.name for crowd in CROWDS if lookup_key(crowd.kind, crowd.parts, secret) in hot)


def _unlike(hot: frozenset[str], phase: int) -> list[str]:
    """Crowds whose key is not what it should be after a phase."""
    return [
        f"the key of {crowd.name} is {'hot' if crowd.name in hot else 'not hot'}, held by {crowd.sizes[phase]}"
        for crowd in CROWDS
        if crowd.hot_after(phase) is not (crowd.name in hot)
    ]
