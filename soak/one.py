"""Run one part of the soak until its target or its time is reached: `python -m soak.one orders --seed 7 [--only 3]`.

Keeps its progress after every iteration. With `--only` one iteration is run again and nothing is kept but its evidence.
"""

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from kernel import log
from soak.progress import RESULTS, Outcome, Progress, resume

LONGEST_MINUTES = 40.0


def main() -> int:
    """Run; exit code 1 when something was found."""
    asked = _arguments()
    log.configure(json=False, level="ERROR")
    part = importlib.import_module(f"soak.{asked.part}")
    progress = resume(asked.part, asked.seed, asked.iterations or part.TARGET)
    if asked.only is not None:
        return _again(part, progress, asked.only)
    _tell(f"{asked.part}: seed {progress.seed}, {progress.done} of {progress.target} iterations done before")
    before = len(progress.findings)
    _run(part, progress, asked.minutes)
    return int(len(progress.findings) > before)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part")
    parser.add_argument("--seed", type=int, help="without one the newest unfinished run goes on, or a new one begins")
    parser.add_argument("--minutes", type=float, default=LONGEST_MINUTES)
    parser.add_argument("--iterations", type=int, help="how many instead of the part's own number")
    parser.add_argument("--only", type=int, help="run this one iteration again")
    return parser.parse_args()


def _run(part: Any, progress: Progress, minutes: float) -> None:
    """Run iterations; none is begun that would, as long as the longest so far, pass the time."""
    started, longest = time.monotonic(), 0.0
    with part.ready() as place:
        while not progress.is_finished:
            begun = time.monotonic()
            if longest and begun + longest > started + min(minutes, LONGEST_MINUTES) * 60:
                break
            progress.begin()
            outcome = _iterate(part, place, progress, progress.done)
            taken = time.monotonic() - begun
            longest = max(longest, taken)
            _tell_outcome(progress, outcome, taken)
            progress.end(outcome, taken, _repeat(progress, progress.done))


def _again(part: Any, progress: Progress, iteration: int) -> int:
    started = time.monotonic()
    with part.ready() as place:
        outcome = _iterate(part, place, progress, iteration)
    _tell(f"iteration {iteration} again: {dict(outcome.counts)} {outcome.worst or ''} in {time.monotonic() - started:.0f} s")
    for what in outcome.findings:
        _tell(f"  FOUND {what}")
    return int(bool(outcome.findings))


def _iterate(part: Any, place: Any, progress: Progress, iteration: int) -> Outcome:
    """Run one iteration; whatever it raises is a finding."""
    evidence = Path(RESULTS / f"{progress.part}-{progress.seed}-{iteration}")
    try:
        outcome: Outcome = part.run(place, f"{progress.part}:{progress.seed}:{iteration}", evidence)
    except Exception:  # noqa: BLE001 - the soak goes on, and says what happened.
        outcome = Outcome(findings=[traceback.format_exc()])
    if outcome.findings:
        evidence.mkdir(parents=True, exist_ok=True)
        (evidence / "findings.txt").write_text("\n\n".join(outcome.findings), encoding="utf-8")
        outcome.evidence = str(evidence)
    return outcome


def _repeat(progress: Progress, iteration: int) -> str:
    return f".venv/bin/python -m soak.one {progress.part} --seed {progress.seed} --only {iteration}"


def _tell_outcome(progress: Progress, outcome: Outcome, taken: float) -> None:
    told = [f"{count:,} {name}" for name, count in sorted(outcome.counts.items())]
    counted = ", ".join([*told, *(f"worst {name} {figure:.3g}" for name, figure in sorted(outcome.worst.items()))])
    _tell(f"  {progress.part} {progress.done + 1}/{progress.target}: {counted} in {taken:.0f} s")
    for what in outcome.findings:
        _tell(f"  FOUND {what}")
    if outcome.findings:
        _tell(f"  evidence in {outcome.evidence}; again: {_repeat(progress, progress.done)}")


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
