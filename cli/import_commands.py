"""`mdm import` and `mdm map`: load a file of records, or draft the mapping that will."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from cli import import_report
from cli.bulk_options import BulkOptions, EngineOption, MemoryOption, bulk_options
from cli.progress import Tell, progress
from cli.words import counted
from kernel import jobs
from kernel.actor import Principal
from kernel.db import Scope, read_only, transaction
from kernel.errors import MdmError
from kernel.settings import settings
from mdm import drafting, files, imports, pending, policy, previews, rejects
from mdm.crew import collect_seldom
from mdm.files import FileRow, RowFile
from mdm.import_crew import preparation
from mdm.imports import ImportJob, Tally
from mdm.policy import Policy
from mdm.policy_schema import FileFormat

OPERATOR = Principal("cli", "mdm import", frozenset({"records:write"}), Scope())
SOME_REJECTED = 2
REJECTS_SHOWN = 10
PREVIEW_STEP = 500
OTHERS_RUN = frozenset({"import_under_way", "job_over"})
console = Console()
errors = Console(stderr=True)

FileArgument = Annotated[Path, typer.Argument(help="A CSV, NDJSON or Parquet file.", show_default=False)]
SourceOption = Annotated[str, typer.Option("--source", "-s", help="The source it comes from, as the policy names it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import", epilog="Exit codes: 0 all rows taken in, 2 some rejected, 1 failed, 130 interrupted.")(import_file)
    app.command("map")(map_file)


def import_file(
    file: FileArgument,
    source: SourceOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen; store nothing, write no file unless --rejects is given.")
    ] = False,
    rejects_file: Annotated[
        Path | None, typer.Option("--rejects", help="Where to write rejected lines (FILE.rejects.csv).")
    ] = None,
    memory_limit: MemoryOption = None,
    engine: EngineOption = None,
) -> None:
    """Load a file of records. Run again after an interruption, it goes on where it was; rows delivered before stay the same.

    When many records then wait for resolution (MDM_BULK_FROM_RECORDS), they are resolved here in bulk; fewer, by the workers.
    """
    options = bulk_options(memory_limit, engine)
    rules = _ruling(dry_run)
    rows = files.open_rows(file, rules.named_source(source).file)
    import_report.say_found(console, rows)
    tally = _try(rules, rows, source, rejects_file) if dry_run else _load(rules, rows, source, rejects_file, options)
    raise typer.Exit(SOME_REJECTED if tally.outcomes["rejected"] else 0)


def _ruling(dry_run: bool) -> Policy:
    """The policy in force; of a fresh install the default one, which a dry run does not store."""
    if dry_run:
        with read_only() as session:
            return policy.in_force(session) or policy.default()
    with transaction() as session:
        return policy.ensure(session, OPERATOR.name)


def _try(rules: Policy, rows: RowFile, source: str, rejects_file: Path | None) -> Tally:
    with progress(errors, "checking", "rows") as tell:
        found = previews.preview(rules, source, _told(rows, tell))
    import_report.show_preview(console, found)
    import_report.show_tally(console, found.tally, rows)
    if rejects_file is not None:
        import_report.write_rejects(console, rejects_file, found.rejects, stored=False)
    else:
        import_report.show_rejects(console, found.rejects, REJECTS_SHOWN)
    repeated = f"{counted(found.duplicate_keys, 'row has', 'rows have')} a key that stood in the file before. "
    console.print(f"{repeated if found.duplicate_keys else ''}Nothing was stored.", highlight=False)
    return found.tally


def _load(rules: Policy, rows: RowFile, source: str, rejects_file: Path | None, options: BulkOptions) -> Tally:
    tally, refused = _import(rules, rows, source)
    if not tally.rows:
        console.print("The file has no rows.", highlight=False)
    import_report.show_tally(console, tally, rows)
    import_report.write_rejects(console, rejects_file or _beside(rows.path), refused, stored=True)
    with read_only() as session:
        owed = pending.backlog(session).open
    if owed >= settings().bulk_from_records and _resolved_in_bulk(owed, options):
        return tally
    if owed:
        verb = "waits" if owed == 1 else "wait"
        console.print(f"{counted(owed, 'record')} {verb} for the workers; how far they are: mdm doctor", highlight=False)
    return tally


def _resolved_in_bulk(owed: int, options: BulkOptions) -> bool:
    """Resolve everybody in bulk when so many wait that it is worth it; whether it was."""
    from cli import resolve_commands  # noqa: PLC0415 - two seconds of Splink, of which a small import needs nothing.
    from mdm import reconcile  # noqa: PLC0415 - the same.

    with read_only() as session:
        if not reconcile.is_worth_it(session, owed, settings().bulk_from_records):
            return False
    resolve_commands.resolve_all(console, errors, options)
    return True


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".rejects.csv")


def _import(rules: Policy, rows: RowFile, source: str) -> tuple[Tally, list[tuple[int, str, str]]]:
    with transaction() as session:
        job = imports.begin(session, rules, rows, source, OPERATOR)
    if job.resumed:
        console.print(
            f"An import of this file was interrupted after {counted(job.tally.rows, 'row')}; it goes on from there.",
            highlight=False,
        )
    if job.undone is not None:
        console.print(f"An import of this file was undone ({job.undone}); its rows come in anew.", highlight=False)
    try:
        _take_chunks(rules, rows, job)
    except MdmError as error:
        if error.code not in OTHERS_RUN:  # Then the job is another process's to finish.
            _close(job, error.code)
        raise
    except KeyboardInterrupt:
        with read_only() as session:  # What is committed counts, not what this process had yet noted of it.
            stored = jobs.status(session, job.job_id)
        total = f"{stored.done_units + stored.failed_units:,} of {counted(rows.estimated_rows() or 0, 'row')}"
        errors.print(f"Interrupted after {total}; the same command goes on.", highlight=False)
        raise
    _close(job)
    with read_only() as session:
        return job.tally, rejects.of_job(session, job.job_id)


def _take_chunks(rules: Policy, rows: RowFile, job: ImportJob) -> None:
    total = rows.estimated_rows()
    collect_seldom()
    with progress(errors, "importing", "rows") as tell, preparation(rules, settings().bulk_processes, total) as ready:
        for chunk in ready.chunks(job.source, imports.chunks(rows.rows(), job.tally.rows)):
            with transaction() as session:
                reached = imports.take_chunk(session, rules, job, chunk, OPERATOR)
            job.tally = reached
            tell(reached.rows, total)


def _close(job: ImportJob, error: str | None = None) -> None:
    with transaction() as session:
        imports.finish(session, job, error)


def _told(rows: RowFile, tell: Tell) -> Iterator[FileRow]:
    """Pass the rows on, telling now and then how many there were."""
    total = rows.estimated_rows()
    for number, row in enumerate(rows.rows(), 1):
        yield row
        if number % PREVIEW_STEP == 0:
            tell(number, total)


def _format_of(encoding: str | None) -> FileFormat:
    try:
        return FileFormat(encoding=encoding)
    except ValidationError as error:
        raise typer.BadParameter(f"{encoding!r} is not a text encoding, such as cp1251 or shift_jis") from error


def map_file(
    file: FileArgument,
    source: SourceOption,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the draft here instead of showing it.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="How the CSV file is written, such as shift_jis; without: UTF-8 or CP1252.")
    ] = None,
) -> None:
    """Draft the mapping of a file from a sample, and say where it doubts."""
    rows = files.open_rows(file, _format_of(encoding))
    import_report.say_found(errors, rows)
    draft = drafting.draft(source, rows)
    if output is None:
        console.print(draft.text, markup=False, highlight=False, soft_wrap=True)
    else:
        output.write_text(draft.text, encoding="utf-8")
        console.print(
            f"Draft written to {output}. Check it, put its source into your policy (mdm policy show), then: mdm policy apply",
            soft_wrap=True,
            highlight=False,
        )
    for doubt in draft.doubts:
        errors.print(f"doubt: {doubt}", markup=False, highlight=False, soft_wrap=True)
