"""`mdm verify` and `mdm reconcile`: recompute everything and name what differs; resolve everything anew, in bulk."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from cli import plan_report
from cli.bulk_options import BulkOptions, EngineOption, MemoryOption, bulk_options
from cli.forecast_report import outgrown
from cli.progress import progress
from cli.words import counted, own_command
from kernel.clock import uuid7
from kernel.db import read_only, transaction
from kernel.settings import settings
from matching.engine import EngineName
from mdm import parts, plans, policy, versions
from mdm import reconcile as bulk
from mdm import verify as verification
from mdm.crew import collect_seldom
from mdm.differences import Difference
from mdm.parts import Part
from mdm.reconcile_part import reconcile_part
from mdm.resolve import Resolved, Resolver
from mdm.verify import Report
from stewardship import tasks

MOST_SHOWN = 50
DIFFERENCES_FOUND = 2
NOT_ALL = 2
ENGINES = {EngineName.DUCKDB: "DuckDB", EngineName.SPARK: "Spark"}
console = Console()
errors = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("verify", epilog="Exit codes: 0 no difference, 2 differences, 1 failed.")(verify)
    app.command("reconcile", epilog="Exit codes: 0 all were resolved, 2 some could not be, 1 failed.")(reconcile)


def verify(
    deep: Annotated[
        bool, typer.Option("--deep", help="Standardize payloads again, and find the pairs by the other path as well.")
    ] = False,
    golden: Annotated[UUID | None, typer.Option(help="Verify one golden id and what hangs together with it.")] = None,
) -> None:
    """Recompute everything stored from records, decisions and founders, and name each difference. Changes nothing."""
    collect_seldom()
    with progress(errors, "verifying") as tell:
        report = verification.verify(transaction, tasks, golden, tell, settings().bulk_processes)
    if deep:
        with progress(errors, "verifying by the other path") as tell:
            report += verification.verify_deep(transaction, tasks, golden, progress=tell)
    show(report)
    raise typer.Exit(DIFFERENCES_FOUND if report.differences else 0)


def reconcile(
    source: Annotated[list[str] | None, typer.Option(help="Only this source's records; may be given several times.")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Only this brand's records; may be given several times.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    memory_limit: MemoryOption = None,
    engine: EngineOption = None,
) -> None:
    """Resolve all records anew, in bulk when there are many; comes to what the workers come to. Safe while they run.

    Of a source or brand: its records and whoever hangs together with them, one by one.
    """
    with read_only() as session:
        part = parts.checked(policy.current(session), Part(tuple(source or ()), tuple(brand or ())))
    if dry_run:
        with progress(errors, "evaluated") as tell:
            plan_report.print_plan(console, plans.plan(transaction, progress=tell, part=part))
    elif part.is_all:
        raise typer.Exit(NOT_ALL if resolve_all(console, errors, bulk_options(memory_limit, engine)).failed else 0)
    else:
        with progress(errors, "reconciling") as tell:
            done = reconcile_part(Resolver(transaction, tasks.project), part, uuid7(), tell)
        _tell(console, done)
        raise typer.Exit(NOT_ALL if done.failed else 0)


def resolve_all(console: Console, errors: Console, options: BulkOptions) -> Resolved:
    """Resolve all records anew; say which path was chosen and what came of it."""
    collect_seldom()
    with read_only() as session:
        choice = bulk.choose(session, settings().bulk_from_records, *options)
        rules = versions.stored(session)
    console.print(chosen(choice), highlight=False)
    if rules and (told := outgrown(rules.model, choice.records)):
        fit = f"`{own_command()} train --use` fits one to what is stored, in some minutes; it may as well be run first."
        console.print(f"The model {rules.model.name} was {told}. {fit}", style="yellow", highlight=False, soft_wrap=True)
    with progress(errors, "reconciling") as tell:
        done = bulk.reconcile(Resolver(transaction, tasks.project), tell, choice=choice)
    _tell(console, done)
    return done


def _tell(console: Console, done: Resolved) -> None:
    console.print(
        f"{counted(done.records, 'record')}, {counted(done.pairs, 'candidate pair')}, {counted(done.decisions, 'decision')},"
        f" {counted(done.goldens, 'golden record')} written",
        highlight=False,
    )
    if done.hot_keys:
        hot = counted(done.hot_keys, "blocking key is", "blocking keys are")
        console.print(f"{hot} hot: their refined keys serve instead.", highlight=False)
    alone = "without a usable key: no candidate can be found for them"
    crowded = "with hot keys only: nobody is found for them but exact copies"
    for number, what in ((done.keyless, alone), (done.unreachable, crowded)):
        if number:
            console.print(f"{counted(number, 'record')} {what}.", highlight=False)
    if done.partly_filed:
        held = counted(done.partly_filed, "record holds", "records hold")
        console.print(f"{held} more values than one is filed by: candidates are found by the others only.", highlight=False)
    if done.held:
        held = counted(done.held, "record waits", "records wait")
        console.print(f"{held}, for automatic merging is on hold: mdm merging says why.", highlight=False)
    if done.postponed:
        changed = counted(done.postponed, "record has", "records have")
        console.print(f"{changed} changed meanwhile; the workers resolve what is left.", highlight=False)
    if done.failed:
        failed = counted(done.failed, "record")
        console.print(
            f"{failed} could not be resolved here (the log names the error): the workers try them one by one, and put into"
            " quarantine what fails alone (mdm quarantine).",
            style="red",
            highlight=False,
        )


def chosen(choice: bulk.Choice) -> str:
    """Say which path was chosen and why."""
    counts = f"{counted(choice.records, 'record')}: "
    if choice.path is bulk.Path.ONLINE:
        return f"{counts}resolved one by one; in bulk from {settings().bulk_from_records:,} on (MDM_BULK_FROM_RECORDS)."
    return f"{counts}resolved in bulk, {ENGINES[choice.engine]} within {choice.memory_limit} (--memory-limit)."


def show(report: Report) -> None:
    """Print what verification came to."""
    console.print(
        f"{counted(report.records, 'record')}, {counted(report.goldens, 'golden id')}, {counted(report.decisions, 'decision')}"
        f" verified in {report.seconds:.1f} s: {counted(len(report.differences), 'difference')}",
        highlight=False,
    )
    if report.in_flight:
        owed = counted(report.in_flight, "record is", "records are")
        console.print(f"{owed} still owed a resolution, or connected with one that is: not judged.", highlight=False)
    show_differences(report.differences)
    if report.differences:
        console.print("`mdm rebuild` puts right what is derived.")


def show_differences(differences: Sequence[Difference]) -> None:
    """Print what differs: the first so many by name, all by kind."""
    if not differences:
        return
    table = Table("what", Column("id", no_wrap=True), "problem")
    for one in differences[:MOST_SHOWN]:
        table.add_row(one.kind, one.id, one.problem)
    console.print(table)
    kinds = Counter(one.kind for one in differences)
    console.print(", ".join(f"{kind}: {count:,}" for kind, count in kinds.items()))
    if len(differences) > MOST_SHOWN:
        console.print(f"The first {MOST_SHOWN} of {len(differences):,} are shown.")
