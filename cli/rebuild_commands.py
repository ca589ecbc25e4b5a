"""`mdm rebuild`: recompute everything from what cannot be computed, under the same golden ids, and say what was otherwise."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import typer
from rich.console import Console

from cli.bulk_options import EngineOption, MemoryOption, bulk_options
from cli.progress import Tell, progress
from cli.resolve_commands import DIFFERENCES_FOUND, show, show_differences
from cli.words import counted
from kernel.db import read_only, transaction
from kernel.settings import settings
from mdm import rebuild as rebuilding
from mdm import reconcile as bulk
from mdm.crew import collect_seldom
from mdm.resolve import Resolver
from stewardship import tasks

console = Console()
errors = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command("rebuild", epilog="Exit codes: 0 no difference is left, 2 some are, 1 failed.")(rebuild)


def rebuild(memory_limit: MemoryOption = None, engine: EngineOption = None) -> None:
    """Recompute everything from record versions, stewards' decisions and what golden ids were, under the same ids.

    Says what was otherwise. Reads go on meanwhile, workers too. Stopped halfway, run it again.
    """
    collect_seldom()
    options = bulk_options(memory_limit, engine)
    with read_only() as session:
        choice = bulk.choose(session, settings().bulk_from_records, *options)
    with _stages() as tell:
        done = rebuilding.rebuild(Resolver(transaction, tasks.project), tasks, choice, tell)
    console.print(f"{counted(len(done.differed), 'difference')} found", highlight=False)
    show_differences(done.differed)
    show(done.after)
    raise typer.Exit(DIFFERENCES_FOUND if done.after.differences else 0)


@contextmanager
def _stages() -> Iterator[rebuilding.Progress]:
    """Show how far the present stage is; each has a bar, or lines, of its own."""
    stage, shown = "", ExitStack()
    bar: Tell | None = None

    def tell(what: str, done: int, total: int) -> None:
        nonlocal stage, bar
        if what != stage or bar is None:
            shown.close()
            stage, bar = what, shown.enter_context(progress(errors, what, "ids" if "golden" in what else "records"))
        bar(done, total)

    with shown:
        yield tell
