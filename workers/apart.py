"""Does a chunk in a process of its own, whose memory is limited: what it takes too much of harms nobody else.

`have_done` is the worker's side: it starts the process with one chunk, ends it when the job is cancelled, and sees how it ended.
`serve` is that process's side: it goes when the worker does, and its exit code is all that it says.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NoReturn
from uuid import UUID

from kernel import db, jobs, log
from kernel.errors import Conflict, MdmError
from kernel.jobs import Claim
from kernel.settings import settings
from mdm import chunks
from mdm.crew import collect_seldom
from mdm.steps import Steps

DONE, FAILED, NO_MEMORY, NOT_OURS, AWAY = 0, 1, 70, 71, 72
LOOK_SECONDS = 1.0
GRACE_SECONDS = 20.0
# DuckDB says it by an exception of its own, which is nobody's business here but for its name.
OUT_OF_MEMORY = "OutOfMemoryException"
logger = log.get_logger()


def have_done(command: Sequence[str], steps: Steps, claim: Claim, longest_seconds: float) -> bool:
    """Have a process do one chunk; whether its memory was enough.

    Raises: MdmError when it failed; Conflict when the lease was lost, and when it was killed or the database went away, which is
    no fault of the chunk's: the lease is let go of.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=settings().child_environment()) as process:  # noqa: S603 - our own modules.
        if process.stdin is not None:  # It stays open: its end tells the process that we are gone.
            with suppress(BrokenPipeError):  # It was killed before it could read; how it ended says so.
                process.stdin.write(json.dumps(asdict(claim), default=str) + "\n")
                process.stdin.flush()
        ended = _end_of(process, steps, claim, time.monotonic() + longest_seconds)
    if ended == NOT_OURS:
        raise Conflict("The lease on this chunk was lost", code=chunks.LEASE_LOST)
    if ended == AWAY or ended < 0:
        raise Conflict("The process that did the chunk was cut off", code=chunks.CUT_OFF)
    if ended not in {DONE, NO_MEMORY}:
        raise MdmError("The process that did the chunk failed", code="process_failed")
    return ended == DONE


def _end_of(process: "subprocess.Popen[str]", steps: Steps, claim: Claim, until: float) -> int:
    while time.monotonic() < until:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_SECONDS)
        if _is_cancelled(steps, claim):
            break
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        return process.wait(GRACE_SECONDS)
    process.kill()
    return process.wait()


def _is_cancelled(steps: Steps, claim: Claim) -> bool:
    """Not whether it is over: a process that has just finished its job ends by itself."""
    with suppress(*db.UNAVAILABLE), steps() as session:
        return jobs.status(session, claim.job_id).state == "cancelled"
    return False


def serve(memory_bytes: int, act: Callable[[Claim], None]) -> NoReturn:
    """Do the chunk that stands in the first line of standard input, within so much memory, and exit."""
    log.configure(json=settings().log_json)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    claim = _claim(json.loads(sys.stdin.readline()))
    threading.Thread(target=_go_with_worker, daemon=True).start()
    collect_seldom()
    sys.exit(_outcome(act, claim))


def _outcome(act: Callable[[Claim], None], claim: Claim) -> int:
    try:
        act(claim)
    except MemoryError:
        return NO_MEMORY
    except (Conflict, KeyboardInterrupt):
        return NOT_OURS
    except db.UNAVAILABLE:
        return AWAY
    except Exception as error:  # noqa: BLE001 - its text may hold a personal value: only its kind is told.
        logger.warning("chunk_failed_apart", kind=claim.kind, error=type(error).__name__)
        return NO_MEMORY if type(error).__name__ == OUT_OF_MEMORY else FAILED
    return DONE


def _claim(told: dict[str, Any]) -> Claim:
    return Claim(**{**told, "chunk_id": UUID(told["chunk_id"]), "job_id": UUID(told["job_id"])})


def _go_with_worker() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(NOT_OURS)
