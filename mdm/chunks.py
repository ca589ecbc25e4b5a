"""Works at one chunk of a job: keeps its lease meanwhile, and has what fails tried again, halved or given up.

What a kind of job does with a chunk is the kind's own function, which finishes the chunk in the transaction of its effect.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlmodel import Session

from kernel import db, jobs, log
from kernel.errors import Conflict, MdmError
from kernel.jobs import Bisect, Claim, Params
from mdm.steps import Steps

LEASE_SECONDS = 15.0
LEASE_LOST, CUT_OFF = "lease_lost", "cut_off"
WORKER_LOST = "worker_lost"
OUT_OF_MEMORY = "out_of_memory"
logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Kind:
    """How chunks of one kind of job are done. `work` finishes its chunk; `units` is how many fail when a chunk is given up.

    A chunk that takes longer than `longest_seconds` hangs: its lease is let go, so that another worker takes it.
    """

    name: str
    work: Callable[[Steps, Claim], None]
    units: Callable[[Params], int]
    bisect: Bisect | None = None
    longest_seconds: float = 900.0


def take(steps: Steps, kind: Kind, claim: Claim) -> None:
    """Do one chunk. One that fails is tried again, then halved, so that what is to blame is left alone.

    Raises: what the loss of the database raises; then the lease runs out.
    """
    try:
        with lease_kept(steps, claim, kind.longest_seconds):
            kind.work(steps, claim)
    except db.UNAVAILABLE:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a row provokes must not stop the others
        code = error.code if isinstance(error, MdmError) else type(error).__name__
        if code == CUT_OFF:
            _let_go(steps, kind, claim)
        elif code != LEASE_LOST:  # Else somebody else does it, or nobody is to any more.
            _failed(steps, kind, claim, code)


def _let_go(steps: Steps, kind: Kind, claim: Claim) -> None:
    """Let the lease run out now. Who claims the chunk next counts it as lost: that is no failure, until there are too many."""
    logger.warning("chunk_cut_off", kind=kind.name)
    with suppress(Conflict), steps() as session:
        jobs.heartbeat(session, claim, 0.0)


def _failed(steps: Steps, kind: Kind, claim: Claim, code: str) -> None:
    units = kind.units(claim.params)
    logger.warning("chunk_failed", kind=kind.name, units=units, error=code)
    with suppress(Conflict), steps() as session:
        jobs.fail_chunk(session, claim, code, units=units, bisect=kind.bisect)
        _close_given_up(session, claim.job_id, code)


def fail_job(steps: Steps, claim: Claim, code: str) -> None:
    """End the job of a chunk that no attempt can do; what it has done stays. Raises: Conflict when the lease is lost."""
    with steps() as session:
        stands = jobs.status(session, claim.job_id)
        jobs.finish_chunk(session, claim)
        jobs.finish_job(session, claim.job_id, error=code, result=stands.checkpoint or None)


def sweep(session: Session, kind: Kind) -> int:
    """Halve or give up the chunks of a kind that lost their worker again and again; how many there were."""
    abandoned = jobs.divide_abandoned(session, kind.name, bisect=kind.bisect)
    for job_id in set(abandoned):
        _close_given_up(session, job_id, WORKER_LOST)
    return len(abandoned)


def _close_given_up(session: Session, job_id: uuid.UUID, code: str) -> None:
    """A job whose extent is not known does not close by its last chunk; with nothing left to do it has failed."""
    stands = jobs.status(session, job_id)
    if stands.total_units is None and not stands.open_chunks:
        jobs.finish_job(session, job_id, error=code, result=stands.checkpoint or None)


@contextmanager
def lease_kept(steps: Steps, claim: Claim, longest_seconds: float) -> Iterator[None]:
    """Keep the lease on a chunk for the length of the block, but for so long at most."""
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=[steps, claim, over, time.monotonic() + longest_seconds], daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(steps: Steps, claim: Claim, over: threading.Event, until: float) -> None:
    while not over.wait(LEASE_SECONDS / 3) and time.monotonic() < until:
        try:
            with steps() as session:
                jobs.heartbeat(session, claim, LEASE_SECONDS)
        except db.UNAVAILABLE:
            continue  # The next beat may come in time.
        except Conflict:
            return
