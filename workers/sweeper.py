"""Finds what fell on the floor: expired leases, overrides and facts, unanswered bells, cooled keys, overdue tasks and endpoints.

It fires the schedules as well, notes how far an adoption is, judges the budget of false merges, and watches access. Run as
`python -m workers.sweeper`; several may run. Only makes rows ready to ring again and opens jobs; the relay rings. Beside it, in
a thread of its own since it takes seconds on millions of records, every source's quality is measured, what of the report reads
all of them is told, and once an hour the report itself.
"""

import threading
import time
from collections.abc import Callable

from kernel import clock, db, log
from kernel.errors import MdmError
from kernel.settings import fault_point, settings
from mdm import adoptions, candidates, chunks, instruments, lapsing, loads, overrides, pending, quality_breaches, schedules
from stewardship import access_alerts, accounts, escalation, kept_measures, kept_reports, merge_budget
from webhooks import lag
from workers.kinds import KINDS
from workers.standing import stand

SWEEP_SECONDS = 1.0
MEASURE_SECONDS = 60.0
JUDGE_SECONDS = 10.0
# Measuring takes at most a fiftieth of the time, however many records there are.
REST_PER_SECOND_MEASURED = 50.0
REST_PER_SECOND_COUNTED = 20.0
_next_count = [0.0]
logger = log.get_logger()


def sweep() -> int:
    """Sweep once; the number of records made ready, and of chunks that lost their worker too often."""
    return sum(act() for act in SWEEPS)


def ask_again() -> int:
    """Make records ready whose worker is gone, whose bell nobody answered, or of which something has lapsed; how many."""
    with db.transaction() as session:
        now = clock.now()
        lapsed = overrides.ask_expired(session, now) + lapsing.ask(session, now)
        ready = pending.sweep(session) + candidates.cool(session) + lapsed
        fault_point("sweeper.sweeping")
    fault_point("sweeper.swept")
    return ready


def close_loads() -> int:
    """End loads whose process is gone."""
    with db.transaction() as session:
        loads.close_abandoned(session)
    return 0


def watch_adoption() -> int:
    """Note how far the adoption of a version set has come; counting millions takes a twentieth of the time at most."""
    begun = time.monotonic()
    if begun >= _next_count[0]:
        with db.transaction() as session:
            adoptions.watch(session)
        _next_count[0] = time.monotonic() + REST_PER_SECOND_COUNTED * (time.monotonic() - begun)
    return 0


def forget_sessions() -> int:
    """Let go of sessions that are over."""
    with db.transaction() as session:
        accounts.sweep(session)
    return 0


def escalate() -> int:
    """Tell of tasks that became overdue, and move them up."""
    with db.transaction() as session:
        escalation.sweep(session)
    return 0


def divide_chunks() -> int:
    """Halve or give up chunks that lost their worker again and again; how many."""
    with db.transaction() as session:
        return sum(chunks.sweep(session, kind) for kind in KINDS.values())


def judge_merges() -> int:
    """Put automatic merging on hold where too many of the merges that were checked were wrong."""
    with db.transaction() as session:
        merge_budget.run(session)
    return 0


def watch_access() -> int:
    """Count who reads and merges how much, and tell of what is unusual."""
    with db.transaction() as session:
        access_alerts.run(session)
    return 0


class Seldom:
    """An act that is due once in so many seconds, not at every sweep."""

    def __init__(self, act: Callable[[], int], seconds: float) -> None:
        self._act, self._seconds, self._next = act, seconds, 0.0
        self.__name__ = act.__name__

    def __call__(self) -> int:
        if time.monotonic() < self._next:
            return 0
        done = self._act()  # One that fails is due again at the next sweep.
        self._next = time.monotonic() + self._seconds
        return done


SWEEPS: tuple[Callable[[], int], ...] = (
    *(ask_again, close_loads, watch_adoption, forget_sessions, escalate, divide_chunks),
    *(Seldom(act, JUDGE_SECONDS) for act in (judge_merges, watch_access)),
)


def watch_endpoints() -> None:
    """Note and log which webhook endpoints are overdue with what must not wait, and which have caught up."""
    merge, urgent = settings().overdue_hours * 3600.0, settings().overdue_urgent_hours * 3600.0
    with db.transaction() as session:
        turned = lag.watch(session, {one: merge if one == lag.MERGED else urgent for one in lag.URGENT})
    for one in turned.overdue:
        about = {"endpoint_id": str(one.endpoint_id), "type": one.type, "seq": one.seq}
        logger.warning("endpoint_overdue", **about, seconds=round(one.seconds))
    for endpoint_id in turned.caught_up:
        logger.info("endpoint_caught_up", endpoint_id=str(endpoint_id))


def measure(stopping: threading.Event) -> None:
    """Measure the quality of sources, and what of the report reads every record, until told to stop; survives the loss of the
    database."""
    rest = SWEEP_SECONDS
    while not stopping.wait(rest):
        started = time.monotonic()
        try:
            opened = quality_breaches.run(db.transaction)
            kept_measures.keep(db.transaction)
            kept_reports.keep_due(db.transaction)
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
    if names := schedules.unknown():
        logger.warning("unknown_schedules", names=names)
    while not stopping.wait(SWEEP_SECONDS):
        done = [attempt(act) for act in (*SWEEPS, fire_schedules, watch_endpoints)]
        if None not in done:
            instruments.stepped("sweeper", sum(one or 0 for one in done[: len(SWEEPS)]))


def fire_schedules() -> None:
    """Open the jobs whose time has come."""
    schedules.fire_due(db.transaction)


def attempt(act: Callable[[], int | None]) -> int | None:
    """Do one of the sweeper's acts: one that fails (None) holds up no other, and is tried again a second later."""
    try:
        return act() or 0
    except db.UNAVAILABLE as away:
        logger.warning("database_away", error=type(away).__name__)
    except Exception as error:  # noqa: BLE001 - its text may hold a value; what is wrong with one act must not end them all.
        logger.error("sweep_failed", act=getattr(act, "__name__", "act"), error=type(error).__name__)
    return None


def sweep_and_measure(stopping: threading.Event) -> None:
    """Sweep until told to stop, and measure beside it."""
    threading.Thread(target=measure, args=[stopping], daemon=True).start()
    run(stopping)


def main() -> None:
    """Entry point."""
    stand("sweeper", sweep_and_measure)


if __name__ == "__main__":
    main()
