"""`mdm quality`: how good what each source sends is, the worst attributes first, with their trend."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.output import Output
from cli.words import counted
from kernel.db import transaction
from matching.standardize.identifiers import MASK
from mdm import policy, quality_breaches, quality_examples, quality_reading, renewal

ACTOR = "mdm quality"
MOST_CODES, MOST_UNMAPPED, MOST_DAYS = 3, 10, 14
MOST_REFUSED = 10_000
PLAIN: Any = {"highlight": False, "soft_wrap": True}
console = Console()
errors = Console(stderr=True)
Shown = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(quality)


def quality(
    source: Annotated[str | None, typer.Argument(help="One source in full; all in a line each when absent.")] = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="How many measured days the trend goes back.")] = 30,
    measure: Annotated[bool, typer.Option("--measure", help="Measure now; else what the sweeper last measured.")] = False,
    examples: Annotated[bool, typer.Option("--examples", help="Show masked examples of the worst faults; audited.")] = False,
    refused: Annotated[bool, typer.Option("--refused", help="List a source's records that its mapping refuses now.")] = False,
    output: Annotated[Output, typer.Option(help="For people, or for programs.")] = Output.TABLE,
) -> None:
    """Show completeness, validity, uniqueness and timeliness of what sources send, the worst field first."""
    if measure:
        quality_breaches.run(transaction)
    with transaction() as session:
        ruling = policy.current(session)
        if source is not None:
            ruling.named_source(source)
        names = list(ruling.sources) if source is None else [source]
        found = [quality_reading.read(session, ruling, name, days) for name in names]
        if examples:
            found = [quality_examples.add(session, ruling, one, ACTOR) for one in found]
        listed = renewal.refused_of(session, ruling, source, MOST_REFUSED + 1) if refused and source else []
    if refused:
        _list_refused(listed, source, output, is_personal=source is not None and ruling.source(source).key_is_personal)
    elif output is Output.JSON:
        typer.echo(json.dumps(found if source is None else found[0], indent=2, default=str))
    elif source is None:
        _show_all(found)
    else:
        _show_one(found[0])


def _list_refused(listed: Sequence[renewal.Refused], source: str | None, output: Output, is_personal: bool) -> None:
    """List records by their ids and keys, with what is wrong; no value of them, nor a key that is one."""
    if source is None:
        raise typer.BadParameter("name the source whose records are to be listed", param_hint="--refused")
    found = [
        {"record_id": str(one.record_id), "key": MASK if is_personal else one.source_key, "code": one.code, "field": one.field}
        for one in listed[:MOST_REFUSED]
    ]
    if len(listed) > MOST_REFUSED:
        errors.print(f"There are more: the first {MOST_REFUSED:,} are listed.", **PLAIN)
    if output is Output.JSON:
        typer.echo(json.dumps(found, indent=2))
        return
    table = Table("record", "key", "why", "field", box=None, pad_edge=False)
    for row in found:
        table.add_row(*map(Text, row.values()))
    console.print(table if found else f"The mapping in force refuses no stored record of {source}.", highlight=False)


def _show_all(found: Sequence[Shown]) -> None:
    table = Table("source", "stage", "records", "today", "worst field", "below its floor", box=None, pad_edge=False)
    for one in found:
        below = ", ".join(f"{breach['field']} {breach['figure']}" for breach in one["breaches"])
        if one["measured_at"] is None:
            table.add_row(one["source"], one["stage"], "not measured", "", "", below)
            continue
        worst = next((field for field in one["fields"] if field["faults"]), None)
        said = f"{worst['field']}: {_percent(worst['valid'])} valid" if worst else ""
        table.add_row(one["source"], one["stage"], f"{one['records']:,}", f"{one['received_on_day']:,}", said, below)
    console.print(table, highlight=False)


def _show_one(one: Shown) -> None:
    if one["measured_at"] is None:
        console.print(f"{one['source']} was not measured yet: it has no records, or say --measure.", **PLAIN)
        return
    console.print(
        f"{one['source']} ({one['stage']}): {counted(one['records'], 'record')}, {one['received_on_day']:,} of the day,"
        f" measured {one['measured_at']:%Y-%m-%d %H:%M} UTC",
        **PLAIN,
    )
    _show_fields(one["fields"])
    for said in _beside(one):
        console.print(Text(said), **PLAIN)
    for breach in one["breaches"]:
        told = f"{breach['field']} {breach['figure']} is {_percent(breach['share'])}, {_percent(breach['floor'])} is asked"
        console.print(Text(f"below its floor since {breach['began_at']:%Y-%m-%d}: {told} (of {breach['of_what']})"), **PLAIN)
    _show_trend(one)


def _show_fields(fields: Sequence[Shown]) -> None:
    table = Table("field", "complete", "valid", "unique", "valid on the day", "what is wrong", box=None, pad_edge=False)
    for one in fields:
        faults = ", ".join(_fault(fault) for fault in one["faults"][:MOST_CODES])
        shares = [_percent(one[name]) for name in ("complete", "valid", "unique")]
        style = "bold red" if one["breached"] else ""
        table.add_row(one["field"], *shares, _percent(one["on_day"]["valid"]), Text(faults), style=style)
    console.print(table, highlight=False)


def _fault(fault: Shown) -> str:
    shown = fault.get("examples")
    return f"{fault['code']} {fault['records']:,}" + (f" ({'; '.join(shown)})" if shown else "")


def _beside(one: Shown) -> list[str]:
    """What there is to say besides attributes, a line each."""
    said = []
    if one["unmapped"]:
        names = ", ".join(f"{field['field']} ({field['records']:,})" for field in one["unmapped"][:MOST_UNMAPPED])
        said.append(f"fields that no rule reads: {names}")
    said += [f"rejected on the day: {reject['rows']:,} {reject['code']}: {reject['means']}" for reject in one["rejects_on_day"]]
    said += [
        f"refused by the mapping in force, and standing as an older one read {'it' if one['records'] == 1 else 'them'}:"
        f" {counted(one['records'], 'record')}, {one['code']} {one['field']}: {one['means']}"
        for one in one["refused"]
    ]
    for name, words in (
        ("copies", "that say what another says"),
        ("stale_records", "not yet renewed"),
        ("unappraised", "not appraised"),
    ):
        if one[name]:
            said.append(f"{counted(one[name], 'record')} {words}")
    times = one["timeliness"]
    if times["latency_seconds_median"] is not None:
        said.append(
            f"from change to arrival: half within {times['latency_seconds_median']:,.0f} s,"
            f" 95% within {times['latency_seconds_p95']:,.0f} s"
        )
    if times["is_fresh"] is False:
        said.append(f"nothing came since {times['last_received_at']:%Y-%m-%d %H:%M}: later than its fresh_within")
    return said


def _show_trend(one: Shown) -> None:
    worst = [field["field"] for field in one["fields"][:MOST_CODES]]
    table = Table("day", "records", "of the day", "rejects", *(f"{name} valid" for name in worst), box=None, pad_edge=False)
    for day in one["trend"][-MOST_DAYS:]:
        shares = [_percent(day["fields"].get(name, {}).get("valid")) for name in worst]
        table.add_row(
            str(day["day"]), f"{day['records']:,}", f"{day['received_on_day']:,}", f"{day['rejects_on_day']:,}", *shares
        )
    console.print(table, highlight=False)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
