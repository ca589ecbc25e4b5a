"""Finds what fell on the floor: expired leases, overrides and facts, unanswered bells, cooled keys, answers kept long enough.

Run as `python -m workers.sweeper`. Only makes rows ready to ring again; the relay rings. Beside it, in a thread of its own since
it takes seconds on millions of records, the quality of every source is measured.
"""

import threading
import time

import sqlalchemy

from kernel import clock, db, log
from kernel.errors import MdmError
from kernel.settings import settings
from mdm import candidates, chunks, idempotency, lapsing, overrides, pending, quality_breaches, uploads
from webhooks import deliveries, feed
from workers.kinds import KINDS
from workers.standing import stop_on_signal

SWEEP_SECONDS = 1.0
TIDY_SECONDS = 3600.0
MEASURE_SECONDS = 60.0
# Measuring takes at most a fiftieth of the time, however many records there are.
REST_PER_SECOND_MEASURED = 50.0
logger = log.get_logger()


def sweep() -> int:
    """Sweep once; the number of records made ready, and of chunks that lost their worker too often."""
    with db.transaction() as session:
        now = clock.now()
        lapsed = overrides.ask_expired(session, now) + lapsing.ask(session, now)
        ready = pending.sweep(session) + candidates.cool(session) + lapsed
    with db.transaction() as session:
        return ready + sum(chunks.sweep(session, kind) for kind in KINDS.values())


def tidy() -> int:
    """Make the partitions of the coming months, and let go of what is kept for a time only; how much that was."""
    with db.transaction() as session:
        forgotten = idempotency.forget_old(session)
    with db.transaction() as session:
        db.make_partitions(session)
    with db.transaction() as session:
        forgotten += feed.forget_old(session) + deliveries.forget_old(session)
    return forgotten + uploads.forget_old()


def measure(stopping: threading.Event) -> None:
    """Measure the quality of sources until told to stop; survives the loss of the database."""
    rest = SWEEP_SECONDS
    while not stopping.wait(rest):
        started = time.monotonic()
        try:
            opened = quality_breaches.run(db.transaction)
            logger.debug("quality_measured", seconds=round(time.monotonic() - started, 1), breaches_opened=opened)
        except db.UNAVAILABLE as away:
            logger.warning("database_away", error=type(away).__name__)
        except MdmError as not_yet:  # No policy is stored yet, or its model cannot be read.
            logger.warning("quality_not_measured", code=not_yet.code)
        except Exception as error:  # noqa: BLE001 - a figure that cannot be made must not end the sweeper.
            logger.error("quality_failed", error=type(error).__name__)
        rest = max(MEASURE_SECONDS, (time.monotonic() - started) * REST_PER_SECOND_MEASURED)


def run(stopping: threading.Event) -> None:
    """Sweep until told to stop; survives the loss of the database."""
    next_tidying = 0.0
    while not stopping.wait(SWEEP_SECONDS):
        try:
            sweep()
            if time.monotonic() >= next_tidying:
                next_tidying = time.monotonic() + TIDY_SECONDS
                tidy()
        except db.UNAVAILABLE as away:
            logger.warning("database_away", error=type(away).__name__)
        except sqlalchemy.exc.DBAPIError as odd:  # A default partition that holds rows of a month refuses it: sweeping goes on.
            logger.error("tidying_failed", error=type(odd.orig).__name__)


def main() -> None:
    """Entry point."""
    log.configure(json=settings().log_json)
    stopping = stop_on_signal()
    threading.Thread(target=measure, args=[stopping], daemon=True).start()
    run(stopping)


if __name__ == "__main__":
    main()
