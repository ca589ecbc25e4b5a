"""`mdm report`: the month for those who answer for the data."""

import csv
import json
import re
import sys
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.output import unfolded
from kernel import clock, db
from stewardship import governance
from stewardship.governance import Month, Told

console = Console()
MONTH = re.compile(r"(\d{4})-(\d{2})")


class Form(StrEnum):
    """How the report is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(report)


def report(
    month: Annotated[str | None, typer.Option(help="Such as 2026-11; without: this month so far.", show_default=False)] = None,
    output: Form = Form.TABLE,
) -> None:
    """Tell a month: duplicates, recognition, latency, quality, precision, the queue, what ruled, consent, privacy requests.

    Each figure with its formula, who owns it, and where the list behind it stands. Holds no value of a customer.
    """
    chosen = _month(month)
    told = governance.tell(db.read_only, chosen)
    if output is Form.JSON:
        typer.echo(json.dumps(governance.as_json(chosen, told), indent=2))
    elif output is Form.CSV:
        _write_csv(chosen, told)
    else:
        for one in told:
            _print(one)


def _month(text: str | None) -> Month:
    now = clock.now()
    found = MONTH.fullmatch(text) if text else None
    if text and not found:
        raise typer.BadParameter("say a month such as 2026-11", param_hint="--month")
    try:
        return Month.of(int(found[1]), int(found[2])) if found else Month.of(now.year, now.month)
    except ValueError as wrong:
        raise typer.BadParameter(f"there is no such month: {text}", param_hint="--month") from wrong


def _print(one: Told) -> None:
    measure = one.measure
    console.print(f"[bold]{measure.name}[/bold]{' (now)' if measure.is_now else ''}: {measure.formula}", highlight=False)
    if one.rows:
        table = Table(*measure.columns, box=None, pad_edge=False)
        for row in one.rows:
            table.add_row(*map(governance.shown, measure.columns, row))
        unfolded(console).print(table)
    else:
        console.print("took too long to be told" if one.rows is None else "nothing", style="dim")
    console.print(f"{measure.owner}; {measure.behind}\n", style="dim", highlight=False)


def _write_csv(month: Month, told: list[Told]) -> None:
    """A row for each figure: the month, the measure, what it is of, its name and value."""
    writer = csv.writer(sys.stdout)
    writer.writerow(("month", "measure", "of", "figure", "value"))
    for one in told:
        columns = one.measure.columns
        for row in one.rows or ():
            for column, value in list(zip(columns, row, strict=True))[1:]:
                writer.writerow((month.name, one.measure.name, row[0], column, "" if value is None else value))
