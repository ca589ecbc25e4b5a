"""`mdm privacy`: requests of people about their data, carried out in this process, and the replay of the erasure ledger."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from cli.words import counted
from kernel import actor, clock, db, jobs
from kernel.errors import Conflict
from kernel.jobs import Claim
from mdm import chunks
from stewardship import privacy_confirming, privacy_erasure, privacy_requests, privacy_retention, privacy_values
from stewardship.privacy_confirming import KIND, Preview
from stewardship.privacy_requests import Request, Wish

console = Console()
OPERATOR = actor.at_command_line()
privacy_app = typer.Typer(help="Requests of people about their data, and who was erased.", no_args_is_help=True)
RequestId = Annotated[UUID, typer.Argument(help="The id of the request.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(privacy_app, name="privacy")


@privacy_app.command("open")
def open_(
    kind: Annotated[str, typer.Argument(help="access, erasure, restriction or correction.", show_default=False)],
    golden_id: Annotated[UUID, typer.Argument(help="Of whom.", show_default=False)],
    reference: Annotated[str | None, typer.Option(help="Your own case number; no name.")] = None,
    received_at: Annotated[datetime | None, typer.Option(help="When the person asked, in UTC.")] = None,
) -> None:
    """Open a request; says its id, whose records it is about, and until when it must be answered.

    Example: mdm privacy open erasure 0192f0c1-7a64-7c3e-b1a2-0c9f4e5d6a7b --reference CASE-2041
    """
    at = None if received_at is None else received_at.replace(tzinfo=clock.now().tzinfo)
    with db.transaction() as session:
        request_id = privacy_requests.open_request(session, OPERATOR, Wish(kind, golden_id, None, reference, at))
        _show(privacy_requests.find(session, request_id))


@privacy_app.command("list")
def list_(state: Annotated[str | None, typer.Option(help="open, confirmed, done, refused or cancelled.")] = None) -> None:
    """List requests, the most urgent first."""
    with db.read_only() as session:
        found = privacy_requests.listed(session, state)
    table = Table("request", "kind", "state", "due", "reference", box=None)
    for one in found:
        table.add_row(str(one.request_id), one.kind, one.state, f"{one.due_at:%Y-%m-%d}", one.reference or "")
    console.print(table)


@privacy_app.command()
def show(request_id: RequestId) -> None:
    """Show a request and its members."""
    with db.read_only() as session:
        _show(privacy_requests.find(session, request_id))


@privacy_app.command()
def identify(
    request_id: RequestId,
    outcome: Annotated[str, typer.Argument(help="passed or failed.", show_default=False)],
    method: Annotated[str, typer.Option(help=", ".join(privacy_requests.METHODS), show_default=False)],
) -> None:
    """Note whether the person is who they say, and by what that was checked."""
    with db.transaction() as session:
        privacy_requests.identify(session, OPERATOR, request_id, outcome, method)


@privacy_app.command()
def answer(
    request_id: RequestId,
    yes: Annotated[list[UUID] | None, typer.Option(help="A record that is the person's; several times for several.")] = None,
    no: Annotated[list[UUID] | None, typer.Option(help="A record that is somebody else's.")] = None,
) -> None:
    """Say of members whether they are the person's."""
    said = {**dict.fromkeys(yes or (), True), **dict.fromkeys(no or (), False)}
    with db.transaction() as session:
        privacy_requests.answer(session, OPERATOR, request_id, said)
        _show(privacy_requests.find(session, request_id))


@privacy_app.command()
def preview(request_id: RequestId) -> None:
    """See what an erasure would remove; the token that `confirm` asks for stands at the end."""
    with db.transaction() as session:
        _show_preview(privacy_confirming.preview(session, OPERATOR, request_id))


@privacy_app.command()
def confirm(
    request_id: RequestId,
    token: Annotated[str, typer.Option(help="Of the preview.", show_default=False)],
) -> None:
    """Erase a person, as the preview showed, in this process. It cannot be undone."""
    with db.transaction() as session:
        found = privacy_confirming.confirm(session, OPERATOR, request_id, token)
        claim = _claim(session, found)
    if claim is not None:
        with chunks.lease_kept(db.transaction, claim, privacy_confirming.CHUNKS.longest_seconds):
            privacy_confirming.work(db.transaction, claim)
    with db.read_only() as session:
        _show(privacy_requests.find(session, request_id))


def _claim(session: Session, found: Request) -> Claim | None:
    """Take the work, unless a second person has to confirm first. Raises: Conflict when a worker has it."""
    if found.job_id is None:
        console.print("Confirmed; a second person has to confirm as well.")
        return None
    claim = jobs.claim_chunk(session, "cli", [KIND], lease_seconds=chunks.LEASE_SECONDS, job_id=found.job_id)
    if claim is None:
        raise Conflict("A worker does it", code="lease_lost")
    return claim


@privacy_app.command()
def replay() -> None:
    """Bring a database that was restored to where the erasure ledger is; until then the service answers 503."""
    done = privacy_erasure.replay(privacy_erasure.resolver(db.transaction))
    console.print(f"{counted(done, 'erasure')} replayed.", highlight=False)


@privacy_app.command()
def retention(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is due.")] = False) -> None:
    """Let go of what sources deleted longer ago than the policy says (`deleted_kept_days`), and of records and attributes of
    customers who were not heard of for longer (`kept_days`); every night by itself."""
    with db.read_only() as session:
        found = {**privacy_retention.due(session), **privacy_values.due(session)}
    for what, number in found.items():
        console.print(f"{number:>8}  {what}", highlight=False)
    if not dry_run:
        console.print(f"{counted(privacy_retention.run(db.transaction), 'record')} let go.", highlight=False)
        for attribute, number in privacy_values.run(db.transaction).items():
            console.print(f"{attribute} of {counted(number, 'record')} let go.", highlight=False)


def _show(found: Request) -> None:
    console.print(f"{found.request_id}  {found.kind}, {found.state}, due {found.due_at:%Y-%m-%d}", highlight=False)
    table = Table("record", "source", "tie", "weight", "theirs", box=None)
    for one in found.members:
        weight = one.evidence.get("weight")
        theirs = {True: "yes", False: "no", None: "say yes or no"}[one.counts]
        shown = "" if weight is None else f"{weight:.1f}"
        table.add_row(str(one.record_id), one.source, str(one.evidence.get("tie")), shown, theirs)
    console.print(table)


def _show_preview(seen: Preview) -> None:
    for name, number in seen.rows.items():
        console.print(f"{number:>6}  {name}", highlight=False)
    for golden_id in seen.golden_ids:
        console.print(f"{golden_id} will answer 410", highlight=False)
    console.print(f"{counted(seen.withheld, 'other golden record')} sharing a contact point, left alone.", highlight=False)
    console.print(f"blocked by {', '.join(seen.blocked)}" if seen.blocked else f"token {seen.token}", highlight=False)
