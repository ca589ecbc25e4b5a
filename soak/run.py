"""`make soak`: run the parts one after another, each in a process of its own, and say what they came to.

`make soak PART=kills SEED=7 MINUTES=10` runs one part, with that seed, for at most so many minutes. Without a seed a part goes on
where the last soak stopped. Exit code 1 when a part found something, 2 when one could not run.
"""

import argparse
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from soak.one import LONGEST_MINUTES
from soak.progress import Progress, Suffered, kept
from soak.service import ROOT

PARTS = ("orders", "large", "engines", "storm", "ids", "consent", "returning", "kills", "exports", "faults", "properties")
FOUND = 1
console = Console(width=None if sys.stdout.isatty() else 130)


def main() -> int:
    """Run, print, and give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--minutes", type=float, default=LONGEST_MINUTES, help="of each part; 40 at most")
    asked = parser.parse_args()
    wanted = [asked.part] if asked.part else list(PARTS)
    codes = {part: _run(part, asked.seed, asked.minutes) for part in wanted}
    found = [one for part in wanted for one in kept(part)[-1:]]
    for one in found:
        if one.faults:
            console.print(_fault_table(one))
    console.print(_table(found))
    failed = [part for part, code in codes.items() if code not in (0, FOUND)]
    if failed:
        console.print(f"could not run: {', '.join(failed)}", style="red")
        return 2
    return FOUND if FOUND in codes.values() else 0


def _run(part: str, seed: int | None, minutes: float) -> int:
    command = [sys.executable, "-m", "soak.one", part, "--minutes", str(minutes)]
    return subprocess.run([*command, *(["--seed", str(seed)] if seed is not None else [])], cwd=ROOT, check=False).returncode  # noqa: S603 - our own command line.


def _fault_table(found: Progress) -> Table:
    """What was suffered, and what came of it."""
    made = Table(
        "fault", "while", "times", "lost", "doubled", "rework", "seconds: half, most", "note",
        title=f"Faults survived, seed {found.seed}",
    )  # fmt: skip
    for column in (2, 3, 4, 5, 6):
        made.columns[column].justify = "right"
    for one in (Suffered(**row) for row in found.faults):
        style = "red" if one.lost or one.duplicated else "green"
        counted = [f"{one.times:,}", f"[{style}]{one.lost}[/{style}]", f"[{style}]{one.duplicated}[/{style}]"]
        half, most = one.seconds
        made.add_row(one.fault, one.meanwhile, *counted, f"{one.rework:.1%}", f"{half:.1f}, {most:.1f}", one.note)
    return made


def _table(found: list[Progress]) -> Table:
    """What each part came to with the seed it has just run, earlier runs of that seed included."""
    made = Table("part", "seed", "done", "failures", "minutes", "counted", title="Soak")
    for column in (1, 2, 3, 4):
        made.columns[column].justify = "right"
    for one in found:
        failures = len({finding["iteration"] for finding in one.findings})
        style = "red" if failures else "green"
        told = [f"{count:,} {name}" for name, count in sorted(one.counts.items()) if " of " not in name]
        counted = ", ".join([*told, *(f"worst {name} {figure:.3g}" for name, figure in sorted(one.worst.items()))])
        done = f"{one.done}/{one.target}"
        made.add_row(one.part, str(one.seed), done, f"[{style}]{failures}[/{style}]", f"{one.seconds / 60:.1f}", counted)
    return made


if __name__ == "__main__":
    sys.exit(main())
