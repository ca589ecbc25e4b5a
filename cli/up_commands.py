"""`mdm up`, `mdm migrate`, `mdm keys`: run the service, bring its schema up, manage its keys."""

import signal
import threading
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from cli import migrations
from cli.doctor import examine
from cli.findings import State
from cli.supervisor import Stack, prepare, running_stack
from kernel import actor, clock, db
from kernel.settings import settings
from mdm import policy
from stewardship import key_rotation

COLOURS = {"mdm": "bold", "worker": "magenta", "relay": "cyan", "sweeper": "yellow"}
STATES = {State.GOOD: "green", State.ODD: "yellow", State.BAD: "bold red"}
NAME_WIDTH = 8
console = Console()
errors = Console(stderr=True)
keys_app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command()(migrate)
    app.command()(doctor)
    app.add_typer(keys_app, name="keys")


def say(name: str, line: str) -> None:
    """Print one line under the name of who says it."""
    console.print(Text.assemble((f"{name:<{NAME_WIDTH}} ", COLOURS.get(name, "green")), Text.from_ansi(line)), soft_wrap=True)


def up() -> None:
    """Run everything here: PostgreSQL and broker (or those configured), migrations, API, workers, relay and sweeper."""
    stopping = stop_signal()
    with running_stack(settings(), say) as stack:
        greet(stack)
        while not stopping.wait(1.0):
            stack.children.watch()
    say("mdm", "stopped")


def stop_signal() -> threading.Event:
    """Give an event that Ctrl-C, SIGTERM and a closed terminal set; a second Ctrl-C interrupts at once."""
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    return stopping


def greet(stack: Stack) -> None:
    """Say where the service is, and hand over the first key."""
    say("mdm", f"the API answers at {stack.base_url}, its documentation at {stack.base_url}/docs")
    if stack.admin_key:
        say("mdm", f"admin key, shown this once: {stack.admin_key}")
    else:
        say("mdm", "a key was made before; another: mdm keys create NAME --scope admin")
    say("mdm", "Ctrl-C stops everything")


def migrate(
    first: Annotated[
        bool, typer.Option("--first", help="Also store the first policy and make the first key, as mdm up does.")
    ] = False,
) -> None:
    """Bring the schema of the configured database to this program's revision."""
    before, after = migrations.migrate()
    if first and (key := prepare(say)):
        say("mdm", f"admin key, shown this once: {key}")
    console.print(f"schema at {after}" if before == after else f"schema migrated from {before or 'nothing'} to {after}")


def doctor() -> None:
    """Look at everything, and say how to mend what is wrong. Exit code 1 when something is."""
    findings = list(examine(settings()))
    for finding in findings:
        line = Text.assemble((f"{finding.state.value:<5}", STATES[finding.state]), (f"{finding.what:<20}", "bold"), finding.seen)
        console.print(line, soft_wrap=True)
        if finding.mend:
            console.print(Text.assemble(" " * 5, ("mend ", "bold"), finding.mend), soft_wrap=True)
    if any(finding.state is State.BAD for finding in findings):
        raise typer.Exit(1)


@keys_app.command("create")
def create(
    name: str,
    scope: Annotated[list[str] | None, typer.Option(help="Several may be given: " + ", ".join(sorted(actor.SCOPES)))] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Limit to these brands")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Limit to these regions")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Expires after so many days")] = None,
    role: Annotated[str | None, typer.Option(help="One of: " + ", ".join(actor.ROLES))] = None,
    agent: Annotated[bool, typer.Option("--agent", help="For a program that reads and proposes, and never decides")] = False,
    purpose: Annotated[str | None, typer.Option(help="Answer it only what the policy lets be used for this")] = None,
) -> None:
    """Make a key and print it, this once: with a role, with scopes, or with a role and some more."""
    expires_at = clock.now() + timedelta(days=days) if days else None
    kind = actor.AGENT if agent else actor.SERVICE
    with db.transaction() as session:
        info, text = actor.create_key(session, name, scope or (), brand, region, expires_at, role, kind, _who())
        if purpose is not None:
            key_rotation.bind(session, info.key_id, purpose, _who())
        ruling = policy.in_force(session)
    for one in sorted(set(brand or ()) - ({source.brand for source in ruling.sources.values()} if ruling else set())):
        errors.print(
            f"[yellow]look[/yellow] no source of the policy has the brand {escape(one)}", highlight=False, soft_wrap=True
        )
    errors.print(f"key {info.key_id} for {name}; it is shown this once:")
    console.print(text, soft_wrap=True, highlight=False)


@keys_app.command("list")
def list_() -> None:
    """List the keys; their secrets are not known."""
    with db.read_only() as session:
        known = actor.list_keys(session)
    table = Table("id", "name", "role and scopes", "brands", "created", "state")
    for key in known:
        expired = key.expires_at is not None and key.expires_at <= clock.now()
        state = "revoked" if key.revoked_at else "expired" if expired else "valid"
        brands = "all" if key.brands is None else ", ".join(key.brands)
        kind = ["(agent)"] if key.kind == actor.AGENT else []
        purpose = [f"(for {key.purpose})"] if key.purpose else []
        powers = " ".join([*([key.role] if key.role else []), *key.scopes, *kind, *purpose])
        table.add_row(key.key_id, key.name, powers, brands, f"{key.created_at:%Y-%m-%d}", state)
    console.print(table)


@keys_app.command("limit")
def limit(
    key_id: str,
    per_minute: Annotated[int | None, typer.Option(min=1, help="Requests a minute; none named: as many as it likes")] = None,
    identifiers_per_hour: Annotated[int | None, typer.Option(min=1, help="Different customers it may ask for an hour")] = None,
) -> None:
    """Say how much a key may ask, on every process within a second."""
    with db.transaction() as session:
        actor.limit_key(session, key_id, per_minute, identifiers_per_hour, _who())
    limits = ((per_minute, "requests a minute"), (identifiers_per_hour, "customers an hour"))
    shown = [f"{most:,} {what}" for most, what in limits if most]
    console.print(f"key {key_id} may ask {' and '.join(shown) or 'without limit'}", highlight=False)


@keys_app.command("rotate")
def rotate(
    key_id: str,
    overlap_hours: Annotated[float, typer.Option(min=0, max=720, help="For which the old key goes on")] = 24.0,
) -> None:
    """Make a key that may do the same and print it, this once; the old one ends after a while."""
    with db.transaction() as session:
        made, text = key_rotation.rotate(session, key_id, _who(), timedelta(hours=overlap_hours))
    errors.print(f"key {made.key_id} for {made.name}, in place of {key_id}, which ends in {overlap_hours:g} h; shown this once:")
    console.print(text, soft_wrap=True, highlight=False)


def _who() -> str:
    return actor.at_command_line().actor


@keys_app.command("revoke")
def revoke(key_id: str) -> None:
    """Revoke a key, on every process within a second."""
    with db.transaction() as session:
        actor.revoke(session, key_id, _who())
    console.print(f"key {key_id} is revoked")
