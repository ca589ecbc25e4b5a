"""`mdm import` and `mdm map`: load a file of records, or draft the mapping that will."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from kernel.actor import Principal
from kernel.db import Scope, read_only, transaction
from kernel.errors import MdmError
from mdm import drafting, files, imports, policy, previews, rejects
from mdm.files import FileRow, RowFile
from mdm.imports import ImportJob, Tally
from mdm.policy import Policy

OPERATOR = Principal("cli", "mdm import", frozenset({"records:write"}), Scope())
SOME_REJECTED = 2
console = Console()
errors = Console(stderr=True)

FileArgument = Annotated[Path, typer.Argument(help="A CSV, NDJSON or Parquet file.", show_default=False)]
SourceOption = Annotated[str, typer.Option("--source", "-s", help="The source it comes from, as the policy names it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import", epilog="Exit codes: 0 all rows taken in, 2 some rejected, 1 failed.")(import_file)
    app.command("map")(map_file)


def import_file(
    file: FileArgument,
    source: SourceOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen; store nothing.")] = False,
    rejects_file: Annotated[
        Path | None, typer.Option("--rejects", help="Where to write rejected lines (FILE.rejects.csv).")
    ] = None,
) -> None:
    """Load a file of records. Run again after an interruption, it goes on where it was; rows delivered before stay the same."""
    with transaction() as session:
        rules = policy.ensure(session, OPERATOR.name)
    rows = files.open_rows(file, rules.source(source).file)
    _say_encoding(rows)
    if dry_run:
        found = previews.preview(rules, source, _bar(rows, "checking"))
        _show_preview(found)
        tally, refused = found.tally, found.rejects
    else:
        tally, refused = _import(rules, rows, source)
    _show_tally(tally, rows)
    _write_rejects(rejects_file or file.with_name(file.name + ".rejects.csv"), refused, stored=not dry_run)
    raise typer.Exit(SOME_REJECTED if tally.outcomes["rejected"] else 0)


def _import(rules: Policy, rows: RowFile, source: str) -> tuple[Tally, list[tuple[int, str, str]]]:
    with transaction() as session:
        job = imports.begin(session, rules, rows, source, OPERATOR)
    if job.resumed:
        console.print(f"An import of this file was interrupted after {job.tally.rows:,} rows; it goes on from there.")
    try:
        for chunk in imports.chunks(_bar(rows, "importing"), job.tally.rows):
            with transaction() as session:
                reached = imports.take_chunk(session, rules, job, chunk, OPERATOR)
            job.tally = reached
    except MdmError as error:
        _close(job, error.code)
        raise
    _close(job)
    with read_only() as session:
        return job.tally, rejects.of_job(session, job.job_id)


def _close(job: ImportJob, error: str | None = None) -> None:
    with transaction() as session:
        imports.finish(session, job, error)


def _bar(rows: RowFile, what: str) -> Iterator[FileRow]:
    """Pass the rows on, showing how many there were; Parquet and files known by size show how far."""
    columns = (SpinnerColumn(), TextColumn(what), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        bar = progress.add_task(what, total=rows.estimated_rows())
        for row in rows.rows():
            yield row
            progress.advance(bar)


def _say_encoding(rows: RowFile) -> None:
    if rows.kind == "csv" and not rows.encoding_declared:
        name = {"utf-8-sig": "UTF-8", "cp1252": "CP1252 (Windows)"}.get(rows.encoding, rows.encoding)
        console.print(
            f"Read as {name}, found out from the file. If that is wrong, say `file: {{encoding: …}}` in the source's policy."
        )


def _show_preview(found: previews.Preview) -> None:
    table = Table(
        "line", "key", "mapped", "notes", title=f"The first {len(found.shown)} rows as we would read them", title_justify="left"
    )
    for line_no, key, mapped, notes in found.shown:
        table.add_row(str(line_no), key, _plain(mapped), "\n".join(notes))
    console.print(table)
    console.print(f"Keys that stand more than once in the file: {found.duplicate_keys:,} rows. Nothing was stored.")


def _plain(mapped: dict[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in mapped.items()).replace("[", r"\[")


def _show_tally(tally: Tally, rows: RowFile) -> None:
    table = Table("what became of the rows", "rows", title=f"{rows.path.name}: {tally.rows:,} rows", title_justify="left")
    for status, count in sorted(tally.outcomes.items()):
        table.add_row(status, f"{count:,}")
    for code, count in tally.reasons.most_common():
        table.add_row(f"  {code}: {rejects.reason(code)}", f"{count:,}")
    for note, count in tally.notes.most_common(20):
        table.add_row(f"note: {note}", f"{count:,}")
    if rows.blank_lines:
        table.add_row("blank lines (not rows)", f"{rows.blank_lines:,}")
    console.print(table)


def _write_rejects(path: Path, refused: list[tuple[int, str, str]], stored: bool) -> None:
    if not refused:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "code", "field", "reason"))
        writer.writerows((line_no, code, _harmless(name), rejects.reason(code)) for line_no, code, name in refused)
    kept = "; the rows themselves are kept, sealed, in the database" if stored else ""
    console.print(f"Rejected lines: {path}{kept}", soft_wrap=True)


def _harmless(text: str) -> str:
    """A field's name comes from the file: no spreadsheet may take it for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def map_file(
    file: FileArgument,
    source: SourceOption,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the draft here instead of showing it.")] = None,
) -> None:
    """Draft the mapping of a file from a sample, and say where it doubts."""
    rows = files.open_rows(file)
    draft = drafting.draft(source, rows)
    if output is None:
        console.print(draft.text, markup=False, highlight=False, soft_wrap=True)
    else:
        output.write_text(draft.text, encoding="utf-8")
        console.print(f"Draft written to {output}. Check it, then: mdm policy check {output}", soft_wrap=True)
    for doubt in draft.doubts:
        errors.print(f"doubt: {doubt}", markup=False, soft_wrap=True)
