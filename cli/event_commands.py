"""`mdm events`: what was told, and what is being told."""

from typing import Annotated

import orjson
import typer

from kernel import db, outbox
from mdm import published

POLL_SECONDS = 1.0
PAGE = 500
events_app = typer.Typer(help="Follow the numbered log of events.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(events_app, name="events")


@events_app.command("tail")
def tail(
    after: Annotated[str | None, typer.Option(help="An event's id, or `latest`; else from the oldest.")] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be given several times.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
) -> None:
    """Print events, one JSON object a line, in the order of their numbers."""
    types = tuple(type_ or ())
    published.refuse_unknown(types)
    reached = _print_from(after, types)
    if follow:
        with db.listen(outbox.NUMBERED) as doorbell:
            while True:
                reached = _print_from(reached, types)
                doorbell.wait(POLL_SECONDS)


def _print_from(cursor: str | None, types: tuple[str, ...]) -> str:
    """Print everything behind a cursor; the cursor behind that."""
    while True:
        with db.read_only() as session:
            page = published.page(session, cursor, types, PAGE)
        for event in page["events"]:
            typer.echo(orjson.dumps(event).decode())
        cursor = str(page["next"])
        if not page["has_more"]:
            return cursor
