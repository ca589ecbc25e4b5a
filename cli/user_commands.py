"""`mdm users`: who may sign in to the console. Passwords are made here and printed once, or read from standard input."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.output import unfolded
from cli.words import counted
from kernel import actor, clock, db
from kernel.errors import Invalid
from stewardship import accounts

console, errors = Console(), Console(stderr=True)
users_app = typer.Typer(help="Who may sign in to the console.", no_args_is_help=True, rich_markup_mode=None)
WHO = actor.at_command_line()
Name = Annotated[str, typer.Argument(help="Small letters, digits, dot, dash, underscore.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(users_app, name="users")


@users_app.command()
def add(
    name: Name,
    display_name: Annotated[str, typer.Option(help="As the console greets them.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="In place of a steward's: may be given several times.")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Limit to these brands.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Limit to these regions.")] = None,
    timezone: Annotated[str, typer.Option(help="In which times are shown, such as Europe/Madrid.")] = "UTC",
    role: Annotated[str | None, typer.Option(help="One of: " + ", ".join(actor.ROLES))] = None,
    password_stdin: FromInput = False,
) -> None:
    """Add somebody who may sign in, a steward unless a role or scopes are named; prints the password, this once."""
    if role and scope:
        raise Invalid("Name a role or scopes, not both", code="role_and_scopes")
    with db.transaction() as session:
        password = accounts.add(
            session,
            WHO.actor,
            name,
            display_name=display_name,
            scopes=scope or (() if role else accounts.STEWARD_SCOPES),
            brands=brand,
            regions=region,
            timezone=timezone,
            password=_given(password_stdin),
        )
        if role:
            accounts.give_role(session, WHO.actor, name, role)
    _print(name, password, password_stdin)


@users_app.command("list")
def list_() -> None:
    """List who may sign in."""
    with db.read_only() as session:
        known = accounts.every(session)
    table = Table(
        "name", "display name", "role or scopes", "brands", "time zone", "added", "signs in by", "state", box=None, pad_edge=False
    )
    now = clock.now()
    for one in known:
        is_locked = one.locked_until is not None and one.locked_until > now
        state = "disabled" if one.disabled_at else "locked" if is_locked else "active"
        brands = "all" if one.brands is None else ", ".join(one.brands)
        table.add_row(
            one.name,
            one.display_name,
            one.role or " ".join(one.scopes),
            brands,
            one.timezone,
            f"{one.created_at:%Y-%m-%d}",
            one.issuer or "password",
            state,
        )
    unfolded(console).print(table)


@users_app.command()
def role(name: Name, role: Annotated[str, typer.Argument(help="One of: " + ", ".join(actor.ROLES))]) -> None:
    """Give somebody a role, in place of the scopes or the role that they had."""
    with db.transaction() as session:
        accounts.give_role(session, WHO.actor, name, role)
    console.print(f"{name} has the role {role}", highlight=False)


@users_app.command()
def password(name: Name, password_stdin: FromInput = False) -> None:
    """Give somebody another password, end their sessions, and let them in again if they were locked out or disabled."""
    with db.transaction() as session:
        made = accounts.set_password(session, WHO.actor, name, _given(password_stdin))
    _print(name, made, password_stdin)


@users_app.command()
def disable(name: Name) -> None:
    """Let somebody sign in no more; their sessions end at once."""
    with db.transaction() as session:
        accounts.disable(session, WHO.actor, name)
    console.print(f"{name} is disabled", highlight=False)


@users_app.command("sign-out")
def sign_out(name: Name) -> None:
    """End somebody's sessions; who signs in again has what they may do from then on."""
    with db.transaction() as session:
        ended = accounts.sign_out(session, WHO.actor, name)
    console.print(f"{counted(ended, 'session')} of {name} ended", highlight=False)


@users_app.command()
def enable(name: Name) -> None:
    """Let somebody sign in again who was disabled."""
    with db.transaction() as session:
        accounts.enable(session, WHO.actor, name)
    console.print(f"{name} is enabled", highlight=False)


def _given(from_input: bool) -> str | None:
    return sys.stdin.readline().rstrip("\n") if from_input else None


def _print(name: str, password: str, is_known: bool) -> None:
    if is_known:
        console.print(f"{name} may sign in", highlight=False)
        return
    errors.print(f"password of {name}; it is shown this once:", highlight=False)
    console.print(password, soft_wrap=True, highlight=False, markup=False)
