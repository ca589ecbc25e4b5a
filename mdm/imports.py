"""Import a file as a job: chunk by chunk, each with its checkpoint in one transaction; a killed import goes on where it was.

What a chunk did and how far the job came are committed together: run again, an interrupted import neither loses nor doubles a
row. Reads rows through a source's policy; the edge opens the transactions.
"""

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlmodel import Session

from kernel import clock, jobs, outbox
from kernel.actor import Principal
from kernel.errors import Conflict
from mdm import rejects, sql
from mdm.events import load_finished
from mdm.files import FileRow, RowFile, fingerprint
from mdm.incoming import REFUSING, Incoming, Prepared, SourceRules, prepare, storable
from mdm.ingest import put_records
from mdm.mapping import TRUE
from mdm.mapping_values import Problem, Problems, reader, text_of
from mdm.pending import BULK_PRIORITY
from mdm.policy import Policy
from mdm.policy_schema import Source
from mdm.standardized import standardized

KIND, UNDO_KIND, HEAL_KIND = "import", "import_undo", "certificate_heal"
CHUNK_ROWS = 1_000


MOST_NOTES, LONGEST_FIELD, OTHER_FIELDS = 200, 60, "(other fields)"

_WRITTEN = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")


@dataclass(slots=True)
class Tally:
    """What became of the rows so far: each is in `outcomes` once; `reasons` counts rejects, `notes` what senders should know."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The tally as a checkpoint keeps it."""
        return {"rows": self.rows, "outcomes": dict(self.outcomes), "reasons": dict(self.reasons), "notes": dict(self.notes)}

    @classmethod
    def of(cls, data: dict[str, Any]) -> "Tally":
        """The inverse of `as_json`; an empty tally from nothing."""
        parts = [Counter(data.get(name, {})) for name in ("outcomes", "reasons", "notes")]
        return cls(int(data.get("rows", 0)), *parts)

    def add(self, status: str, problem: Problem | None, notes: Iterable[Problem] = ()) -> None:
        """Count one row."""
        self.rows += 1
        self.outcomes[status] += 1
        if problem is not None:
            self.reasons[_said(problem)] += 1
        for note in notes:
            said = f"{note.code}: {note.field[:LONGEST_FIELD]}"
            known = said in self.notes or len(self.notes) < MOST_NOTES
            self.notes[said if known else f"{note.code}: {OTHER_FIELDS}"] += 1


def _said(problem: Problem) -> str:
    """The code, and the field when it is one of ours: a payload's own field names may be anything and any number."""
    name = "extras" if problem.field.startswith("extras.") else problem.field
    return f"{problem.code}: {name}" if problem.code in REFUSING and name else problem.code


@dataclass(slots=True)
class ImportJob:
    """One import under way. `resumed` when an interrupted run of the same file was found; its rows are counted in the tally.

    `undone`: an earlier import of the same file that was undone, if that was the last.
    """

    job_id: uuid.UUID
    source: str
    resumed: bool
    tally: Tally
    undone: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class ReadyChunk:
    """Rows of a file as they will be stored: deliveries, each with what was prepared of it, and rows that are none."""

    rows: int
    items: list[Incoming]
    prepared: list[Prepared | Problem]
    refused: list[rejects.Reject]


def make_ready(rules: SourceRules, rows: Sequence[FileRow], blocking_secret: bytes) -> ReadyChunk:
    """Do everything about some rows that needs no database: check, mask, map and standardize them."""
    items, refused = _sorted_out(rules, rows)
    now = clock.now()
    return ReadyChunk(len(rows), items, [_made(rules, prepare(rules, item, now), blocking_secret) for item in items], refused)


def _made(rules: SourceRules, said: Prepared | Problem, blocking_secret: bytes) -> Prepared | Problem:
    if isinstance(said, Problem) or said.version.is_deleted:
        return said
    return replace(said, made=standardized(said.input, rules.context, blocking_secret, said.notes), input={})


def begin(session: Session, policy: Policy, file: RowFile, source: str, principal: Principal) -> ImportJob:
    """Open the job of a file, or find the interrupted one: same content, source, format and policy. Raises: NotFound."""
    policy.source(source)
    mark = fingerprint(file.path, source, str(policy.version), file.kind, file.encoding, file.format.model_dump_json())
    sql.run(session, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [mark])
    known = jobs.find_by_fingerprint(session, KIND, mark)
    if known is not None and known.state in jobs.OPEN:
        begun = known.done_units + known.failed_units > 0
        return ImportJob(known.job_id, source, begun, Tally.of(known.checkpoint))
    params = {"file": file.path.name, "source": source, "kind": file.kind}
    made = jobs.create_job(session, KIND, params, principal.name, fingerprint=mark)
    return ImportJob(made, source, False, Tally(), _undone_before(session, mark))


def _undone_before(session: Session, mark: str) -> uuid.UUID | None:
    """The import of the same file before this one, when it was undone (a cancelled one is only by an undo)."""
    found = sql.rows(
        session,
        """SELECT i.job_id, u.job_id IS NOT NULL FROM job i
           LEFT JOIN job u ON u.kind = %(undo)s AND u.fingerprint = i.job_id::text
           WHERE i.kind = %(kind)s AND i.fingerprint = %(mark)s ORDER BY i.created_at DESC, i.job_id DESC OFFSET 1 LIMIT 1""",
        {"undo": UNDO_KIND, "kind": KIND, "mark": mark},
    )
    return found[0][0] if found and found[0][1] else None


def take_chunk(session: Session, policy: Policy, job: ImportJob, chunk: ReadyChunk, principal: Principal) -> Tally:
    """Store one chunk of rows and the checkpoint behind it; the tally after it, to be believed once the transaction is committed.

    Raises: Conflict when another process has taken this chunk meanwhile.
    """
    _hold(session, job)
    tally = Tally.of(job.tally.as_json())
    outcomes = put_records(session, policy, job.source, chunk.items, principal, BULK_PRIORITY, job.job_id, ready=chunk.prepared)
    rejects.keep(session, chunk.refused, job.job_id)
    for outcome in outcomes:
        tally.add(outcome.status, outcome.problem, outcome.notes)
    for reject in chunk.refused:
        tally.add("rejected", Problem(reject.code, reject.field))
    failed = tally.outcomes["rejected"] - job.tally.outcomes["rejected"]
    jobs.checkpoint(session, job.job_id, tally.as_json(), done_units=chunk.rows - failed, failed_units=failed)
    return tally


def finish(session: Session, job: ImportJob, error: str | None = None) -> None:
    """Close the job with its tally, as failed when there is an error code."""
    jobs.finish_job(session, job.job_id, result=job.tally.as_json(), error=error)
    if error is None:
        outbox.emit(session, load_finished(session, job.job_id, KIND, [job.source]))


def _hold(session: Session, job: ImportJob) -> None:
    """Lock the job's row: two processes that import one file at once would count its rows twice."""
    found = sql.rows(session, "SELECT checkpoint FROM job WHERE job_id = %s FOR UPDATE", [job.job_id])
    if not found or Tally.of(found[0][0]).rows != job.tally.rows:
        raise Conflict("Another process is importing this file into this source", code="import_under_way")


def _sorted_out(rules: SourceRules, rows: Sequence[FileRow]) -> tuple[list[Incoming], list[rejects.Reject]]:
    read = deliveries(rules.source)
    items: list[Incoming] = []
    refused: list[rejects.Reject] = []
    for row in rows:
        item = read(row)
        if isinstance(item, Incoming):
            items.append(item)
        else:
            content = storable(rules, row.values, row.raw)
            refused.append(rejects.Reject(item.code, item.field, rules.name, row.line_no, content))
    return items, refused


def deliveries(source: Source) -> Callable[[FileRow], Incoming | Problem]:
    """Make the function that reads a file's row as a delivery: its key, its version and time, whether it is a deletion."""
    empty = frozenset(text.casefold() for value in source.empty if (text := text_of(value)) is not None)
    declared = {"key": source.key, "version": source.version, "updated_at": source.updated_at, "deleted": source.deleted}
    readers = {name: reader(one, name, empty, False) for name, one in declared.items() if one is not None}

    time_of = partial(_time, order=source.date_order)

    def read(row: FileRow) -> Incoming | Problem:
        if row.values is None:
            return row.problem or Problem("unreadable", "")
        problems: Problems = []
        found = {name: value for name, make in readers.items() if (value := make(row.values, problems)) is not None}
        return _delivery(row, row.values, found, time_of(found.get("updated_at")))

    return read


def _delivery(row: FileRow, values: dict[str, Any], found: dict[str, Any], at: datetime | None) -> Incoming | Problem:
    key, number = found.get("key"), _whole_number(found.get("version"))
    if not isinstance(key, str):
        return Problem("key_missing", "key")
    if number is None and "version" in found:
        return Problem("bad_source_version", "version")
    if at is None and "updated_at" in found:
        return Problem("bad_source_updated_at", "updated_at")
    deleted = found.get("deleted")
    is_deleted = isinstance(deleted, str) and deleted.casefold() in TRUE
    return Incoming(key, None if is_deleted else values, number, at, is_deleted, row.raw if row.is_json else b"", row.line_no)


def _whole_number(text: Any) -> int | None:
    try:
        return int(text) if isinstance(text, str) and len(text) <= 20 else None
    except ValueError:
        return None


def _time(text: Any, order: str | None = None) -> datetime | None:
    """An ISO time, seconds or milliseconds since 1970, or a date in the source's order, perhaps with a time behind it.

    Without an offset it is in the source's time zone.
    """
    if not isinstance(text, str):
        return None
    try:
        if text.isdecimal() and len(text) in {10, 13}:
            return datetime.fromtimestamp(int(text) / (1 if len(text) == 10 else 1000), tz=UTC)
        return _ordered_time(text, order) or datetime.fromisoformat(text)
    except ValueError:
        return None


def _ordered_time(text: str, order: str | None) -> datetime | None:
    written = _WRITTEN.fullmatch(text) if order in {"DMY", "MDY"} else None
    if written is None:
        return None
    first, second, year, hour, minute, seconds = (int(part or 0) for part in written.groups())
    day, month = (first, second) if order == "DMY" else (second, first)
    return datetime(year, month, day, hour, minute, seconds)  # noqa: DTZ001 - the source's time zone is added where it is known.


def chunks(rows: Iterator[FileRow], skip: int, size: int = CHUNK_ROWS) -> Iterator[list[FileRow]]:
    """Rows in chunks, the first `skip` rows passed over."""
    chunk: list[FileRow] = []
    for place, row in enumerate(rows):
        if place >= skip:
            chunk.append(row)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
