"""`mdm consents`: legacy consents in, stored records replayed, what is known of a customer, and audiences checked."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from cli.output import Output
from cli.words import counted
from consent.entries import Channel
from consent.links import LinkKind
from consent.purposes import shipped
from kernel import actor, audit, clock, db
from kernel.errors import Invalid
from mdm import audiences, consent_files, consent_links, consent_reading, consent_replay, consents, history
from mdm import policy as policies
from mdm.consent_acts import Act
from mdm.consent_files import Default
from mdm.mapping_values import Problem

ACTS_A_STEP, CHECKS_A_STEP = 500, 5_000
WITH_REJECTS = 2
ANSWERED = ("answer", "reason", "golden_id_now")
T = TypeVar("T")
consents_app = typer.Typer(help="Consent: import, replay, show, check.", no_args_is_help=True)
console = Console()
File = Annotated[Path, typer.Argument(help="A CSV file in UTF-8.", show_default=False, exists=True, dir_okay=False)]
Delimiter = Annotated[str, typer.Option(help="What stands between columns.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(consents_app, name="consents")


@consents_app.command("import", epilog="Exit codes: 0 done, 2 done with rejects, 1 failed.")
def import_(
    file: File,
    mapping: Annotated[Path, typer.Option(help="Which column is which (YAML).", exists=True, show_default=False)],
    delimiter: Delimiter = ",",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read it and say what it holds.")] = False,
) -> None:
    """Record the consents of a file. A row that is sent again is the same entry; what cannot be used is named by its line.

    Without `proof` a row is a claim: it may permit, and outweighs no withdrawal.

    Example: mdm consents import newsletter.csv --mapping newsletter.yaml
    """
    caller, found, rejects = actor.at_command_line(), Counter[str](), list[tuple[int, Problem]]()
    rows = consent_files.acts(file, consent_files.load_mapping(mapping), shipped(), delimiter)
    for portion in _portions(rows, ACTS_A_STEP):
        rejects += [(one.line_no, one.said) for one in portion if isinstance(one.said, Problem)]
        usable = [(one.line_no, one.said) for one in portion if isinstance(one.said, Act)]
        if dry_run:
            found.update("readable" for _ in usable)
            continue
        with db.transaction() as session:
            outcomes = consents.record(session, shipped(), [one for _, one in usable], caller)
            audit.record(session, caller.actor, "consent.imported", "consent", "", detail={"sent": len(usable)})
        found.update(one.status for one in outcomes if one.problem is None)
        found.update(f"of {one.owner}" for one in outcomes if one.owner in {consents.Owner.UNCLEAR, consents.Owner.NOBODY})
        rejects += [(line_no, one.problem) for (line_no, _), one in zip(usable, outcomes, strict=True) if one.problem]
    for name, number in sorted(found.items()):
        console.print(f"{number:>9,}  {name}", highlight=False)
    _tell_rejects(file, rejects)


def _tell_rejects(file: Path, rejects: Sequence[tuple[int, Problem]]) -> None:
    if not rejects:
        return
    beside = file.with_name(f"{file.name}.rejects.csv")
    with beside.open("w", encoding="utf-8", newline="") as written:
        lines = csv.writer(written)
        lines.writerow(("line", "code", "field"))
        lines.writerows((line_no, problem.code, problem.field) for line_no, problem in sorted(rejects, key=lambda one: one[0]))
    for code, number in Counter(problem.code for _, problem in rejects).most_common():
        console.print(f"{number:>9,}  rejected: {code}", highlight=False)
    console.print(f"Their lines stand in {beside}.", highlight=False)
    raise typer.Exit(WITH_REJECTS)


@consents_app.command()
def replay() -> None:
    """Put the consents of all stored records into the ledger, every version that is kept. To do it again adds nothing.

    After an upgrade from a version without a ledger, and when a policy has begun to map consents.
    """
    with db.read_only() as session:
        policy = policies.current(session)
    done = consent_replay.run(db.transaction, policy, shipped())
    console.print(f"{counted(done.entries, 'new entry', 'new entries')} of {counted(done.versions, 'version')} of"
                  f" {counted(done.records, 'record')}.", highlight=False)  # fmt: skip
    for problem, number in done.problems.most_common():
        console.print(f"{number:>9,}  {problem.code}", highlight=False)
    for code, number in done.unread.most_common():
        console.print(f"{number:>9,}  versions not read: {code}", highlight=False)
    if done.problems or done.unread:
        raise typer.Exit(WITH_REJECTS)


@consents_app.command()
def show(
    golden_id: Annotated[UUID, typer.Argument(show_default=False)],
    output: Annotated[Output, typer.Option(help="For people, or for programs.")] = Output.TABLE,
) -> None:
    """Show what a customer consented to, and why. Audited."""
    caller = actor.at_command_line()
    with db.transaction() as session:
        live_id, _ = history.living(session, golden_id)
        found = consent_reading.read(session, shipped(), live_id, clock.now(), None)
        audit.record(session, caller.actor, "golden.read_consents", "golden", str(live_id))
    rows = [
        (query.purpose, query.channel or "-", query.brand or "-", consent_reading.point_of(found.points, query.contact) or "-",
         str(ruling.answer), str(ruling.reason), str(len(ruling.entries)))
        for query, ruling in found.effective.items()
    ]  # fmt: skip
    names = ("purpose", "channel", "brand", "contact point", "answer", "reason", "entries")
    if output is Output.JSON:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return
    table = Table(*names, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table if rows else "Nothing is recorded of this customer.", highlight=False)


@consents_app.command(epilog="Exit codes: 0 done, 2 done with rows that could not be read, 1 failed.")
def audience(
    file: File,
    purpose: Annotated[str, typer.Option(show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the rows go, with what is answered.", show_default=False)],
    channel: Annotated[Channel | None, typer.Option(show_default=False)] = None,
    brand: Annotated[str | None, typer.Option(show_default=False)] = None,
    delimiter: Delimiter = ",",
) -> None:
    """Check every row of a file: its columns golden_id, source and key, email, phone or device say who.

    Columns purpose, channel and brand say of a row what is asked of it.

    The same rows come out, each with `answer`, `reason` and `golden_id_now`. Only `allowed` permits.
    """
    if purpose not in shipped().purposes:
        raise Invalid(f"No such purpose is known: {', '.join(sorted(shipped().purposes))}", code="unknown_purpose")
    columns, default = list(consent_files.columns_of(file, delimiter)), Default(purpose, channel, brand)
    caller, found = actor.at_command_line(), Counter[str]()
    with out.open("w", encoding="utf-8", newline="") as written:
        lines = csv.DictWriter(written, [*columns, *ANSWERED], delimiter=delimiter, extrasaction="ignore")
        lines.writeheader()
        for portion in _portions(consent_files.audience(file, default, shipped(), delimiter), CHECKS_A_STEP):
            with db.transaction() as session:
                asked = [one.said for one in portion if not isinstance(one.said, Act)]
                answers = [_told(*one) for one in audiences.answers(session, shipped(), asked)]
                audit.record(session, caller.actor, "consent.check", "consent", "", detail={"asked": len(portion)})
            found.update(answer["answer"] for answer in answers)
            lines.writerows({**row.columns, **answer} for row, answer in zip(portion, answers, strict=True))
    for name, number in sorted(found.items()):
        console.print(f"{number:>9,}  {name}", highlight=False)
    if found[audiences.UNREADABLE]:
        raise typer.Exit(WITH_REJECTS)


def _told(answer: str, reason: str, golden_id: UUID | None) -> dict[str, str]:
    return {"answer": answer, "reason": reason, "golden_id_now": str(golden_id or "")}


@consents_app.command("revoke-links")
def revoke_links(
    link: Annotated[str | None, typer.Option(help="One link by its id.", show_default=False)] = None,
    golden_id: Annotated[UUID | None, typer.Option(help="All links of a customer until now.", show_default=False)] = None,
    kind: Annotated[list[LinkKind] | None, typer.Option(help="Which kinds.", show_default=False)] = None,
) -> None:
    """Let links for customers be followed no more. Of a customer, links to unsubscribe stay unless they are named.

    Example: mdm consents revoke-links --golden-id 018f… --kind preferences --kind confirm
    """
    if (link is None) == (golden_id is None):
        raise Invalid("Say which: --link or --golden-id", code="which_links")
    kinds = frozenset(kind or (LinkKind if link else (LinkKind.PREFERENCES, LinkKind.CONFIRM)))
    wish = consent_links.Revocation(kinds, link, golden_id)
    with db.transaction() as session:
        records = consent_links.revoke(session, shipped(), wish, actor.at_command_line(), clock.now())
    console.print(f"Revoked: {', '.join(sorted(kinds))}" + (f", of {counted(records, 'record')}." if golden_id else "."),
                  highlight=False)  # fmt: skip


def _portions(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    found = iter(rows)
    while portion := list(islice(found, size)):
        yield portion
