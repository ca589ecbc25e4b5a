"""`mdm policy plan|rollback`, `mdm model plan`: what another policy or model would do, before it rules; and back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cli import adoption_report, model_choice, plan_report
from cli.model_life import NAMED, model_app
from cli.output import Output
from cli.policy_commands import policy_app, show_changes
from cli.progress import progress
from kernel import actor, approvals, db
from kernel.errors import NotFound
from matching.model import Model
from mdm import plans, policy, policy_changes, ruling, sources
from mdm.policy import Policy

OUTPUT = Annotated[Output, typer.Option(help="For people, or for programs.")]
console = Console()
errors = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the groups that others have made."""
    policy_app.command("plan")(plan_policy)
    policy_app.command()(rollback)
    model_app.command("plan")(plan_model)


def plan_policy(
    file: Annotated[Path, typer.Argument(help="A policy document.", show_default=False)], output: OUTPUT = Output.TABLE
) -> None:
    """Say what a policy document would make of the stored golden records, without storing it.

    Evaluates every record beside what is stored; nothing waits for it and nothing changes.
    """
    wanted = policy.load(file)
    if output is Output.TABLE:
        with db.read_only() as session:
            before = policy.in_force(session)
            held = {source: one.records for source, one in sources.figures(session).items()}
        show_changes(console, policy_changes.difference(before, wanted, held), before is None)
    _plan(output, wanted, None)


def plan_model(model: NAMED, output: OUTPUT = Output.TABLE) -> None:
    """Say what another model would make of the stored golden records, before it rules."""
    _plan(output, None, model_choice.chosen(model))


def _plan(output: Output, chosen: Policy | None, model: Model | None) -> None:
    with progress(errors, "evaluated") as tell:
        found = plans.plan(db.transaction, chosen, model, tell)
    plan_report.tell(console, found, output)


def rollback(
    version: Annotated[
        int | None, typer.Argument(help="The policy version to go back to; the next lower one when none is named.")
    ] = None,
) -> None:
    """Let an earlier policy version rule again. Records are resolved again, to the ids and values that they had under it."""
    with db.transaction() as session:
        before = policy.current(session)
        wanted = version if version is not None else before.version - 1
        if wanted < 1:
            raise NotFound("No policy ruled before this one", code="no_earlier_policy")
        stored = policy.by_version(session, wanted)
        waiting = ruling.adopt(session, actor.at_command_line().actor, stored)
    if waiting is not None:
        raise approvals.needed(waiting)
    console.print(f"Policy version {stored.version} rules again, in place of version {before.version}.", highlight=False)
    adoption_report.tell(console, errors)
