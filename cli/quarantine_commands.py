"""`mdm quarantine`: the records whose resolution failed again and again, why, and how they are tried again."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.output import Output
from cli.words import counted
from kernel.db import read_only, transaction
from mdm import pending, quarantined

MOST_SHOWN = 1_000
console = Console()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(quarantine)


def quarantine(
    retry: Annotated[bool, typer.Option("--retry", help="Try all of them again, when what failed them is mended.")] = False,
    output: Annotated[Output, typer.Option(help="For people, or for programs.")] = Output.TABLE,
) -> None:
    """List the records that failed again and again, with their reason; they keep the golden id that they had.

    To send such a record again lifts its quarantine only if it says something new.

    Example: mdm quarantine --retry
    """
    if retry:
        with transaction() as session:
            lifted = quarantined.lift(session)
        console.print(f"{counted(lifted, 'record')} tried again by the workers.", highlight=False)
        return
    with read_only() as session:
        found, all_of_them = quarantined.listed(session, MOST_SHOWN), pending.backlog(session).quarantined
    rows = [
        {
            "record_id": str(one.record_id),
            "source": one.source,
            "since": one.since.isoformat(timespec="seconds"),
            "error": one.error,
        }
        for one in found
    ]
    if output is Output.JSON:
        typer.echo(json.dumps({"records": all_of_them, "shown": rows}, indent=2))
        return
    table = Table("record", "source", "since", "error", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row.values())
    console.print(table if rows else "No record is in quarantine.", highlight=False)
    if len(rows) < all_of_them:
        console.print(f"{counted(all_of_them - len(rows), 'more record')} not shown.", highlight=False)
