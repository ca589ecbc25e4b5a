"""`mdm approvals`: what waits for a second person: listed, approved, rejected."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from cli.output import unfolded
from kernel import actor, approvals
from kernel.approvals import Proposal
from kernel.db import read_only, transaction
from mdm import ruling

console = Console()
approvals_app = typer.Typer(help="What waits for a second person.", no_args_is_help=True, rich_markup_mode=None)
ApprovalId = Annotated[UUID, typer.Argument(help="As `mdm approvals list` says it.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, in a sentence.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(approvals_app, name="approvals")


@approvals_app.command("list")
def list_(every: Annotated[bool, typer.Option("--all", help="Those that are decided or expired too.")] = False) -> None:
    """List what waits for a second person, the newest first."""
    with read_only() as session:
        found = approvals.listed(session, None if every else approvals.OPEN)
    if not found:
        console.print("Nothing waits for a second person.")
        return
    table = Table("approval", "kind", "about", "asked by", "asked (UTC)", "state", box=None, pad_edge=False)
    for one in found:
        state = f"{one.state} by {one.decided_by}" if one.decided_by else one.state
        table.add_row(str(one.approval_id), one.kind, _about(one), one.asked_by, f"{one.asked_at:%Y-%m-%d %H:%M}", state)
    unfolded(console).print(table)


def _about(one: Proposal) -> str:
    said = [f"{one.about[name]:,} {name}" for name in ("decisions", "records") if name in one.about]
    said += [f"value of {one.about['attribute']}"] if "attribute" in one.about else []
    said += [f"{name} {one.about[name][:12]}" for name in ("policy", "model") if name in one.about]
    return ", ".join(said)


@approvals_app.command()
def approve(approval_id: ApprovalId, reason: Reason) -> None:
    """Approve a policy or model that somebody else has proposed. A decision is seconded by giving the same answer."""
    decided = _decide(approval_id, approvals.APPROVED, reason)
    console.print(f"Approved. {decided.asked_by} can run the same command again now.", highlight=False)


@approvals_app.command()
def reject(approval_id: ApprovalId, reason: Reason) -> None:
    """Reject a proposal, or take one's own back."""
    _decide(approval_id, approvals.REJECTED, reason)
    console.print("Rejected: nothing comes of it.", highlight=False)


def _decide(approval_id: UUID, state: str, reason: str) -> Proposal:
    with transaction() as session:
        by = actor.at_command_line().actor
        return approvals.decide(session, approval_id, by, state, reason, frozenset({ruling.KIND}))
