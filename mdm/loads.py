"""Loads that are under way: noted before their first event and closed by one `load.finished`, by another's hand if need be.

Whoever is told of a load by that event alone would never hear of one whose process was killed. A note holds for LEASE_SECONDS
beyond the last sign of life; then the sweeper closes the load. One that goes on all the same is closed again at its end.
"""

import time
import uuid
from collections.abc import Callable, Sequence

from sqlmodel import Session

from kernel import outbox
from mdm import sql
from mdm.events import load_finished
from mdm.steps import Steps

LEASE_SECONDS = 600.0
BEAT_SECONDS = 60.0
RECONCILE = "reconcile"


def keep(session: Session, load_id: uuid.UUID, kind: str, sources: Sequence[str]) -> None:
    """Note that a load is under way."""
    sql.run(
        session,
        """INSERT INTO load (load_id, kind, sources, lease_until) VALUES (%s, %s, %s, now() + make_interval(secs => %s))
           ON CONFLICT (load_id) DO UPDATE SET lease_until = EXCLUDED.lease_until""",
        [load_id, kind, list(sources), LEASE_SECONDS],
    )


def keeping(
    steps: Steps, load_id: uuid.UUID, sources: Sequence[str], progress: Callable[[int, int], None]
) -> Callable[[int, int], None]:
    """Give a progress that also keeps the note of a reconciliation's load."""
    kept_at = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal kept_at
        if time.monotonic() - kept_at > BEAT_SECONDS:
            kept_at = time.monotonic()
            with steps() as session:
                keep(session, load_id, RECONCILE, sources)
        progress(done, total)

    return tell


def close(session: Session, load_id: uuid.UUID, kind: str, sources: Sequence[str]) -> None:
    """Tell that a load is over, when anything happened in it: whether by this process or by one that was killed before."""
    happened = "SELECT FROM event WHERE load_id = %s UNION ALL SELECT FROM outbox WHERE load_id = %s LIMIT 1"
    if sql.rows(session, happened, [load_id, load_id]):
        outbox.emit(session, load_finished(session, load_id, kind, sources))
    sql.run(session, "DELETE FROM load WHERE load_id = %s", [load_id])


def close_abandoned(session: Session) -> int:
    """Close the loads that nobody keeps any more; how many. For the sweeper."""
    found = sql.rows(session, "SELECT load_id, kind, sources FROM load WHERE lease_until < now() FOR UPDATE SKIP LOCKED")
    for load_id, kind, sources in found:
        close(session, load_id, kind, sources)
    return len(found)
