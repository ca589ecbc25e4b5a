"""`mdm tasks`: the stewards' queue on the service's machine: what is open, how it fares, one task, and its answer."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from cli.output import unfolded
from cli.words import counted
from kernel import actor, clock
from kernel.db import read_only, transaction
from mdm.questions import QuestionKind
from mdm.resolve import Resolver
from stewardship import answering, desk, phrasing, queue
from stewardship.answering import Answer
from stewardship.queue import Task, Wanted
from stewardship.settle import Looked, Verdict

OPERATOR = actor.at_command_line()
console = Console()
tasks_app = typer.Typer(help="The stewards' queue.", no_args_is_help=True, rich_markup_mode=None)
TaskId = Annotated[UUID, typer.Argument(help="The task's id, as `mdm tasks list` says it.")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence; it stays with the decision.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(tasks_app, name="tasks")


@tasks_app.command("list")
def list_(
    kind: Annotated[str | None, typer.Option(help=" | ".join(QuestionKind))] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those past their time.")] = False,
    deferred: Annotated[bool, typer.Option("--deferred", help="Those that were put off.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=queue.MOST_LISTED)] = 20,
) -> None:
    """List open tasks, the most urgent first."""
    with read_only() as session:
        found = queue.page(session, Wanted(kind=kind, overdue=overdue, deferred=deferred), limit=limit)
    table = Table("task", "kind", "priority", "bits", "records", "due (UTC)", "held by", box=None, pad_edge=False)
    now = clock.now()
    for one in found:
        due = f"{one.due_at:%Y-%m-%d %H:%M}{' overdue' if one.due_at < now else ''}" if one.due_at else ""
        bits = "" if one.weight is None else f"{one.weight:.1f}"
        figures = (f"{one.priority:.0f}", bits, f"{len(one.record_ids):,}")
        table.add_row(str(one.task_id), one.kind, *figures, due, one.holder_at(now) or "")
    unfolded(console).print(table)


@tasks_app.command()
def summary() -> None:
    """Tell how the queue fares, by kind; what comes and goes a day is the mean of the last seven."""
    with read_only() as session:
        found = queue.figures(session)
    headings = ("kind", "open", "put off", "held", "overdue", "oldest (UTC)", "come a day", "go a day", "days to clear")
    table = Table(*headings, box=None, pad_edge=False)
    for one in found:
        oldest = f"{one.oldest_at:%Y-%m-%d}" if one.oldest_at else ""
        left = "" if not one.open else "never" if one.days_to_clear is None else f"{one.days_to_clear:,.1f}"
        counts = (f"{figure:,}" for figure in (one.open, one.deferred, one.held, one.overdue))
        table.add_row(one.kind, *counts, oldest, f"{one.opened_a_day:,.1f}", f"{one.settled_a_day:,.1f}", left)
    unfolded(console).print(table)


@tasks_app.command()
def show(task_id: TaskId) -> None:
    """Say what a task asks, about whom, and what was done about it."""
    with read_only() as session:
        found = queue.one(session, task_id)
        story = queue.story(session, task_id)
    lines = _told(found)
    for note in story:
        words = f": {note.words}" if note.words else ""
        lines.append(f"  {note.at:%Y-%m-%d %H:%M} {note.author} {note.act}{words}")
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _told(task: Task) -> list[str]:
    parts = task.priority_parts
    weight = "" if task.weight is None else f", {task.weight:.1f} bits"
    lines = [
        phrasing.question(task.kind, task.reason_code, len(task.golden_ids), len(task.record_ids)),
        f"{task.kind}, {task.reason_code}{weight}; {task.state}{f', {task.closed_because}' if task.closed_because else ''}",
        f"golden records: {', '.join(map(str, task.golden_ids))}",
    ]
    if parts:
        lines.append(
            f"priority {task.priority:.0f} = 100 x uncertainty {parts['uncertainty']:g} x value {parts['value']:g}"
            f" x blast radius {parts['blast_radius']:g} ({counted(int(parts['records']), 'record')},"
            f" {parts['activities']:g} activities, {parts['loyalty_accounts']:g} loyalty accounts)"
        )
    return lines


@tasks_app.command()
def settle(task_id: TaskId, verdict: Verdict, reason: Reason, dry_run: DryRun = False) -> None:
    """Answer a task: all that it asks about is one customer (match), or no two of it are (no_match).

    Who is whom within a large cluster is said over REST.
    """
    resolver, answer = Resolver(transaction), Answer(verdict, reason)
    looked = answering.look(resolver, OPERATOR, task_id, answer)
    if not dry_run:
        answering.give(resolver, OPERATOR, task_id, desk.ANY, answer, looked.token)
    _say(looked, dry_run)


@tasks_app.command()
def undo(task_id: TaskId, reason: Reason, dry_run: DryRun = False) -> None:
    """Take the answer to a task back; the question is asked anew."""
    resolver = Resolver(transaction)
    looked = answering.look_back(resolver, OPERATOR, task_id)
    if not dry_run:
        answering.take_back(resolver, OPERATOR, task_id, desk.ANY, reason, looked.token)
    _say(looked, dry_run)


def _say(looked: Looked, dry_run: bool) -> None:
    changed = looked.preview.changed
    would = "would change" if dry_run else "change as soon as a worker has written it"
    console.print(f"{counted(len(changed), 'golden record')} {would}:", highlight=False)
    for one in changed:
        members = ", ".join(f"{source}:{key}" for source, key in one.after.members) or "no records"
        console.print(f"  {one.golden_id or 'a new one'} {one.cause}: {members}", highlight=False, soft_wrap=True, markup=False)
