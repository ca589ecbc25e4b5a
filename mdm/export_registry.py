"""The register of files that hold data in bulk: what each is, who asked for it, how long it is kept, when it was removed.

A file that is not in the register as published is nobody's: it is never handed out, and the sweeper removes it.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlmodel import Session

from kernel import audit, clock, jobs
from kernel.actor import CLEAR, Principal
from kernel.db import Scope
from kernel.errors import Conflict, Forbidden, Gone, NotFound, Unavailable
from kernel.jobs import Job
from kernel.settings import settings
from mdm import sql
from mdm.export_files import Written
from webhooks.feed import Log

LEFTOVER_SECONDS = 3_600.0
KEY_IS_FOR_A_PURPOSE = "key_is_for_a_purpose"
OVER = frozenset({"finished", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, asked for or made. `sources`: none means all; `brands`, `regions`: None means all.

    `needs`: the scope that a key must hold to have the file.
    """

    export_id: uuid.UUID
    kind: str
    format: str
    needs: str
    fields: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    brands: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    after: str | None = None
    created_by: str = ""
    created_at: datetime | None = None
    timeline_id: uuid.UUID | None = None
    seq: int | None = None
    file_name: str | None = None
    size_bytes: int | None = None
    sha256: bytes | None = None
    rows: int | None = None
    neutralised_cells: int | None = None
    expires_at: datetime | None = None
    removed_at: datetime | None = None

    @property
    def cursor(self) -> str | None:
        """Where the feed goes on after what the file says."""
        return None if self.seq is None else f"{self.timeline_id}:{self.seq}"


def folder() -> Path:
    """Give the folder of these files, which is ours alone, making it on first use."""
    path = settings().data_dir / "exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def add(session: Session, entry: Entry, caller: Principal) -> None:
    """Note that a file was asked for; audited."""
    sql.run(
        session,
        """INSERT INTO export (export_id, kind, format, needs, fields, sources, brands, regions, after_cursor, key_id,
             created_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            entry.export_id, entry.kind, entry.format, entry.needs, list(entry.fields), list(entry.sources),
            _listed(entry.brands), _listed(entry.regions), entry.after, caller.key_id, caller.name,
        ],
    )  # fmt: skip
    audit.record(session, caller.actor, "export.begun", "export", str(entry.export_id), detail=_about(entry))


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def _about(entry: Entry) -> dict[str, Any]:
    return {"kind": entry.kind, "format": entry.format, "fields": entry.fields, "sources": entry.sources, "brands": entry.brands}


_FIND = """
SELECT export_id, kind, format, needs, fields, sources, brands, regions, after_cursor, created_by, created_at, timeline_id, seq,
  file_name, size_bytes, sha256, row_count, neutralised_cells, expires_at, removed_at
FROM export WHERE export_id = %s"""


def find(session: Session, export_id: uuid.UUID) -> tuple[Entry, Job]:
    """Read an entry and its job, within the row scope of the session. Raises: NotFound."""
    found = sql.rows(session, _FIND, [export_id])
    if not found:
        raise NotFound("There is no such export within the key's scope", code="unknown_export")
    row: list[Any] = [tuple(value) if isinstance(value, list) else value for value in found[0]]
    return Entry(*row), jobs.status(session, export_id)


_WITHIN = """
SELECT export_id FROM export
WHERE (%(brands)s::text[] IS NULL OR brands <@ %(brands)s::text[])
  AND (%(regions)s::text[] IS NULL OR regions <@ %(regions)s::text[])"""


def within(session: Session, scope: Scope) -> set[uuid.UUID]:
    """Name the exports that hold nothing beyond a row scope, whatever the session may see."""
    found = sql.rows(session, _WITHIN, {"brands": _listed(scope.brands), "regions": _listed(scope.regions)})
    return {row[0] for row in found}


def publish(session: Session, entry: Entry, written: Written, log: Log, actor: str) -> None:
    """Let a file that is whole be handed out, in the transaction in which its job is done; audited with the number of rows.

    Raises: Unavailable when it cannot be audited.
    """
    expires_at = clock.now() + timedelta(hours=settings().export_kept_hours)
    with refused_unless_audited():
        sql.run(
            session,
            """UPDATE export SET timeline_id = %s, seq = %s, file_name = %s, size_bytes = %s, sha256 = %s, row_count = %s,
                 neutralised_cells = %s, published_at = %s, expires_at = %s WHERE export_id = %s""",
            [
                log.timeline_id, log.last_seq, written.path.name, written.size, written.sha256, written.rows,
                written.neutralised, clock.now(), expires_at, entry.export_id,
            ],
        )  # fmt: skip
        detail = {**_about(entry), "rows": written.rows, "seq": log.last_seq}
        audit.record(session, actor, "export.made", "export", str(entry.export_id), detail=detail)


def hand_out(session: Session, export_id: uuid.UUID, caller: Principal, holds_values: bool = True) -> tuple[Entry, Path]:
    """Give a file to whoever may see all of it; audited with the number of rows before a byte of it goes. One that
    `holds_values` of persons goes to whoever sees them clear, unless it was masked when it was made.

    Raises: as `kept_file`; Forbidden; Unavailable when it cannot be audited.
    """
    entry, job = find(session, export_id)
    caller.require(entry.needs)
    if holds_values and not caller.sees_clear and not job.params.get("masked"):
        why = "The file holds personal values as they are; an export of your own is masked."
        raise Forbidden("Not without seeing clear values", code="clear_values_needed", detail=why, extra={"scope": CLEAR})
    if job.params.get("reach") is not None:
        caller.require("consents:check")  # The file says whom may be reached.
    if caller.purpose is not None and job.params.get("purpose") != caller.purpose:
        raise Forbidden("The file was not made for the purpose of the key", code=KEY_IS_FOR_A_PURPOSE)
    entry, path = kept_file(session, export_id)
    with refused_unless_audited():
        detail = {**_about(entry), "rows": entry.rows}
        audit.record(session, caller.actor, "export.downloaded", "export", str(export_id), detail=detail)
    return entry, path


def kept_file(session: Session, export_id: uuid.UUID) -> tuple[Entry, Path]:
    """Say where a file is.

    Raises: NotFound; Conflict while it is not made, or when it failed; Gone when it is not kept any more.
    """
    entry, job = find(session, export_id)
    if entry.file_name is None:
        failed = f" ({job.error})" if job.error else ""
        raise Conflict(f"The file is not there: its job is {job.state}{failed}", code="export_not_ready")
    path = folder() / entry.file_name
    if entry.removed_at is not None or (entry.expires_at or clock.now()) <= clock.now() or not path.is_file():
        raise Gone("The file is not kept any more", code="export_expired", detail="Ask for another export.")
    return entry, path


@contextmanager
def refused_unless_audited() -> Iterator[None]:
    """Turn what the database refuses in the block into Unavailable: what cannot be audited is not handed out."""
    try:
        yield
    except (sa.exc.OperationalError, psycopg.OperationalError):
        raise  # The database is away altogether, which is answered as such.
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        detail = "A read of personal data that cannot be audited is refused. Try again."
        raise Unavailable("The read could not be audited", code="audit_unavailable", detail=detail) from error


def remove(session: Session, export_id: uuid.UUID, actor: str) -> Entry:
    """Cancel an export that is under way, or note that its file is removed; the caller then deletes it. Idempotent."""
    entry, job = find(session, export_id)
    if job.state not in OVER:
        jobs.cancel(session, export_id)
    touched = sql.run(session, "UPDATE export SET removed_at = now() WHERE export_id = %s AND removed_at IS NULL", [export_id])
    if touched:
        audit.record(session, actor, "export.removed", "export", str(export_id))
    return entry


def delete_files(entry: Entry) -> None:
    """Delete the file of an entry, and what attempts at it have left; what is under way then finds its file gone."""
    for left in folder().glob(f"{entry.export_id}.*"):
        left.unlink(missing_ok=True)


def forget_old(session: Session) -> Sequence[str]:
    """Note that files whose time is over are removed; their names, for `delete_others` once this is committed."""
    found = sql.rows(
        session,
        """UPDATE export SET removed_at = now() WHERE file_name IS NOT NULL AND removed_at IS NULL AND expires_at < %s
           RETURNING file_name""",
        [clock.now()],
    )
    return [name for (name,) in found]


def delete_others(names: Sequence[str], kept: set[str]) -> int:
    """Delete these files, and those that nobody has touched for an hour and the register does not name; how many."""
    before = clock.now().timestamp() - LEFTOVER_SECONDS
    gone = 0
    for path in folder().iterdir():
        with suppress(FileNotFoundError):
            if path.name in names or (path.name not in kept and path.is_file() and path.stat().st_mtime < before):
                path.unlink()
                gone += 1
    return gone


def kept(session: Session) -> set[str]:
    """The names of the files that are handed out."""
    return {
        name for (name,) in sql.rows(session, "SELECT file_name FROM export WHERE file_name IS NOT NULL AND removed_at IS NULL")
    }
