"""`mdm export`: the crosswalk, golden values, or what changed since a cursor, into a file."""

import os
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from sqlmodel import Session

from cli.words import counted
from kernel import actor, db, jobs
from kernel.db import Scope
from kernel.errors import Conflict, Invalid
from mdm import chunks, export_registry, exports
from mdm import policy as policies
from mdm.export_consents import Reach
from mdm.export_registry import Entry
from mdm.exports import Wish
from stewardship import privacy_gate

console = Console()
OPERATOR = actor.at_command_line()
Names = Annotated[list[str] | None, typer.Option(show_default=False)]


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("export")(export)


def export(
    kind: Annotated[str, typer.Argument(help="crosswalk, golden or changed-since.")],
    out: Annotated[Path, typer.Option(help="The file to write.", show_default=False)],
    format_: Annotated[str, typer.Option("--format", help="csv, ndjson or parquet.")] = "csv",
    field: Annotated[list[str] | None, typer.Option(help="An attribute of golden records; several times for several.")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Only of this brand; several times for several.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only of this source; several times for several.")] = None,
    after: Annotated[str | None, typer.Option(help="For changed-since: the cursor of the export or feed before.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What it is for: without what the policy keeps out of that.")] = None,
    consent: Annotated[
        str | None, typer.Option(help="Rows say whether this CHANNEL or CHANNEL:BRAND may be used for it.")
    ] = None,
) -> None:
    """Write the crosswalk, golden values or what changed to a file, all of one moment; says the cursor to follow the feed from.

    Example: mdm export golden --field name --field emails --out customers.csv
    For a mailing: mdm export golden --field name --purpose marketing --consent email:main --out mailing.csv
    """
    if not out.parent.is_dir():
        raise Invalid(f"There is no folder {out.parent}", code="no_folder")
    privacy_gate.require_now()
    wish = Wish(kind, format_, tuple(field or ()), _names(brand), _names(source), after, purpose, _reach(consent))
    with db.transaction() as session:
        export_id = exports.begin(session, policies.current(session), wish, OPERATOR)
        claim = jobs.claim_chunk(session, "cli", [exports.KIND], lease_seconds=chunks.LEASE_SECONDS, job_id=export_id)
    if claim is None:
        raise Conflict("Somebody else makes this export", code="lease_lost")
    try:
        with chunks.lease_kept(db.transaction, claim, exports.LONGEST_SECONDS):
            exports.make(db.transaction, _snapshot, claim)
        entry = _fetch(export_id, out)
    finally:
        _forget(export_id)
    console.print(f"{counted(entry.rows or 0, 'row')}, consistent with {entry.cursor}", highlight=False)
    if entry.neutralised_cells:
        console.print(f"{counted(entry.neutralised_cells, 'cell')} got a quote in front, so that no spreadsheet computes them.")


def _reach(text: str | None) -> Reach | None:
    channel, _, brand = (text or "").partition(":")
    return Reach(channel or None, brand or None) if text else None


def _names(names: list[str] | None) -> tuple[str, ...] | None:
    return tuple(names) if names else None


def _snapshot(scope: Scope) -> AbstractContextManager[Session]:
    return db.read_only(db.Role.APP, scope, snapshot=True)


def _fetch(export_id: UUID, out: Path) -> Entry:
    """Copy the file to where it is wanted; it appears there whole or not at all. Raises: as `hand_out`."""
    with db.transaction() as session:
        entry, path = export_registry.hand_out(session, export_id, OPERATOR)
    draft = out.with_name(f".{out.name}.{export_id}.part")
    try:
        with path.open("rb") as made, open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(made, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return entry


def _forget(export_id: UUID) -> None:
    """Leave no second copy in the service's folder."""
    with db.transaction() as session:
        entry = export_registry.remove(session, export_id, OPERATOR.actor)
    export_registry.delete_files(entry)
