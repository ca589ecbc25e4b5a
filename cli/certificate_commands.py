"""`mdm source certify` and `heal`: compare a source's full extract with what is stored, and mend what was found."""

import base64
import shutil
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from cli.policy_commands import source_app
from cli.words import counted
from kernel import actor, clock, db, jobs
from kernel.errors import Conflict, Invalid
from mdm import certificate_signing, certificates, chunks, files, uploads
from mdm import policy as policies
from mdm.certificates import Wish
from stewardship import healing

console = Console()
OPERATOR = actor.at_command_line()
NOT_CLEAN = 2
WAIT_SECONDS = 0.5
WORDS = {
    "missing": "missing here: the source must send them again",
    "ghost": "here, and not in the source",
    "stale": "older here than in the source: it must send them again",
    "merged_natively": "merged in the source, apart here",
    "matched": "agree",
    "not_compared": "on both sides, without version or time on both",
    "later": "came or went here since the extract was taken",
    "ahead": "newer here than in the extract",
}
SourceName = Annotated[str, typer.Argument(help="A source of the policy.", show_default=False)]


def register(_app: typer.Typer) -> None:
    """Add the commands to the group that another module has made."""
    source_app.command("certify", epilog="Exit codes: 0 clean, 2 something differs, 1 failed.")(certify)
    source_app.command("heal")(heal)


def certify(
    source: SourceName,
    file: Annotated[Path, typer.Argument(help="Every key that the source holds.", show_default=False)],
    taken_at: Annotated[str, typer.Option(help="When the source took the extract, with its zone.", show_default=False)],
    format_: Annotated[str | None, typer.Option("--format", help="keys, csv, ndjson or parquet; else by the name.")] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Let a file without rows say: nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the signed report to this file.", show_default=False)] = None,
) -> None:
    """Compare a source's full extract with what is stored of it: missing, ghosts, stale, merged natively. Changes nothing.

    Example: mdm source certify pos keys.csv --taken-at 2026-03-01T02:00:00+01:00 --report certificate.json
    """
    kind = format_ or files.KINDS.get(file.suffix.casefold()) or ""
    if not file.is_file():
        raise Invalid(f"There is no file {file}", code="no_file")
    wish = Wish(source, kind, _time(taken_at), allow_empty)
    made = _make(wish, file)
    with db.read_only() as session:
        certificate, _ = certificates.find(session, source, made)
    said = certificate.said
    if report is not None:
        report.write_bytes(_signed(said, certificate.signature or b""))
    _show(made, said)
    if not said["is_clean"]:
        raise typer.Exit(NOT_CLEAN)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = clock.now().replace(tzinfo=None)
    if at.tzinfo is None:
        raise Invalid("Say when the extract was taken, as 2026-03-01T02:00:00+01:00", code="bad_time")
    return at


def _make(wish: Wish, file: Path) -> uuid.UUID:
    """Make a certificate in this process. Raises: Conflict when its job failed."""
    upload = str(uuid.uuid4())
    with db.transaction() as session:
        certificates.check(policies.current(session), wish, OPERATOR)
        shutil.copyfile(file, uploads.path_of({"upload": upload, "kind": wish.format}))
        made = certificates.begin(session, policies.current(session), wish, upload, OPERATOR)
        claim = jobs.claim_chunk(session, "cli", [certificates.KIND], lease_seconds=chunks.LEASE_SECONDS, job_id=made)
    if claim is not None:
        with chunks.lease_kept(db.transaction, claim, chunks.LEASE_SECONDS * 100):
            certificates.make(db.transaction, claim)
    with db.read_only() as session:
        job = jobs.status(session, made)
    if job.error is not None:
        raise Conflict(f"The extract could not be certified: {job.error}", code=job.error)
    return made


def _signed(said: dict[str, Any], signature: bytes) -> bytes:
    public = base64.b64encode(certificate_signing.public_key()).decode()
    value = base64.b64encode(signature).decode()
    about = {"algorithm": certificate_signing.ALGORITHM, "public_key": public, "value": value}
    return orjson.dumps({"report": said, "signature": about}, option=orjson.OPT_APPEND_NEWLINE)


def _show(made: uuid.UUID, said: dict[str, Any]) -> None:
    extract = said["extract"]
    console.print(f"Certificate {made}, as of event {said['seq']}", highlight=False)
    rejected = sum(extract["rejected"].values())
    console.print(f"{counted(extract['rows'], 'row')}, {extract['duplicates']:,} doubled, {rejected:,} rejected", highlight=False)
    table = Table("keys", "", "such as", box=None, pad_edge=False)
    for name, words in WORDS.items():
        if said["counts"][name]:
            table.add_row(f"{said['counts'][name]:,}", words, ", ".join(said["examples"].get(name, [])[:3]))
    console.print(table)


def heal(
    source: SourceName,
    certificate: Annotated[uuid.UUID, typer.Argument(help="As `mdm source certify` names it.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why it is healed.", show_default=False)] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    confirm: Annotated[bool, typer.Option("--confirm", help="Delete also much, or by an extract with rejected rows.")] = False,
) -> None:
    """Delete ghosts and decide native merges of a certificate. What is missing or stale the source must send again.

    `mdm imports undo` with the job that is named takes the deletions back.

    Example: mdm source heal pos 019ae2f0-… --dry-run
    """
    with db.read_only() as session:
        found = healing.plan(session, source, certificate)
    console.print(
        f"Deletes {found.ghosts:,} of {found.records:,} records, decides {counted(found.merges, 'merge')};"
        f" the source must send {found.missing + found.stale:,} again.",
        highlight=False,
    )
    if dry_run:
        console.print(f"Nothing was changed. To be confirmed: {', '.join(found.because) or 'no'}", highlight=False)
        return
    with db.transaction() as session:
        job = healing.begin(session, found, OPERATOR, reason, confirm)
    _work(job.job_id)


def _work(job_id: uuid.UUID) -> None:
    """Work at the heal until it is done, beside workers who do."""
    while True:
        with db.transaction() as session:
            claim = jobs.claim_chunk(session, "cli", [healing.KIND], lease_seconds=chunks.LEASE_SECONDS, job_id=job_id)
        if claim is not None:
            chunks.take(db.transaction, healing.CHUNKS, claim)
        with db.read_only() as session:
            stands = jobs.status(session, job_id)
        if not stands.open_chunks or stands.finished_at is not None:
            break
        if claim is None:
            time.sleep(WAIT_SECONDS)
    said = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in stands.checkpoint.items())
    console.print(f"Job {job_id}: {said or 'nothing'}, {stands.failed_units:,} given up", highlight=False)
