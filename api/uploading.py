"""Takes the file of an import in: streamed to disk within the limit, then a job of its own reads it. Never looks into a row."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import orjson
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import deps, idempotency, limits, working
from kernel import db, jobs
from kernel.actor import Principal
from kernel.errors import Invalid, MdmError, Unavailable
from kernel.settings import settings
from mdm import export_files, ingest, uploads
from mdm import policy as policies

ACCEPTED = 202
PARQUET = b"PAR1"
# What is packed says nothing of how large it becomes; Parquet packs by itself, and is counted while it is read.
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")
LONGEST_MARK = 6


@dataclass(frozen=True, slots=True)
class Taking:
    """What is done with a file: whether it may come at all, and how its job is opened. Each in a step."""

    require: Callable[[Session], object]
    begin: Callable[[Session, UUID], Any]


async def take(caller: Principal, request: Request, source: str, kind: str, idempotency_key: str | None) -> Response:
    """Take the file of an import in and open its job. Raises: as `receive`; NotFound, Forbidden for the source."""

    def begin(session: Session, upload: UUID) -> dict[str, Any]:
        job_id = uploads.begin(session, policies.current(session), source, kind, str(upload), caller)
        return working.shown(jobs.status(session, job_id))

    taking = Taking(lambda session: ingest.rules_for(policies.current(session), source, caller), begin)
    return await receive(caller, request, kind, idempotency_key, taking)


async def receive(caller: Principal, request: Request, kind: str, idempotency_key: str | None, taking: Taking) -> Response:
    """Take a file in and open its job. Raises: TooLarge, Invalid; Unavailable when the disk is full; what `taking` raises."""
    key = idempotency.checked(idempotency_key)
    limit_bytes = settings().import_max_bytes
    if limits.declared_length(request.scope["headers"]) > limit_bytes:
        raise limits.too_large(limit_bytes)
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _packed()
    await run_in_threadpool(deps.step, caller, taking.require)
    upload = uuid4()
    path = await run_in_threadpool(lambda: uploads.folder() / f"{upload}.{kind}")
    with _new_file(path) as file:
        digest = await _receive(request, file, kind, limit_bytes)
    hashed = idempotency.request_hash(request.scope, digest)
    return await run_in_threadpool(_begin, caller, key, hashed, kind, upload, taking)


def _begin(caller: Principal, key: str | None, hashed: bytes, kind: str, upload: UUID, taking: Taking) -> Response:
    """Open the job of a file, and delete the file when it has none: it was refused, or sent before."""
    opened: list[UUID] = []

    def act(session: Session) -> tuple[int, bytes]:
        opened.append(upload)
        return ACCEPTED, orjson.dumps(taking.begin(session, upload))

    try:
        answer = idempotency.once(caller, key, hashed, act, db.Role.ENGINE)
    except db.UNAVAILABLE:
        raise  # The commit may have succeeded: what no job reads is let go of later (uploads.forget_old).
    except BaseException:
        uploads.forget({"upload": str(upload), "kind": kind})
        raise
    if not opened:  # It was sent before, and has its job.
        uploads.forget({"upload": str(upload), "kind": kind})
    return answer


# No room on the disk, in the quota, or below the process's own limit.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file, and delete it when its request fails."""
    is_kept = False
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
        is_kept = True
    except OSError as refused:
        code = "storage_full" if refused.errno in FULL else "storage_away"
        raise Unavailable("The file could not be written", code=code, detail="Try again later.") from refused
    finally:
        if not is_kept:
            path.unlink(missing_ok=True)


async def _receive(request: Request, file: BinaryIO, kind: str, limit_bytes: int) -> bytes:
    """Write the body as it comes; its hash. Raises: TooLarge before more than the limit is written, Invalid."""
    digest, size, head = hashlib.blake2b(digest_size=32), 0, b""
    async for part in limits.chunks(request.receive):
        size += len(part)
        if size > limit_bytes:
            raise limits.too_large(limit_bytes)
        if len(head) < LONGEST_MARK:
            head += part[:LONGEST_MARK]
            _check(head, kind)
        digest.update(part)
        await run_in_threadpool(_write, file, part)
    if not size:
        raise Invalid("The body is empty", code="empty_body", detail="A file was expected.")
    await run_in_threadpool(_store, file)
    return digest.digest()


def _write(file: BinaryIO, part: bytes) -> None:
    export_files.refuse_full_disk(uploads.folder())
    file.write(part)


def _store(file: BinaryIO) -> None:
    """On disk before its job is: a machine that stops then loses neither."""
    file.flush()
    os.fsync(file.fileno())


def _check(head: bytes, kind: str) -> None:
    if head.startswith(PACKED):
        raise _packed()
    whole = len(head) >= len(PARQUET)
    if whole and head.startswith(PARQUET) != (kind == "parquet"):
        detail = "A Parquet file begins with PAR1, and no other does."
        raise Invalid("The file is not of the format that was named", code="wrong_format", detail=detail)


def _packed() -> MdmError:
    detail = "Send the file as it is: CSV, NDJSON or Parquet (which may be compressed inside)."
    return Invalid("The file is compressed", code="compressed_file", status=415, detail=detail)
