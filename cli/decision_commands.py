"""`mdm decisions import|undo`: decisions made elsewhere, from a file, and many decisions taken back; both looked at first."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from cli import decision_words
from cli.output import Output
from cli.words import counted, own_command
from kernel import actor
from kernel.db import transaction
from kernel.errors import Invalid
from mdm.resolve import Resolver
from stewardship import decision_files, undoing
from stewardship.decision_files import Outcome

WITH_REJECTS = 2
MOST_SHOWN = 50
OPERATOR = actor.at_command_line()
OUTPUT = Annotated[Output, typer.Option(help="For people, or for programs.")]
console = Console()
decisions_app = typer.Typer(help="Decisions made elsewhere, and many decisions taken back.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(decisions_app, name="decisions")


@decisions_app.command("import", epilog="Exit codes: 0 all rows, 2 some were rejected, 1 failed.")
def import_decisions(
    file: Annotated[Path, typer.Argument(help="CSV, NDJSON or Parquet.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Make the decisions of a file: left_source, left_key, right_source, right_key, verdict (match, no_match), reason, by, at.

    Each has `imported:` and what `by` says as its author. A file that is sent again makes nothing twice.

    Example: mdm decisions import merges.csv --dry-run
    """
    found = decision_files.run(Resolver(transaction), OPERATOR, file, dry_run)
    if output is Output.JSON:
        typer.echo(json.dumps(_as_json(found), indent=2))
    else:
        _print(found, dry_run)
    if found.rejects:
        raise typer.Exit(WITH_REJECTS)


@decisions_app.command()
def undo(
    reason: Annotated[str, typer.Option(help="Why they are taken back.", show_default=False)],
    set_id: Annotated[UUID | None, typer.Option("--set", help="All decisions of a set, as an import names it.")] = None,
    by: Annotated[str | None, typer.Option(help="Whose: the name of their key, or as the log names the author.")] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Of which day (UTC).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
) -> None:
    """Take back what still holds of a set of decisions, or of what somebody decided in a day: merges, splits, values set by hand.

    Example: mdm decisions undo --by maria --day 2026-11-29 --reason "Wrong screen" --dry-run
    """
    with transaction() as session:
        if set_id is not None and by is None and day is None:
            held = undoing.of_set(session, set_id)
        elif set_id is None and by is not None and day is not None:
            held = undoing.of_day(session, by, day.replace(tzinfo=UTC))
        else:
            raise Invalid("Say --set, or --by with --day", code="say_which")
    found = undoing.take_back(Resolver(transaction), OPERATOR, held, reason, dry_run)
    console.print(
        f"{counted(found.decisions, 'decision')} {'would end' if dry_run else 'ended'}; golden ids that answer otherwise:"
        f" {_told(found.causes) or 'none'}; {counted(found.questions, 'question')} left about them.",
        highlight=False,
    )


def _told(causes: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {cause}" for cause, count in sorted(causes.items()))


def _as_json(found: Outcome) -> dict[str, object]:
    rejects = [{"line": line, "code": code, "because": decision_words.of(code)} for line, code in found.rejects]
    return {
        "set_id": str(found.set_id), "rows": found.rows, "made": found.made, "known": found.known,
        "taken_back_before": found.taken_back, "changed": dict(found.causes), "questions": found.questions, "rejects": rejects,
        "asked": [{"line": line, "code": code} for line, code in found.asked],
    }  # fmt: skip


def _print(found: Outcome, dry_run: bool) -> None:
    lines = [
        f"{counted(found.rows, 'row')}: {counted(found.made, 'decision')} {'would be made' if dry_run else 'made'},"
        f" {found.known:,} known, {found.taken_back:,} taken back before, {len(found.rejects):,} rejected.",
        f"Golden ids that answer otherwise: {_told(found.causes) or 'none'};"
        f" {counted(found.questions, 'question')} left about them.",
    ]
    if found.asked:
        shown = ", ".join(str(line) for line, _ in found.asked[:MOST_SHOWN])
        lines.append(
            f"{counted(len(found.asked), 'match', 'matches')} against what stewards decided here: they are asked. Lines {shown}."
        )
    if found.made and not dry_run:
        lines.append(f"To take them back: {own_command()} decisions undo --set {found.set_id} --reason …")
    console.print("\n".join(lines), highlight=False, soft_wrap=True)
    table = Table("line", "code", "rejected because", box=None, pad_edge=False)
    for line, code in found.rejects[:MOST_SHOWN]:
        table.add_row(str(line), code, decision_words.of(code))
    if found.rejects:
        console.print(table)
    if len(found.rejects) > MOST_SHOWN:
        console.print(
            f"{counted(len(found.rejects) - MOST_SHOWN, 'more rejected row')} not shown: see --output json.", highlight=False
        )
