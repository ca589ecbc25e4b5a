"""Which consents were recorded of a golden record while each version stood, or came along with records that joined. Only reads.

Read past the application's row scope: whoever asks must be allowed to see the golden record (`mdm.history.visible`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from consent import ledger
from consent.entries import Entry
from kernel import clock
from mdm import sql
from mdm.history import Step


def of_steps(session: Session, steps: Sequence[Step], brands: Collection[str] | None) -> list[list[Entry]]:
    """Give the entries of each step, the earliest first. `brands`: of which it is told, as with consents themselves.

    An entry stands with the version in which it first spoke of the golden record: in force when it was recorded, else the one in
    which its record joined.
    """
    records = frozenset[UUID]().union(*(one.version.members for one in steps))
    said = ledger.read(session, records, (), clock.now())
    known = [one for one in said if brands is None or one.brand is None or one.brand in brands]
    known.sort(key=lambda one: (one.recorded_at, one.entry_id))
    return [
        [one for one in known if _speaks(one, step, until)] for step, until in zip(steps, _until(session, steps), strict=True)
    ]


def _until(session: Session, steps: Sequence[Step]) -> list[datetime | None]:
    """Until when each version stood; None: it stands."""
    if not steps:
        return []
    last = steps[-1].version
    statement = "SELECT min(computed_at) FROM golden_version WHERE golden_id = %s AND version > %s"
    ((following,),) = sql.rows(session, statement, [last.golden_id, last.version])
    return [*(one.version.computed_at for one in steps[1:]), following]


def _speaks(entry: Entry, step: Step, until: datetime | None) -> bool:
    """Whether an entry speaks of the members of a version while it stands, and did not of the version before."""
    was, becomes = step.before, step.version
    if becomes.members.isdisjoint(entry.records) or (until is not None and entry.recorded_at >= until):
        return False
    return was is None or was.members.isdisjoint(entry.records) or entry.recorded_at >= becomes.computed_at
