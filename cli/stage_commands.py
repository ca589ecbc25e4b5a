"""`mdm source go-live`: a source's next stage, from shadow over review to live: looked at first, then ruling, and back."""

from typing import Annotated

import typer
from rich.console import Console
from sqlmodel import Session

from cli import adoption_report, plan_report
from cli.output import Output
from cli.policy_commands import source_app
from cli.progress import progress
from cli.words import own_command
from kernel import actor, approvals, audit, db
from kernel.errors import Conflict
from mdm import plans, policy, policy_text, ruling, versions
from mdm.policy import Policy
from mdm.policy_schema import Stage

NEXT = {Stage.SHADOW: Stage.REVIEW, Stage.REVIEW: Stage.LIVE}
OPERATOR = actor.at_command_line()
console = Console()
errors = Console(stderr=True)


def register(_app: typer.Typer) -> None:
    """Add the command to the group that another module has made."""
    source_app.command("go-live")(go_live)


def go_live(
    source: Annotated[str, typer.Argument(help="A source of the policy.", show_default=False)],
    apply: Annotated[bool, typer.Option("--apply", help="Let it rule; else only say what it would do.")] = False,
    past_review: Annotated[bool, typer.Option("--past-review", help="From shadow to live at once.")] = False,
    output: Annotated[Output, typer.Option(help="What it would do, for people or for programs.")] = Output.TABLE,
) -> None:
    """Move a source to its next stage: from shadow to review (every merge is asked about), from review to live.

    Says what would be merged, without storing it; with --apply a policy version with that stage rules, and `mdm policy rollback`
    takes it back, to the same ids and values.

    Example: mdm source go-live outlet
    """
    with db.transaction() as session:
        in_force = policy.current(session)
    wanted = _next(in_force, source, past_review)
    if not apply:
        with progress(errors, "evaluated") as tell:
            found = plans.plan(db.transaction, wanted, progress=tell)
        if output is Output.TABLE:
            console.print(f"{source} in stage {wanted.sources[source].stage}:", highlight=False)
        plan_report.tell(console, found, output)
        return
    stored = _apply(in_force, wanted, source)
    console.print(
        f"{source} is in stage {stored.sources[source].stage}, by policy version {stored.version}."
        f" Back: {own_command()} policy rollback {in_force.version}",
        highlight=False,
        soft_wrap=True,
    )
    adoption_report.tell(console, errors)


def _next(in_force: Policy, source: str, past_review: bool) -> Policy:
    """The policy in force with the next stage of a source. Raises: NotFound; Conflict for one that is live."""
    stage = in_force.named_source(source).stage
    if stage not in NEXT:
        raise Conflict(f"{source} is live already", code="already_live")
    wanted = Stage.LIVE if past_review else NEXT[stage]
    return policy_text.with_stage(in_force, source, wanted, f"{source} went from {stage} to {wanted} by `mdm source go-live`.")


def _apply(in_force: Policy, wanted: Policy, source: str) -> Policy:
    """Let it rule. Raises: Conflict when another policy has come to rule since it was read."""
    with db.transaction() as session:
        versions.hold(session)
        if policy.current(session).version != in_force.version:
            raise Conflict("Another policy rules by now: look again", code="policy_replaced")
        waiting = ruling.adopt(session, actor.at_command_line().actor, wanted)
        stored = policy.current(session)
        if waiting is None:
            _audit(session, source, stored)
    if waiting is not None:
        raise approvals.needed(waiting)
    return stored


def _audit(session: Session, source: str, stored: Policy) -> None:
    detail = {"policy_version": stored.version, "stage": str(stored.sources[source].stage)}
    audit.record(session, OPERATOR.actor, "source.set_stage", "source", source, detail=detail)
