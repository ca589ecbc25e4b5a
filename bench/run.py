"""`make bench`: run every bench module, print one table, write JSON into bench/results.

A module measures in a process of its own, so that none inherits another's memory or connections. Exit code 1 when a goal is
missed and 2 when a module failed. `python -m bench.run scorer lookup` runs only those. Without Spark its line is left out.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from matching.engine import DEFAULT_MEMORY_LIMIT
from matching.spark_readiness import missing

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
LEFT_OUT = {
    "__init__", "line", "run", "one", "stages", "server", "accuracy_sets", "rival", "splink_alone", "thresholds", "serving",
    "stored", "costs", "sink",
}  # fmt: skip
console = Console(width=None if sys.stdout.isatty() else 130)


def modules(wanted: list[str]) -> list[str]:
    """The bench modules, cheapest first by name of their own choice: those wanted, or all."""
    known = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem not in LEFT_OUT)
    unknown = set(wanted) - set(known)
    if unknown:
        raise SystemExit(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [name for name in known if (name in wanted if wanted else _is_ready(name))]


def _is_ready(name: str) -> bool:
    """Say whether a module that needs more than Python can run here, and on the terminal what it lacks."""
    lacking = missing(DEFAULT_MEMORY_LIMIT) if name == "spark" else None
    if lacking:
        console.print(f"bench.{name} is left out: {lacking}", highlight=False)
    return lacking is None


def measure(module: str) -> list[dict[str, Any]] | None:
    """Run one module in its own process; None when it failed, its words being on the terminal."""
    console.print(f"bench.{module} …", style="dim")
    command = [sys.executable, "-m", "bench.one", module]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own command line.
    if done.returncode:
        return None
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(lines: list[dict[str, Any]]) -> Table:
    """All lines, each with its goal and whether it is met."""
    made = Table("measured", "value", "unit", "goal", "", "note", title="Bench")
    made.columns[1].justify = made.columns[3].justify = "right"
    for line in lines:
        goal = "" if line["goal"] is None else f"{'≤' if line['at_most'] else '≥'} {line['goal']:g}"
        state = {None: "", True: "[green]met[/green]", False: "[red]missed[/red]"}[line["is_met"]]
        made.add_row(line["name"], f"{line['value']:,.4g}", line["unit"], goal, state, line["note"])
    return made


def write(lines: list[dict[str, Any]], failed: list[str]) -> Path:
    """Keep the figures with the time and the machine they were taken on."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    path = RESULTS / f"{now:%Y%m%dT%H%M%S}.json"
    path.write_text(
        json.dumps({"at": now.isoformat(), "machine": machine, "failed": failed, "lines": lines}, indent=1), encoding="utf-8"
    )
    return path


def main(wanted: list[str]) -> int:
    """Run, print, write."""
    lines: list[dict[str, Any]] = []
    failed = []
    for module in modules(wanted):
        found = measure(module)
        lines += found or []
        if found is None:
            failed.append(module)
    console.print(table(lines))
    console.print(f"written to {write(lines, failed)}", style="dim", soft_wrap=True)
    if failed:
        console.print(f"failed: {', '.join(failed)}", style="red")
        return 2
    return int(any(line["is_met"] is False for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
