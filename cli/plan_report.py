"""Prints what a plan says: how many golden records would answer otherwise and why, whose they are, and those of most records."""

import json
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from cli.output import Output, unfolded
from cli.words import counted
from mdm.plans import Plan, Planned

MOST_SHOWN = 20
WORDS = {
    "created": "a new id would be issued",
    "revived": "would live again",
    "ended": "would end",
    "merged": "would be merged away",
    "restored": "would live again under its own id",
    "redirected": "would lead to another id",
    "split": "would lose records to another",
    "absorbed": "would take records in",
    "joined": "would gain records",
    "left": "would lose records",
    "pointers": "would name other ids for records that left it",
    "values": "would have other values",
}


READ_BY = {
    "fields": "the mapping of fields",
    "empty": "what stands for nothing",
    "default_country": "the default country",
    "date_order": "the order of dates",
    "shared_values": "the shared values",
    "earliest_birth_year": "the earliest year of birth",
    "extra_kinds": "your own attributes",
}


def tell(console: Console, plan: Plan, output: Output) -> None:
    """In the form that was asked for."""
    if output is Output.JSON:
        typer.echo(json.dumps(as_json(plan), indent=2))
    else:
        print_plan(unfolded(console), plan)


def print_plan(console: Console, plan: Plan) -> None:
    """For people: the whole in a minute."""
    console.print(
        f"{counted(plan.records, 'record')}, {counted(plan.goldens, 'golden record')} now;"
        f" {counted(plan.changes, 'golden id')} would answer otherwise.",
        highlight=False,
    )
    console.print(f"Questions for stewards: {plan.questions[0]:,} now, {plan.questions[1]:,} then.", highlight=False)
    if plan.unread:
        told = counted(plan.unread, "record would be", "records would be")
        by = ", ".join(READ_BY.get(one, one) for one in plan.unread_by)
        console.print(f"{told} read anew (changed: {by}); what comes of that is not in this plan.", style="yellow")
    if plan.changes:
        _print_causes(console, plan)
        _print_told(console, plan)


def _print_causes(console: Console, plan: Plan) -> None:
    table = Table("golden ids", "", box=None, pad_edge=False)
    table.columns[0].justify = "right"
    for cause, number in plan.causes.most_common():
        table.add_row(f"{number:,}", WORDS.get(cause, cause))
    console.print(table, highlight=False)
    for what, counts in (("attribute", plan.attributes), ("source", plan.sources), ("brand", plan.brands)):
        if counts:
            listed = ", ".join(f"{name} {number:,}" for name, number in counts.most_common())
            console.print(f"By {what}: {listed}", highlight=False)


def _print_told(console: Console, plan: Plan) -> None:
    """Those of most records; what happens alike to several is one row, with the first of them."""
    alike: dict[tuple[str, int, tuple[str, ...]], list[Planned]] = {}
    for one in plan.told:
        alike.setdefault((one.cause, len(one.members), one.values), []).append(one)
    table = Table("golden id", "and", "what", "records", "values", box=None, pad_edge=False)
    for (cause, members, values), held in list(alike.items())[:MOST_SHOWN]:
        more = f"{len(held) - 1} more" if len(held) > 1 else ""
        table.add_row(str(held[0].golden_id or "new"), more, WORDS.get(cause, cause), f"{members:,}", ", ".join(values))
    console.print(table, highlight=False)
    if len(plan.told) > len(alike) or len(alike) > MOST_SHOWN:
        console.print(f"Each of the {len(plan.told)} told stands in --output json.", style="dim")


def as_json(plan: Plan) -> Mapping[str, Any]:
    """For programs: all figures, and the told changes with their records."""
    return {
        "records": plan.records,
        "goldens": plan.goldens,
        "changes": plan.changes,
        "causes": plan.causes,
        "attributes": plan.attributes,
        "sources": plan.sources,
        "brands": plan.brands,
        "questions": {"before": plan.questions[0], "after": plan.questions[1]},
        "read_anew": plan.unread,
        "read_anew_by": list(plan.unread_by),
        "told": [_told(one) for one in plan.told],
    }


def _told(one: Planned) -> dict[str, Any]:
    members = [{"source": source, "key": key} for source, key in one.members]
    golden_id = str(one.golden_id) if one.golden_id else None
    return {"golden_id": golden_id, "cause": one.cause, "members": members, "values": list(one.values)}
