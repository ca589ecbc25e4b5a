"""Reads uploaded files in a process of its own, whose memory is limited: what a file decodes to harms nobody else.

`work` is the worker's side: it starts `python -m workers.reader` with one chunk and sees how it ended. The reader goes when the
worker does.
"""

import json
import os
import resource
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import Any
from uuid import UUID

from kernel import db, log
from kernel.errors import Conflict, MdmError
from kernel.jobs import Claim
from kernel.settings import settings
from mdm import uploads
from mdm.crew import collect_seldom
from mdm.steps import Steps

DONE, NO_MEMORY, NOT_OURS, AWAY = 0, 70, 71, 72
LONGEST_SECONDS = 900.0
READER = [sys.executable, "-m", "workers.reader"]


def work(steps: Steps, claim: Claim) -> None:
    """Have a reader do one chunk. Raises: MdmError when the reader died, so that another tries again."""
    with subprocess.Popen(READER, stdin=subprocess.PIPE, text=True, env=settings().child_environment()) as reader:  # noqa: S603 - our own module.
        if reader.stdin is not None:  # It stays open: its end tells the reader that we are gone.
            reader.stdin.write(json.dumps(asdict(claim), default=str) + "\n")
            reader.stdin.flush()
        ended = reader.wait(LONGEST_SECONDS)
    if ended == NO_MEMORY:
        uploads.fail(steps, claim, uploads.OUT_OF_MEMORY)
    elif ended == NOT_OURS:
        raise Conflict("The lease on this chunk was lost", code="lease_lost")
    elif ended != DONE:
        raise MdmError("The process that read the file died", code="database_away" if ended == AWAY else "reader_died")


def main() -> None:
    """Entry point of the reader."""
    log.configure(json=settings().log_json)
    most = settings().import_memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    claim = _claim(json.loads(sys.stdin.readline()))
    threading.Thread(target=_go_with_worker, daemon=True).start()
    collect_seldom()
    sys.exit(_read(claim))


def _read(claim: Claim) -> int:
    try:
        uploads.read(db.transaction, claim)
    except MemoryError:
        return NO_MEMORY
    except Conflict:
        return NOT_OURS
    except db.UNAVAILABLE:
        return AWAY
    return DONE


def _claim(told: dict[str, Any]) -> Claim:
    return Claim(**{**told, "chunk_id": UUID(told["chunk_id"]), "job_id": UUID(told["job_id"])})


def _go_with_worker() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(NOT_OURS)


if __name__ == "__main__":
    main()
