"""What a soak keeps: how far a part came with a seed, what it counted and what it found. One JSON file for each part and seed."""

import json
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
LARGEST_SEED = 1_000_000


@dataclass
class Suffered:
    """A row of the fault table. `rework` is the share of units of work that were done again, `seconds` until all was as before:
    half of the times it took no longer than the first, never longer than the second.
    """

    fault: str
    meanwhile: str
    times: int = 0
    lost: int = 0
    duplicated: int = 0
    rework: float = 0.0
    seconds: tuple[float, float] = (0.0, 0.0)
    note: str = ""

    def told(self) -> str:
        """The row as a line."""
        half, most = self.seconds
        counted = f"{self.times:,} times, {self.lost} lost, {self.duplicated} doubled, rework {self.rework:.1%}"
        return f"{self.fault}: {counted}, back in {half:.1f} s, at most {most:.1f} s {self.note}".rstrip()


@dataclass
class Outcome:
    """What one iteration counted, and what it found that should not be. `evidence` is a folder that is kept, if any.

    `worst` are figures of which the greatest of all iterations is told, `faults` rows of the fault table.
    """

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    evidence: str = ""
    worst: dict[str, float] = field(default_factory=dict)
    faults: list["Suffered"] = field(default_factory=list)


@dataclass
class Progress:
    """How far a part came with one seed. `done` iterations are not run again; `open_iteration` was begun and did not end."""

    part: str
    seed: int
    target: int
    done: int = 0
    seconds: float = 0.0
    open_iteration: int | None = None
    interrupted: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[dict[str, object]] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        """Whether all iterations were run."""
        return self.done >= self.target

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return RESULTS / f"{self.part}-{self.seed}.json"

    def save(self) -> None:
        """Keep it, whole or not at all."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(self.path)

    def begin(self) -> None:
        """Note that the next iteration has begun; one that was begun before and never ended is counted as interrupted."""
        self.interrupted += self.open_iteration is not None
        self.open_iteration = self.done
        self.save()

    def end(self, outcome: Outcome, seconds: float, repeat: str) -> None:
        """Add what the iteration came to."""
        counts = Counter(self.counts)
        counts.update(outcome.counts)  # Unlike a sum this keeps what was counted and is none.
        self.counts = dict(counts)
        for name, figure in outcome.worst.items():
            self.worst[name] = max(figure, self.worst.get(name, figure))
        self.faults += [asdict(one) for one in outcome.faults]
        for what in outcome.findings:
            self.findings.append({"iteration": self.done, "what": what, "evidence": outcome.evidence, "repeat": repeat})
        self.done, self.seconds, self.open_iteration = self.done + 1, self.seconds + seconds, None
        self.save()


def resume(part: str, seed: int | None, target: int) -> Progress:
    """The progress to go on with: of this seed, else the newest unfinished one, else a new one with a seed by chance."""
    if seed is None:
        unfinished = [found for found in kept(part) if not found.is_finished]
        if unfinished:
            return unfinished[-1]
        seed = random.SystemRandom().randrange(LARGEST_SEED)
    found = next((one for one in kept(part) if one.seed == seed), Progress(part, seed, target))
    found.target = max(target, found.done)
    return found


def kept(part: str) -> list[Progress]:
    """All progress kept of a part, the newest last."""
    files = sorted(RESULTS.glob(f"{part}-*.json"), key=lambda path: path.stat().st_mtime)
    return [Progress(**json.loads(path.read_text(encoding="utf-8"))) for path in files]
