"""`mdm imports`: which files were loaded, and taking one back, looked at first; cut off, it goes on where it was."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.output import unfolded
from cli.progress import progress
from cli.words import counted
from kernel import actor
from kernel.db import read_only, transaction
from kernel.jobs import Job
from mdm import import_undo, import_undo_preview, versions
from mdm.import_undo import Import
from mdm.import_undo_preview import Preview
from mdm.withdrawing import Fate

console = Console()
errors = Console(stderr=True)
imports_app = typer.Typer(help="Which files were loaded, and taking one back.", no_args_is_help=True)
NOT_ALL = 2
OPERATOR = actor.at_command_line()
WORDS = {
    Fate.EARLIER: "go back to what they said before",
    Fate.RETURNED: "were deleted by it and return",
    Fate.ENDED: "were first brought by it and end, as deleted ones do",
    Fate.KEPT: "stay: what they say came from elsewhere as well, before or since",
}
JobArgument = Annotated[UUID, typer.Argument(help="The import, as `mdm imports list` names it.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(imports_app, name="imports")


@imports_app.command("list")
def list_imports(limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 20) -> None:
    """List the latest imports: when, by whom, which file and source, how many rows, and whether they were undone."""
    with read_only() as session:
        found = import_undo.recent(session, limit)
    if not found:
        console.print("No file was imported yet.")
        return
    table = Table("import", "begun (UTC)", "by", "file", "source", "rows", "state", box=None, pad_edge=False)
    for one in found:
        table.add_row(*_row(one))
    unfolded(console).print(table)


def _row(one: Import) -> tuple[str | Text, ...]:
    job = one.job
    rows = f"{job.done_units + job.failed_units:,}"
    begun = f"{job.created_at:%Y-%m-%d %H:%M}"
    return str(job.job_id), begun, job.created_by, Text(str(job.params["file"])), str(job.params["source"]), rows, one.state


@imports_app.command(epilog="Exit codes: 0 done, 2 some records could not be taken back, 1 failed.")
def undo(
    job: JobArgument,
    reason: Annotated[str, typer.Option(help="Why it is taken back.", show_default=False)] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take an import back: every record stands as if it had never come, whatever came before and since. Asks first.

    Cut off, the same command goes on. To have it again, import the file again.

    Example: mdm imports undo 019ae2f0-… --dry-run
    """
    said = "" if dry_run else import_undo.checked_reason(reason)
    with read_only() as session:
        known = import_undo.find(session, job)
    if known.state != "being_undone":
        with transaction() as session:
            versions.current(session)  # Looking needs a version set to be there, and keeps nothing that it makes.
        found = _look(job)
        if dry_run:
            console.print("Nothing was changed.")
            return
        if found.fates and not yes:
            typer.confirm(f"Undo the import of {known.job.params['file']}?", abort=True)
    with transaction() as session:
        begun = import_undo.begin(session, job, OPERATOR, said)
    if known.state == "being_undone":
        console.print(
            f"This undo was cut off after {counted(begun.done_units, 'record')}; it goes on from there.", highlight=False
        )
    with progress(errors, "undoing", "records") as tell:
        done = import_undo.run(transaction, begun, OPERATOR.actor, tell)
    _say_done(done)


def _look(job: UUID) -> Preview:
    with progress(errors, "looking", "records") as tell:
        found = import_undo_preview.preview(transaction, job, tell)
    _say(f"{counted(found.fates.total(), 'record')} of which this import said something:", found.fates)
    changes = ", ".join(f"{count:,} {cause}" for cause, count in sorted(found.causes.items()))
    console.print(f"Golden ids that would answer otherwise: {changes or 'none'}.", highlight=False)
    return found


def _say(heading: str, fates: dict[Fate, int]) -> None:
    console.print(heading, highlight=False)
    for fate, words in WORDS.items():
        if fates.get(fate):
            console.print(f"  {fates[fate]:,} {words}", highlight=False)


def _say_done(done: Job) -> None:
    _say(f"{counted(done.done_units, 'record')} taken back:", {fate: done.checkpoint.get(fate, 0) for fate in Fate})
    console.print("What has changed waits for the workers; how far they are: mdm doctor", highlight=False)
    if done.failed_units:
        console.print(f"{counted(done.failed_units, 'record')} could not be taken back; the same command tries them again.")
        raise typer.Exit(NOT_ALL)
