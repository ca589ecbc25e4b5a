"""`mdm webhooks`: endpoints made, looked at, tested, rotated, and delivered to again, at the command line."""

import json
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from cli.output import unfolded
from kernel import actor, clock, db
from mdm import subscribing
from webhooks import deliveries, endpoints, lag
from webhooks.endpoints import Endpoint, Wish

WHO = actor.at_command_line()
console = Console()
errors = Console(stderr=True)
webhooks_app = typer.Typer(help="Endpoints that events are delivered to.", no_args_is_help=True, rich_markup_mode=None)
EndpointId = Annotated[UUID, typer.Argument(help="The endpoint's id, as `mdm webhooks list` says it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(webhooks_app, name="webhooks")


@webhooks_app.command("create")
def create(
    url: str,
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only this type; may be given several times.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only about this source's records.")] = None,
    brand: Annotated[list[str] | None, typer.Option(help="Only about customers of this brand.")] = None,
    changed: Annotated[list[str] | None, typer.Option(help="Of golden.updated: only where this attribute changed.")] = None,
    description: str = "",
    ordered: Annotated[bool, typer.Option("--ordered", help="Events of one subject in their order.")] = False,
    each_of_loads: Annotated[bool, typer.Option("--each-of-loads", help="Every event of a load, as it comes.")] = False,
    load_finished_only: Annotated[
        bool, typer.Option("--load-finished-only", help="Of a load nothing but its load.finished.")
    ] = False,
) -> None:
    """Make an endpoint and print its secret, this once."""
    types, sources, attributes = (tuple(one or ()) for one in (type_, source, changed))
    wish = Wish(url, description, types, sources, attributes, each_of_loads, not load_finished_only, ordered)
    wish = replace(wish, brands=tuple(brand) if brand else None)
    with db.transaction() as session:
        made, secret = endpoints.create(session, WHO, subscribing.checked(session, wish, WHO.scope))
    _tell_secret(made, secret)


@webhooks_app.command("list")
def list_() -> None:
    """List the endpoints: how they fare, what is due and what was given up."""
    with db.read_only() as session:
        known = endpoints.every(session)
    table = Table("id", "url", "state", "due", "given up", "failing since", "applied")
    for one in known:
        since = f"{one.failing_since:%Y-%m-%d %H:%M}" if one.failing_since else ""
        applied = "" if one.applied_seq is None else str(one.applied_seq)
        table.add_row(str(one.endpoint_id), one.url, _state(one), f"{one.due:,}", f"{one.dead:,}", since, applied)
    unfolded(console).print(table)


@webhooks_app.command("show")
def show(endpoint_id: EndpointId, limit: Annotated[int, typer.Option(min=1, max=500)] = 20) -> None:
    """Print an endpoint, what waits there unapplied, and its latest deliveries with their attempts, as JSON."""
    with db.read_only() as session:
        found = endpoints.get(session, endpoint_id)
        left = lag.waiting(session, endpoint_id)
        told = deliveries.told(session, endpoint_id, None, None, limit)
    lists = {"waiting": [asdict(one) for one in left], "deliveries": [asdict(one) for one in told]}
    typer.echo(json.dumps({**asdict(found), **lists}, indent=2, default=str))


@webhooks_app.command("test")
def test(endpoint_id: EndpointId) -> None:
    """Send a test event, on the way that all events take; `mdm webhooks show` says what came of it."""
    with db.transaction() as session:
        deliveries.test(session, endpoints.get(session, endpoint_id))
    console.print("a test event is on its way")


@webhooks_app.command("rotate")
def rotate(endpoint_id: EndpointId, hours: Annotated[int, typer.Option(min=0, max=168, help="How long both sign.")] = 24) -> None:
    """Give an endpoint a new secret and print it, this once; the one before signs as well for a while."""
    with db.transaction() as session:
        made, secret = endpoints.rotate(session, WHO, endpoint_id, timedelta(hours=hours))
    _tell_secret(made, secret)


@webhooks_app.command("enable")
def enable(endpoint_id: EndpointId) -> None:
    """Deliver again, beginning with what happened meanwhile and was not confirmed as applied."""
    with db.transaction() as session:
        endpoints.enable(session, WHO, endpoint_id)
    console.print("enabled")


@webhooks_app.command("disable")
def disable(endpoint_id: EndpointId) -> None:
    """Deliver nothing until it is enabled; events wait in the log."""
    with db.transaction() as session:
        endpoints.disable(session, WHO, endpoint_id)
    console.print("disabled")


@webhooks_app.command("delete")
def delete(endpoint_id: EndpointId) -> None:
    """Delete an endpoint and what was due to it."""
    with db.transaction() as session:
        endpoints.delete(session, WHO, endpoint_id)
    console.print("deleted")


@webhooks_app.command("redeliver")
def redeliver(
    endpoint_id: EndpointId,
    first_seq: Annotated[int, typer.Argument(min=1)],
    last_seq: Annotated[int, typer.Argument(min=1)],
    only_dead: Annotated[bool, typer.Option("--only-dead", help="Only what was given up.")] = False,
) -> None:
    """Deliver a range of events once more, under the same ids and at the endpoint's own rate."""
    with db.transaction() as session:
        endpoints.get(session, endpoint_id)
        count = deliveries.again(session, endpoint_id, first_seq, last_seq, only_dead)
    console.print(f"{count:,} deliveries are due again")


def _state(one: Endpoint) -> str:
    because = f": {one.disabled_because}" if one.disabled_because else ""
    return one.state_at(clock.now()) + because


def _tell_secret(made: Endpoint, secret: str) -> None:
    errors.print(f"endpoint {made.endpoint_id}; its secret is shown this once:")
    console.print(secret, soft_wrap=True, highlight=False)
