"""`mdm verify` and `mdm reconcile`: recompute everything and name what differs; resolve everything anew, in bulk."""

from collections import Counter
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from kernel.db import transaction
from mdm import reconcile as bulk
from mdm import verify as verification
from mdm.resolve import Resolver
from mdm.verify import Report
from stewardship import tasks

MOST_SHOWN = 50
DIFFERENCES_FOUND = 2
console = Console()
errors = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("verify", epilog="Exit codes: 0 no difference, 2 differences, 1 failed.")(verify)
    app.command("reconcile")(reconcile)


def verify(
    deep: Annotated[
        bool, typer.Option("--deep", help="Standardize payloads again, and find the pairs by the other path as well.")
    ] = False,
    golden: Annotated[UUID | None, typer.Option(help="Verify one golden id and what hangs together with it.")] = None,
) -> None:
    """Recompute everything stored from records, decisions and founders, and name each difference. Changes nothing."""
    with _progress() as bar:
        report = verification.verify(transaction, tasks, golden, progress=_teller(bar, "verifying"))
        if deep:
            report += verification.verify_deep(transaction, tasks, golden, progress=_teller(bar, "by the other path"))
    _show(report)
    raise typer.Exit(DIFFERENCES_FOUND if report.differences else 0)


def reconcile() -> None:
    """Resolve all records anew with the bulk engine; comes to what the workers come to. Safe while they run."""
    with _progress() as bar:
        done = bulk.reconcile(Resolver(transaction, tasks.project), _teller(bar, "reconciling"))
    console.print(
        f"{done.records:,} records, {done.pairs:,} candidate pairs, {done.decisions:,} decisions,"
        f" {done.goldens:,} golden records written"
    )
    if done.hot_keys:
        console.print(f"{done.hot_keys:,} blocking keys are hot: their refined keys serve instead.")
    for number, what in ((done.keyless, "have no usable key"), (done.unreachable, "have only hot keys")):
        if number:
            console.print(f"{number:,} records {what}: no candidate can be found for them.")
    if done.postponed:
        console.print(f"{done.postponed:,} records changed meanwhile and are left to the workers.")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True)


def _teller(bar: Progress, what: str) -> verification.Progress:
    task = bar.add_task(what, total=None)

    def tell(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    return tell


def _show(report: Report) -> None:
    console.print(
        f"{report.records:,} records, {report.goldens:,} golden ids, {report.decisions:,} decisions verified"
        f" in {report.seconds:.1f} s: {len(report.differences):,} differences"
    )
    if report.in_flight:
        console.print(f"{report.in_flight:,} records are still owed a resolution, or hang together with one: not judged.")
    if not report.differences:
        return
    table = Table("what", "id", "problem")
    for one in report.differences[:MOST_SHOWN]:
        table.add_row(one.kind, one.id, one.problem)
    console.print(table)
    kinds = Counter(one.kind for one in report.differences)
    console.print(", ".join(f"{kind}: {count:,}" for kind, count in kinds.items()))
    if len(report.differences) > MOST_SHOWN:
        console.print(f"The first {MOST_SHOWN} of {len(report.differences):,} are shown. `mdm reconcile` mends what is derived.")
