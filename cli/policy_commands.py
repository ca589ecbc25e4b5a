"""`mdm policy` and `mdm source`: check, apply and show the policy; list its sources and how fresh they are."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli import adoption_report, forecast_report, model_choice
from cli.words import counted
from kernel import actor, approvals, clock
from kernel.db import read_only, transaction
from kernel.errors import Conflict
from matching.model import default_model
from mdm import policy, policy_changes, ruling, sources, targets
from mdm.policy import Policy
from mdm.policy_changes import Difference, Sign

COLOURS = {Sign.ADDED: "green", Sign.REMOVED: "red", Sign.CHANGED: "yellow"}
PLAIN: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}
NARROW = 100
console = Console()
errors = Console(stderr=True)
policy_app = typer.Typer(help="Check, apply and show the policy.", no_args_is_help=True, rich_markup_mode=None)
source_app = typer.Typer(help="The sources that the policy names.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    policy_app.command("check")(check)
    policy_app.command("apply")(apply)
    policy_app.command("show")(show)
    source_app.command("list")(list_sources)
    app.add_typer(policy_app, name="policy")
    app.add_typer(source_app, name="source")


def check(file: Annotated[Path, typer.Argument(help="A policy document.", show_default=False)]) -> None:
    """Check a policy document; every fault is told with its line and field. Needs no database.

    Where it says what is asked of matching, the lines that this gives are told: under the model in force where a database has
    one, else under the one that ships.
    """
    found = policy.load(file)
    console.print(f"{file}: {counted(len(found.sources), 'source')}, no fault. Fingerprint {found.fingerprint}", **PLAIN)
    if not found.targets().says_nothing:
        _show_lines(found)


def _show_lines(found: Policy) -> None:
    """Say which lines the policy asks for; they are drawn when a model is trained."""
    ruling = model_choice.in_force()
    asked = found.targets()
    if ruling is not None:
        with read_only() as session:
            asked = targets.targets(session, found)
    model = ruling or default_model()
    console.print(f"What it asks of matching, under the model {model.name} ({model.fingerprint[:12]}):", **PLAIN)
    forecast_report.print_forecast(console, model, forecast_report.asked_of(model, asked), says_lines=True)
    console.print("`mdm train` draws these lines into the model that it makes.", **PLAIN)


def apply(
    file: Annotated[Path, typer.Argument(help="A policy document: it replaces the whole policy.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Let go of what would be lost: `apply` without it says what.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the workers have resolved every record under it.")] = False,
) -> None:
    """Say what a policy document changes, store it and let it rule. Records are then resolved again by the workers, as a job.

    Killed at any moment it has changed nothing, or the job goes on; the same document again says what is left.
    """
    found = policy.load(file)
    with transaction() as session:
        before = policy.in_force(session)
        records = {source: one.records for source, one in sources.figures(session).items()}
        changed = policy_changes.difference(before, found, records)
        show_changes(console, changed, before is None)
        _refuse_losses(changed, yes)
        waiting = ruling.adopt(session, actor.at_command_line().actor, found)
        stored = policy.current(session)
    if waiting is not None:
        raise approvals.needed(waiting)
    _show_sources(stored, records)
    console.print(f"Policy version {stored.version} rules. Fingerprint {stored.fingerprint}.", **PLAIN)
    adoption_report.tell(console, errors, wait)


def show_changes(console: Console, changed: Difference, is_first: bool) -> None:
    """Print what a document says otherwise than the policy that rules."""
    if is_first:
        return
    for one in changed.changes:
        detail = f"  ({one.detail})" if one.detail else ""
        console.print(f"{one.sign} {f'{one.what} {one.name}'.strip()}{detail}", style=COLOURS[one.sign], **PLAIN)
    if not changed.changes:
        console.print("It says what the policy in force says.", **PLAIN)


def _refuse_losses(changed: Difference, confirmed: bool) -> None:
    if changed.losses and not confirmed:
        told = "; ".join(changed.losses)
        raise Conflict(
            f"Nothing was changed: {told}. A document replaces the whole policy: put your source into the one that rules"
            " (mdm policy show > policy.yaml), or say --yes",
            code="policy_loses",
        )


def _show_sources(ruling: Policy, records: Mapping[str, int]) -> None:
    width = max(map(len, ruling.sources))
    for name, source in ruling.sources.items():
        held = f"  {counted(records[name], 'record')}" if records.get(name) else ""
        console.print(f"  {name:<{width}}  {source.stage:<6}  {source.channel_kind}{held}", **PLAIN)


def show(
    version: Annotated[int | None, typer.Option(help="Another version than the one that rules.", show_default=False)] = None,
) -> None:
    """Print the policy as it was written."""
    with read_only() as session:
        found = policy.current(session) if version is None else policy.by_version(session, version)
    console.print(f"# policy version {found.version}, fingerprint {found.fingerprint}", markup=False, highlight=False)
    console.print(found.text, markup=False, highlight=False, soft_wrap=True)


def list_sources() -> None:
    """List the sources: what they are, how many records they have, when one last changed, and whether they have gone stale."""
    with read_only() as session:
        in_force = policy.current(session)
        figures = sources.figures(session)
    wide = console.width >= NARROW
    about = ("kind", "brand", "stage", "trust", "owner") if wide else ("kind", "stage")
    table = Table("source", *about, "records", "last change", "fresh", box=None, pad_edge=False)
    for column in table.columns:
        column.no_wrap = True
    for name, source in in_force.sources.items():
        seen = figures.get(name, sources.NOTHING)
        said = (source.channel_kind, source.brand, source.stage, f"{source.trust:g}", source.owner)
        table.add_row(
            name,
            *(said if wide else (source.channel_kind, source.stage)),
            f"{seen.records:,}",
            f"{seen.last_changed_at:%Y-%m-%d}" if seen.last_changed_at else "never",
            _freshness(source.fresh_within, seen.last_changed_at),
        )
    console.print(table, highlight=False)


def _freshness(within: timedelta | None, last: datetime | None) -> str:
    if within is None or last is None:
        return ""
    return "yes" if clock.now() - last <= within else "stale"
