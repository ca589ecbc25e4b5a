"""`mdm second-looks`: answers that are asked for again, given on the service's machine by somebody else than who answered first.

What the first steward said is printed only where two differ, and only to who gave neither answer.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from cli.words import counted
from kernel import actor
from kernel.db import read_only, transaction
from stewardship import phrasing, second_looks
from stewardship.second_looks import DIFFERS, WAITING, Look, Shown
from stewardship.settle import Verdict

MOST = 50
SIDES = ("One side", "The other side")
# The first says what the first answer may be; the others are for matching, or no part of the question.
NOT_SHOWN = frozenset({"asserted_golden_id", "company_form", "company_key", "consents", "notes", "withheld"})
# Of a value with parts, those that people read, in their order; the others are for matching.
PARTS = (
    "name", "given", "middle", "prefix", "surname", "suffix", "native", "text", "lines", "postal_code", "city", "country", "type",
    "programme", "number", "value",
)  # fmt: skip
console = Console()
looks_app = typer.Typer(help="Answers that a second steward gives again.", no_args_is_help=True, rich_markup_mode=None)
LookId = Annotated[UUID, typer.Argument(help="As `mdm second-looks list` says it.", show_default=False, metavar="DECISION")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(looks_app, name="second-looks")


@looks_app.command("list")
def list_(
    differing: Annotated[bool, typer.Option("--differing", help="Those that two have answered differently.")] = False,
) -> None:
    """List what is to be answered again, or settled by a third person; the oldest first, nothing that is your own."""
    with read_only() as session:
        found = second_looks.listed(session, actor.at_command_line(), DIFFERS if differing else WAITING, MOST)
    if not found:
        console.print("Nothing waits for a third person." if differing else "Nothing waits for a second answer of yours.")
    for one in found:
        _say(f"{one.drawn_at:%Y-%m-%d %H:%M} UTC  {one.decision_id}  {_question(one)}")


def _question(look: Look) -> str:
    return phrasing.question(look.kind, look.reason_code, len(SIDES), len(look.left_records) + len(look.right_records))


@looks_app.command()
def show(look_id: LookId) -> None:
    """Show what the records of both sides say, and both answers once they differ. Audited."""
    with transaction() as session:
        caller = actor.at_command_line()
        look = second_looks.find(session, caller, look_id)
        records = second_looks.records(session, caller, look)
    _say(_question(look))
    for side, name in enumerate(SIDES):
        _say(f"{name}:")
        for one in (record for record in records if record.side == side):
            _say("\n".join(_told(one)))
    if more := len(look.left_records) + len(look.right_records) - len(records):
        _say(f"{counted(more, 'record')} more.")
    if look.differs:
        _say(f"{look.first_by} says {look.first_verdict}, {look.second_by} says {look.second_verdict}.")


def _told(record: Shown) -> Iterator[str]:
    yield f"  {record.source}:{record.key}"
    for name, value in record.values.items():
        if name not in NOT_SHOWN and (said := _text(value)):
            yield f"    {name.replace('_', ' ')}: {said}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(text for part in PARTS if (text := _text(value.get(part))))
    if isinstance(value, list):
        return ", ".join(text for one in value if (text := _text(one)))
    return "" if value is None else str(value)


@looks_app.command()
def answer(look_id: LookId, verdict: Verdict) -> None:
    """Answer for the second time: one customer (match), or two (no_match). It changes no decision."""
    with transaction() as session:
        agrees = second_looks.answer(session, actor.at_command_line(), look_id, verdict)
    _say("The first steward says the same." if agrees else "The first steward says otherwise: a third person looks at both.")


@looks_app.command()
def keep(look_id: LookId) -> None:
    """Keep the first answer where two differ, as a third person. To take it back: mdm tasks undo."""
    with transaction() as session:
        second_looks.keep(session, actor.at_command_line(), look_id)
    _say("The first answer is kept.")


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True, markup=False)
