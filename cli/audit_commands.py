"""`mdm audit`: whether the log of who read and changed what stands as it was written, and a copy that proves it elsewhere."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.output import Output, unfolded
from cli.words import counted
from kernel import actor, audit, db
from kernel.errors import Invalid
from stewardship import audit_files, audit_reading, audit_sealing
from stewardship.audit_reading import Report

console = Console()
audit_app = typer.Typer(help="The log of who read and changed what.", no_args_is_help=True, rich_markup_mode=None)
WHO = actor.at_command_line()
TAMPERED = 2
WORDS = {
    "row_or_order_changed": "the row, or its place, is not what was sealed",
    "row_missing": "the row was deleted",
    "row_inserted": "the row came in where none was to come",
    "seal_missing": "seals were deleted here",
    "seal_doubled": "a seal stands twice, or out of order",
    "chain_rewritten": "the chain up to here is not the one that was signed",
    "chain_truncated": "the chain ends here, and was signed beyond",
    "checkpoint_forged": "this checkpoint was not signed with the key",
}
Key = Annotated[list[str] | None, typer.Option("--public-key", help="As `mdm audit key` prints it; may be given several times.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(audit_app, name="audit")


@audit_app.command(epilog="Exit codes: 0 as written, 2 something was tampered with, 1 failed.")
def verify(
    export: Annotated[Path | None, typer.Option(help="Verify this export; needs neither database nor secret.")] = None,
    public_key: Key = None,
    checkpoints: Annotated[Path | None, typer.Option(help="Checkpoints that were kept elsewhere.", show_default=False)] = None,
    output: Output = Output.TABLE,
) -> None:
    """Find edits, deletions, insertions, other orders and what was cut off; say where, and what is not sealed yet.

    Example: mdm audit verify --export audit.ndjson --public-key … --checkpoints checkpoints.ndjson
    """
    outside = audit_files.read_checkpoints(checkpoints or (audit_files.checkpoint_file() if export is None else Path()))
    if export is not None:
        found = audit_reading.verify(audit_files.read_export(export), _keys(public_key, export), outside)
    else:
        with db.read_only(snapshot=True) as session:
            found = audit_reading.verify(audit_reading.stored(session), _keys(public_key), outside)
    _show(found, output)
    if found.findings:
        raise typer.Exit(TAMPERED)


def _keys(given: Sequence[str] | None, export: Path | None = None) -> list[bytes]:
    """The public keys to go by. An export names one itself, which proves nothing: whoever forges it names their own."""
    if not given and export is not None:
        raise Invalid("An export is verified by a key that was kept apart from it: --public-key", code="no_key")
    try:
        return [base64.b64decode(one, validate=True) for one in given] if given else [audit_sealing.public_key()]
    except binascii.Error as broken:
        raise Invalid("A public key is 32 bytes in base64, as `mdm audit key` prints it", code="bad_key") from broken


def _show(found: Report, output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps(asdict(found), indent=2))
        return
    console.print(f"{counted(found.sealed, 'row')} in the chain, signed up to {found.signed_seq:,}", highlight=False)
    if found.unsealed:
        console.print(
            f"{counted(found.unsealed, 'row')} not sealed yet, the oldest of {found.oldest_unsealed_at}", highlight=False
        )
    if not found.findings:
        console.print("Everything stands as it was written.")
        return
    table = Table("place", "audit id", "what was done", box=None, pad_edge=False)
    for one in found.findings:
        table.add_row(*(str(value or "") for value in (one.seq, one.audit_id)), WORDS[one.code])
    unfolded(console).print(table)


@audit_app.command()
def export(file: Annotated[Path, typer.Argument(help="Where to write it (NDJSON).", show_default=False)]) -> None:
    """Write the whole log with its chain to a file, which `mdm audit verify --export` verifies anywhere. Is audited itself."""
    draft = file.with_name(f".{file.name}.draft")
    with db.transaction() as session:
        audit.record(session, WHO.actor, "audit.exported", "audit", "all")
    try:
        with db.read_only(snapshot=True) as session, draft.open("wb") as opened:
            opened.writelines(audit_files.exported(session))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    console.print(f"written to {file}", highlight=False, soft_wrap=True)


@audit_app.command()
def key() -> None:
    """Print the public key by which checkpoints are verified. Keep it apart from the log."""
    typer.echo(base64.b64encode(audit_sealing.public_key()).decode())
