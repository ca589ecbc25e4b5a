"""What `mdm import` prints: how the first rows are read, what became of the rows, and what their senders should know."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.words import counted
from mdm import rejects
from mdm.column_names import attribute_of
from mdm.csv_files import DELIMITER_NAMES
from mdm.files import RowFile
from mdm.imports import Tally
from mdm.previews import Preview, ShownRow
from mdm.readings import Reading

ENCODINGS = {"utf-8-sig": "UTF-8", "cp1252": "CP1252 (Windows)", "utf-16": "UTF-16"}
# In the order in which a reader asks; `usable` is a dry run's.
OUTCOMES = ("usable", "created", "changed", "same", "superseded", "deleted", "rejected")
MEANINGS = {"superseded": "late: the record has a newer version", "same": "nothing changed"}
MOST_NOTES = 20
INDENT = (0, 0, 0, 2)


def say_found(console: Console, rows: RowFile) -> None:
    """Say what was found out about the file by reading it."""
    if not rows.found:
        return
    said = [f"as {ENCODINGS.get(rows.encoding, rows.encoding)}"] if "encoding" in rows.found else []
    declare = ["encoding: …"] if "encoding" in rows.found else []
    if "delimiter" in rows.found:
        said.append(f"with a {DELIMITER_NAMES[rows.format.delimiter or '']} between columns")
        declare.insert(0, "delimiter: …")
    console.print(
        f"Read {' and '.join(said)}, found out from the file."
        f" If that is wrong, say `file: {{{', '.join(declare)}}}` in the source's policy.",
        highlight=False,
    )


def show_preview(console: Console, found: Preview) -> None:
    """Show the first rows as they would be read."""
    if not found.shown:
        console.print("No row of the file can be used." if found.tally.rows else "The file has no rows.", highlight=False)
        return
    console.print(f"The first {counted(len(found.shown), 'row')} as we would read them", style="italic", highlight=False)
    table = Table("line", "key", "attributes (as written → as understood)", "notes")
    for row in found.shown:
        table.add_row(str(row.line_no), Text(row.key), _attributes(row), Text("\n".join(row.notes)))
    console.print(table)


def _attributes(row: ShownRow) -> Text:
    return Text("\n").join(Text.assemble((f"{one.attribute}: ", "bold"), _reading(one)) for one in row.readings)


def _reading(reading: Reading) -> str:
    if reading.understood == reading.written:
        return reading.written
    return f"{reading.written} → {reading.understood or 'nothing usable'}"


def show_tally(console: Console, tally: Tally, rows: RowFile) -> None:
    """Show what became of the rows, rejects with their reasons, and beside it what concerns fields."""
    table = Table(
        "what became of the rows", "rows", title=f"{rows.path.name}: {counted(tally.rows, 'row')}", title_justify="left"
    )
    table.columns[1].justify = "right"
    for status in sorted(tally.outcomes, key=_place):
        meaning = f" ({MEANINGS[status]})" if status in MEANINGS else ""
        table.add_row(f"{status}{meaning}", f"{tally.outcomes[status]:,}")
    for said, count in tally.reasons.most_common():
        code, _, name = said.partition(": ")
        table.add_row(Padding(Text(f"{said}: {rejects.reason(code, name)}"), INDENT), f"{count:,}")
    if rows.blank_lines:
        table.add_row("blank lines (not rows)", f"{rows.blank_lines:,}")
    if tally.rows or rows.blank_lines:
        console.print(table)
    _show_notes(console, tally.notes)


def _place(status: str) -> int:
    return OUTCOMES.index(status) if status in OUTCOMES else len(OUTCOMES)


def _show_notes(console: Console, notes: Counter[str]) -> None:
    if not notes:
        return
    table = Table("to know about rows that were used", "times")
    table.columns[1].justify = "right"
    for note, count in notes.most_common(MOST_NOTES):
        code, _, name = note.partition(": ")
        likely = attribute_of(name) if code == "unmapped_field" else None
        hint = f" (looks like {likely}: map it, see mdm map)" if likely else ""
        table.add_row(Text(note.removesuffix(": ") + hint), f"{count:,}")
    console.print(table)
    if len(notes) > MOST_NOTES:
        console.print(f"{len(notes) - MOST_NOTES:,} more kinds of notes are not shown.", highlight=False)


def write_rejects(console: Console, path: Path, refused: Sequence[tuple[int, str, str]], stored: bool) -> None:
    """Write line, code, field and reason of the rejected rows; nothing when there are none."""
    if not refused:
        return
    path.touch(mode=0o600)  # It names lines and fields of customers' rows: for its owner only, in a shared home.
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "code", "field", "reason"))
        writer.writerows((line_no, code, _harmless(name), rejects.reason(code, name)) for line_no, code, name in refused)
    kept = "; the rows themselves are kept, sealed, in the database" if stored else ""
    console.print(f"Rejected lines: {path}{kept}", soft_wrap=True, highlight=False)


def show_rejects(console: Console, refused: Sequence[tuple[int, str, str]], most: int) -> None:
    """Name the first rejected lines; a dry run leaves no file behind."""
    for line_no, code, name in refused[:most]:
        console.print(Text(f"line {line_no}: {code}{': ' + name if name else ''}"), soft_wrap=True)
    if len(refused) > most:
        console.print("More lines are rejected; --rejects FILE writes the first thousand down.", highlight=False)


def _harmless(text: str) -> str:
    """A field's name comes from the file: no spreadsheet may take it for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
