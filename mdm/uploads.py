"""Files that were uploaded to be imported: kept in a folder of their own until they are read, part by part, by a worker.

A part is a chunk of the job ledger and begins where the checkpoint is: killed anywhere, no row is lost and none is doubled.
Only `read` looks into a file, and it is run by a process whose memory is limited (workers.reader).
"""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlmodel import Session

from kernel import audit, clock, jobs
from kernel.actor import Principal
from kernel.db import Scope
from kernel.errors import Conflict, MdmError
from kernel.jobs import Claim, Params
from kernel.settings import fault_point, settings
from mdm import chunks, files, imports, policy, sql
from mdm.chunks import LEASE_SECONDS
from mdm.files import BEGINNING, Place
from mdm.import_crew import Preparation
from mdm.imports import ImportJob, Tally
from mdm.ingest import rules_for
from mdm.policy import Policy
from mdm.steps import Steps

FORMATS = ("csv", "ndjson", "parquet")
PART_ROWS = 50_000
# What a file may come to when it is decoded: Parquet says of neither rows nor values how large they become.
MOST_DECODED, LEAST_DECODED_BYTES = 100, 256_000_000
KEPT_SECONDS = 24 * 3600.0
RECEIVING_SECONDS = 300.0


def folder() -> Path:
    """Give the folder of uploaded files, which is ours alone, making it on first use."""
    path = settings().data_dir / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def begin(session: Session, ruling: Policy, source: str, kind: str, upload: str, caller: Principal) -> uuid.UUID:
    """Open the job of an uploaded file. Raises: NotFound, Forbidden for a source that the caller may not write."""
    rules_for(ruling, source, caller)
    about = {"file": f"upload.{kind}", "source": source, "kind": kind}
    scope = {"brands": caller.scope.brands, "regions": caller.scope.regions}
    part = {**about, "upload": upload, "key_id": caller.key_id, "by": caller.name, **scope}
    job_id = jobs.create_job(session, imports.KIND, about, caller.name, chunks=[part])
    audit.record(session, caller.actor, "import.begun", "job", str(job_id))
    return job_id


def read(steps: Steps, claim: Claim) -> None:
    """Read one part of an uploaded file into storage; what is wrong with the whole file ends its job.

    Raises: Conflict (lease_lost, job_over) when it is somebody else's, or nobody's any more.
    """
    try:
        _read_part(steps, claim)
    except Conflict:
        forget_over(steps, claim)
        raise
    except MdmError as error:
        fail(steps, claim, error.code)


def fail(steps: Steps, claim: Claim, code: str) -> None:
    """End the job of a file that cannot be read; what it has stored stays. Raises: Conflict when the lease is lost."""
    chunks.fail_job(steps, claim, code)
    forget(claim.params)


def forget_over(steps: Steps, claim: Claim) -> None:
    """Delete the file of a part when its job is over; else somebody else has the part, and needs it."""
    with steps() as session:
        is_over = jobs.status(session, claim.job_id).finished_at is not None
    if is_over:
        forget(claim.params)


def forget(part: Params) -> None:
    """Delete the file of a part, when it is there still."""
    with suppress(FileNotFoundError):
        path_of(part).unlink()


def most_decoded(path: Path) -> int:
    """What a file may come to when it is decoded."""
    return max(LEAST_DECODED_BYTES, MOST_DECODED * path.stat().st_size)


def path_of(part: Params) -> Path:
    """Where the file of a part is."""
    return folder() / f"{uuid.UUID(part['upload'])}.{part['kind']}"


def _read_part(steps: Steps, claim: Claim) -> None:
    part, caller = claim.params, caller_of(claim.params)
    with steps() as session:
        ruling = policy.current(session)
        tally = Tally.of(jobs.status(session, claim.job_id).checkpoint)
    of = rules_for(ruling, part["source"], caller).source
    rows = files.open_rows(path_of(part), of.file, part["kind"])
    rows.path.touch()  # It is in use: see forget_old.
    rows.most_bytes = most_decoded(rows.path)
    job = ImportJob(claim.job_id, part["source"], tally.rows > 0, tally)
    until = tally.rows + PART_ROWS
    passed, place = _begins(part)
    for chunk in Preparation(ruling).chunks(job.source, imports.chunks(rows.rows(place), tally.rows - passed)):
        with steps() as session:
            jobs.heartbeat(session, claim, LEASE_SECONDS)  # Whoever has lost the lease stores nothing.
            job.tally = imports.take_chunk(session, ruling, job, chunk, caller)
            if job.tally.rows >= until:
                jobs.add_chunks(session, claim.job_id, [part | _reached(job.tally.rows, rows.reached)])
                jobs.finish_chunk(session, claim)
            fault_point("reader.storing")
        fault_point("reader.stored")
        if job.tally.rows >= until:
            return
    with steps() as session:
        jobs.finish_chunk(session, claim)
        imports.finish(session, job)
    forget(part)


def _begins(part: Params) -> tuple[int, Place]:
    """After how many rows a part begins, and where in the file that is: what lies before is not read again."""
    after = part.get("after")
    return (after["rows"], Place(after["line_no"], after["at"])) if after else (0, BEGINNING)


def _reached(rows: int, place: Place | None) -> dict[str, Any]:
    """Where the next part begins. Rows are read one chunk at a time, none in advance: the place is behind the last one stored."""
    return {"after": {"rows": rows, "line_no": place.line_no, "at": place.at} if place else None}


def caller_of(part: Params) -> Principal:
    """Who sent a file, with the scope they had then."""
    brands, regions = (None if part[name] is None else tuple(part[name]) for name in ("brands", "regions"))
    return Principal(part["key_id"], part["by"], frozenset({"records:write"}), Scope(brands, regions))


def forget_old(session: Session) -> int:
    """Delete files that nobody has touched for a day and no job is to read still: it was cancelled or given up, or there is none.

    How many. A job may wait for longer than that: paused, or while no worker runs.
    """
    return _forget(session, KEPT_SECONDS)


def forget_idle(session: Session) -> int:
    """Delete files that nobody has touched for five minutes and no job is to read still: an erasure leaves no copies. How many.

    One that is being received has no job yet; its rows are looked at when they are read.
    """
    return _forget(session, RECEIVING_SECONDS)


def _forget(session: Session, untouched_seconds: float) -> int:
    needed = _needed(session)
    old = [path for path in _untouched(untouched_seconds) if path.name not in needed]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _needed(session: Session) -> set[str]:
    """The names of the files whose jobs are not over."""
    found = sql.rows(
        session,
        """SELECT DISTINCT c.params ->> 'upload', c.params ->> 'kind' FROM job_chunk c JOIN job USING (job_id)
           WHERE job.finished_at IS NULL AND c.params ? 'upload' AND c.state IN ('queued', 'leased')""",
    )
    return {f"{upload}.{kind}" for upload, kind in found}


def _untouched(seconds: float) -> Iterator[Path]:
    before = clock.now().timestamp() - seconds
    for path in folder().iterdir():
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < before:
                yield path
