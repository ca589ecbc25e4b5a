"""`mdm merging`: automatic merging on hold: why, since when, and how to let it go on."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from cli.words import counted
from kernel import actor, approvals
from kernel.approvals import Proposal
from kernel.db import read_only, transaction
from mdm import merge_holds
from mdm import policy as policies
from mdm.merge_holds import Hold
from stewardship import merge_budget

console = Console()
merging_app = typer.Typer(help="Automatic merging: whether it is on hold.", rich_markup_mode=None)
Reason = Annotated[str, typer.Option(help="Why, in a sentence.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(merging_app, name="merging")


@merging_app.callback(invoke_without_command=True)
def status(context: typer.Context) -> None:
    """Say whether automatic merging is on hold, why, and how many records wait."""
    if context.invoked_subcommand:
        return
    with read_only() as session:
        found, waiting = merge_holds.in_force(session), merge_holds.waiting(session)
    if not found:
        console.print("Automatic merging goes on: nothing is on hold.")
        return
    for one in found:
        _print(one)
    console.print(
        f"{counted(waiting, 'record waits', 'records wait')}. When the cause is mended: mdm merging resume HOLD", style="dim"
    )


def _print(one: Hold) -> None:
    console.print(f"{_whose(one)} on hold since {one.began_at:%Y-%m-%d %H:%M} UTC, by {one.held_by}.", highlight=False)
    console.print(f"  {one.reason}", highlight=False)
    console.print(f"  hold {one.hold_id}", highlight=False, soft_wrap=True)


def _whose(one: Hold) -> str:
    return f"Merges of {one.sources[0]} with {one.sources[1]} are" if one.sources else "All automatic merging is"


@merging_app.command()
def hold(
    reason: Reason,
    source: Annotated[
        list[str] | None, typer.Option(help="Only merges of this source; with a second one: of the two.", show_default=False)
    ] = None,
) -> None:
    """Put automatic merging on hold. Nothing that is merged comes apart; who would newly be merged waits."""
    with transaction() as session:
        _require_sources(policies.current(session), source or ())
        held = merge_holds.begin(session, actor.at_command_line().actor, reason, source or None)
    _print(held)


def _require_sources(ruling: policies.Policy, sources: Sequence[str]) -> None:
    if len(sources) > 2:  # A merge has two sides.
        raise typer.BadParameter("name one source or two")
    for name in sources:
        ruling.named_source(name)


@merging_app.command()
def resume(
    hold_id: Annotated[UUID, typer.Argument(help="As `mdm merging` says it.", show_default=False, metavar="HOLD")], reason: Reason
) -> None:
    """Lift a hold: who waits is resolved by the workers now."""
    with transaction() as session:
        done = merge_budget.resume(session, hold_id, actor.at_command_line().actor, reason)
    if isinstance(done, Proposal):
        raise approvals.needed(done)
    console.print(f"Merging goes on: {counted(done, 'record')} resolved now by the workers.", highlight=False)
