"""`mdm policy` and `mdm source`: check, apply and show the policy; list its sources and how fresh they are."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kernel import clock
from kernel.db import read_only, transaction
from mdm import policy, sources, versions

console = Console()
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
    """Check a policy document; every fault is told with its line and field. Needs no database."""
    found = policy.load(file)
    console.print(
        f"{file}: {len(found.sources)} sources, no fault. Fingerprint {found.fingerprint}", markup=False, soft_wrap=True
    )


def apply(file: Annotated[Path, typer.Argument(help="A policy document.", show_default=False)]) -> None:
    """Store a policy document and let it rule. Records resolved under another policy are resolved again by the workers."""
    found = policy.load(file)
    with transaction() as session:
        stored = policy.store(session, found, "mdm policy apply")
        versions.adopt(session, stored)
    console.print(
        f"Policy version {stored.version} rules: {len(stored.sources)} sources. Fingerprint {stored.fingerprint}", soft_wrap=True
    )


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
        ruling = policy.current(session)
        figures = sources.figures(session)
    table = Table("source", "kind", "brand", "stage", "trust", "owner", "records", "last change", "fresh")
    for name, source in ruling.sources.items():
        seen = figures.get(name, sources.NOTHING)
        last = seen.last_changed_at.isoformat(timespec="minutes") if seen.last_changed_at else "never"
        fresh = _freshness(source.fresh_within, seen.last_changed_at)
        table.add_row(
            name,
            source.channel_kind,
            source.brand,
            source.stage,
            f"{source.trust:g}",
            source.owner,
            f"{seen.records:,}",
            last,
            fresh,
        )
    console.print(table)


def _freshness(within: timedelta | None, last: datetime | None) -> str:
    if within is None:
        return ""
    return "yes" if last is not None and clock.now() - last <= within else "stale"
