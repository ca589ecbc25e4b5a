"""`mdm jobs`: what runs and what ran, and how to stop it or try again what was given up."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from cli.output import unfolded
from kernel import actor, audit, jobs
from kernel.db import read_only, transaction
from mdm import retrying, schedules

console = Console()
jobs_app = typer.Typer(help="What runs and what ran.", no_args_is_help=True, rich_markup_mode=None)
WHO = actor.at_command_line()
JobId = Annotated[UUID, typer.Argument(help="The job's id, as `mdm jobs list` says it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(jobs_app, name="jobs")


@jobs_app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help="Only jobs of this kind, such as import.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 20,
) -> None:
    """List the latest jobs, the newest first."""
    with read_only() as session:
        found = jobs.recent(session, limit, kind)
    table = Table("job", "kind", "state", "done", "failed", "given up", "begun (UTC)", "by", box=None, pad_edge=False)
    for one in found:
        total = f" of {one.total_units:,}" if one.total_units is not None else ""
        figures = (f"{one.done_units:,}{total}", f"{one.failed_units:,}", f"{one.quarantined_chunks:,}")
        table.add_row(str(one.job_id), one.kind, one.state, *figures, f"{one.created_at:%Y-%m-%d %H:%M}", one.created_by)
    unfolded(console).print(table)


@jobs_app.command("schedules")
def list_schedules() -> None:
    """List what is begun by the clock: when, what it last came to, and when next (UTC; MDM_SCHEDULES sets the times)."""
    with read_only() as session:
        found = schedules.listed(session)
    table = Table("schedule", "at", "last slot", "its job", "next slot", box=None, pad_edge=False)
    for one in found:
        last, following = (f"{slot:%Y-%m-%d %H:%M}" if slot else "" for slot in (one.fired_slot, one.next_slot))
        table.add_row(one.name, one.at, last if one.fired_at else "", str(one.job_id or ""), following)
    unfolded(console).print(table)


@jobs_app.command("show")
def show(job_id: JobId) -> None:
    """Print how a job stands, as JSON."""
    with read_only() as session:
        typer.echo(json.dumps(asdict(jobs.status(session, job_id)), indent=2, default=str))


@jobs_app.command("cancel")
def cancel(job_id: JobId) -> None:
    """Cancel a job: what it has done stays, nothing more is begun."""
    _change(job_id, retrying.cancel, "cancelled")


@jobs_app.command("pause")
def pause(job_id: JobId) -> None:
    """Pause a job: pieces that were begun are done, no other is until it is resumed."""
    _change(job_id, jobs.pause, "paused")


@jobs_app.command("resume")
def resume(job_id: JobId) -> None:
    """Go on with a job that was paused, where it was."""
    _change(job_id, jobs.resume, "resumed")


def _change(job_id: UUID, act: Callable[[Session, UUID], None], done: str) -> None:
    with transaction() as session:
        jobs.status(session, job_id)
        act(session, job_id)
        audit.record(session, WHO.actor, f"job.{done}", "job", str(job_id))
    console.print(done)


@jobs_app.command("retry")
def retry(job_id: JobId) -> None:
    """Try again what was given up: pieces that failed alone are handed out anew."""
    with transaction() as session:
        chunks = retrying.retry(session, job_id)
        audit.record(session, WHO.actor, "job.retried", "job", str(job_id))
    console.print(f"{chunks:,} pieces are to be tried again")
