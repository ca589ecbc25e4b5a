"""`mdm sealing`: by which of the service's keys payloads are sealed, and how they come under another."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table

from cli.output import unfolded
from cli.words import counted
from kernel import actor, audit
from kernel.db import read_only, transaction
from mdm import rewrapping
from mdm.rewrapping import Rewrapped

SHARED = "the secret key's own"
console = Console()
sealing_app = typer.Typer(help="The keys that payloads are sealed by.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(sealing_app, name="sealing")


@sealing_app.command()
def status() -> None:
    """Count how many data keys each key wraps; one that wraps none may go. Exit code 2 when some can be opened by none."""
    found = rewrapping.count(read_only)
    table = Table("key", "data keys", "", box=None, pad_edge=False)
    for name, number in zip(_names(found.by_key), found.by_key, strict=True):
        table.add_row(name, f"{number:,}", "wraps what comes" if name == _names(found.by_key)[0] else "")
    unfolded(console).print(table)
    _end(found)


@sealing_app.command()
def renew() -> None:
    """Wrap every data key by the first key of MDM_PAYLOAD_KEYS_FILE. Payloads are not touched; may be ended and begun again."""
    found = rewrapping.rewrap(transaction)
    with transaction() as session:
        detail = {"renewed": found.left, "unreadable": found.unreadable}
        audit.record(session, actor.at_command_line().actor, "payload_keys.renewed", "payload_keys", "", detail=detail)
    console.print(f"{counted(found.left, 'data key')} wrapped anew, by {_names(found.by_key)[0]}.", highlight=False)
    _end(found)


def _names(keys: Sequence[int]) -> list[str]:
    return [*(f"line {place + 1} of the file" for place in range(len(keys) - 1)), SHARED]


def _end(found: Rewrapped) -> None:
    if found.unreadable:
        text = (
            f"{counted(found.unreadable, 'data key')} can be opened by none of these keys: put back the one that was taken away."
        )
        console.print(text, highlight=False, soft_wrap=True)
        raise typer.Exit(2)
