"""`mdm alerts`: what callers did that they do not usually do, and who has looked at it."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from kernel import actor
from kernel.db import read_only, transaction
from stewardship import access_alerts

MOST = 50
console = Console()
alerts_app = typer.Typer(help="Unusual reads, merges and answers.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(alerts_app, name="alerts")


@alerts_app.command("list")
def list_() -> None:
    """List the latest: what nobody has looked at first."""
    with read_only() as session:
        found = access_alerts.listed(session, MOST)
    if not found:
        console.print("Nobody has read, merged or answered unlike before.")
    for one in found:
        console.print(f"{one.opened_at:%Y-%m-%d %H:%M} UTC  {one.sentence}", highlight=False, markup=False, soft_wrap=True)
        said = f"seen by {one.seen_by}, {'usual' if one.is_usual else 'not usual'}: {one.reason}" if one.seen_at else one.alert_id
        console.print(f"  {said}", style="dim" if one.seen_at else "yellow", highlight=False, markup=False, soft_wrap=True)


@alerts_app.command()
def seen(
    alert_id: Annotated[UUID, typer.Argument(help="As `mdm alerts list` says it.", show_default=False, metavar="ALERT")],
    reason: Annotated[str, typer.Option(help="What it was, in a sentence.", show_default=False)],
    usual: Annotated[bool, typer.Option("--usual", help="It was as it should be, and as much is usual from now on.")] = False,
) -> None:
    """Say that you have looked at one; it alerts no more."""
    with transaction() as session:
        access_alerts.see(session, alert_id, actor.at_command_line().actor, reason, is_usual=usual)
    console.print(f"{alert_id} is seen{', and as much is usual from now on' if usual else ''}", highlight=False)
