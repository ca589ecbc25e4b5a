"""What is begun by the clock: each schedule opens a job at its slots, once, however many sweepers look.

Whoever fires holds the schedule's row; the job and the slot that it stands for are written together. The clock is the database's.
A slot that was missed fires once, whatever time has passed; one that has fired never fires again, wherever the clock goes.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlmodel import Session

from kernel import actor, log
from kernel.errors import MdmError
from kernel.settings import settings
from mdm import reconciliations, slots, sql, upkeep
from mdm.parts import EVERYBODY
from mdm.slots import OFF
from mdm.steps import Steps

WHO = actor.local("schedule")
# In UTC. Quality last, so that the day's figures are those of its end.
TIMES: Mapping[str, str] = {
    "reconcile": "02:00", "retention": "03:10", "partitions": "03:20", "privacy_retention": "03:30", "quality": "23:50",
}  # fmt: skip
Fired = tuple[datetime | None, datetime | None, uuid.UUID | None]
NEVER: Fired = (None, None, None)
Begin = Callable[[Session], uuid.UUID | None]
BEGIN: Mapping[str, Begin] = {
    "reconcile": lambda session: reconciliations.begin(session, EVERYBODY, False, WHO),
    # What is done with records of people is beyond this package: a worker knows the kind.
    **{name: partial(upkeep.begin, kind=name, created_by=WHO.name) for name in (*upkeep.ACTS, "privacy_retention")},
}
logger = log.get_logger()


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it stands. `fired_slot`: the last slot that counts as done; `job_id`: what it opened, if anything."""

    name: str
    at: str
    fired_slot: datetime | None
    fired_at: datetime | None
    job_id: uuid.UUID | None
    next_slot: datetime | None


def times() -> dict[str, str]:
    """When each schedule fires, by default or by the settings (MDM_SCHEDULES)."""
    return {name: settings().schedules.get(name, at) for name, at in TIMES.items()}


def unknown() -> list[str]:
    """Name what the settings give times for and is no schedule."""
    return sorted(settings().schedules.keys() - TIMES.keys())


def listed(session: Session) -> list[Schedule]:
    """List all schedules with their next slots."""
    now, known = _known(session)
    following = {name: None if at == OFF else slots.following(at, now) for name, at in times().items()}
    return [Schedule(name, at, *known.get(name, NEVER), next_slot=following[name]) for name, at in times().items()]


def fire_due(steps: Steps) -> int:
    """Open the jobs of the slots that have begun, a step each; how many slots that were. Cheap when there are none."""
    with steps() as session:
        now, known = _known(session)
    due = [name for name, at in times().items() if at != OFF and known.get(name, NEVER)[0] != slots.latest(at, now)]
    fired = 0
    for name in due:
        with steps() as session:
            fired += _fire(session, name, times()[name])
    return fired


def _known(session: Session) -> tuple[datetime, dict[str, Fired]]:
    ((now,),) = sql.rows(session, "SELECT now()")
    return now, {row[0]: row[1:] for row in sql.rows(session, "SELECT name, fired_slot, fired_at, job_id FROM schedule")}


def _fire(session: Session, name: str, at: str) -> bool:
    ((now,),) = sql.rows(session, "SELECT now()")
    slot = slots.latest(at, now)
    # A new schedule begins with its next slot: nothing was missed before it was there.
    sql.run(session, "INSERT INTO schedule (name, fired_slot) VALUES (%s, %s) ON CONFLICT DO NOTHING", [name, slot])
    found = sql.rows(session, "SELECT fired_slot FROM schedule WHERE name = %s FOR UPDATE SKIP LOCKED", [name])
    if not found or found[0][0] == slot:
        return False
    if found[0][0] > slot:
        _note_jump(session, name, at, found[0][0], slot)
        return False
    job_id = _begin(session, name)
    sql.run(session, "UPDATE schedule SET fired_slot = %s, fired_at = now(), job_id = %s WHERE name = %s", [slot, job_id, name])
    return True


def _begin(session: Session, name: str) -> uuid.UUID | None:
    """Open the job. One that is refused (a reconciliation is under way, no policy is stored) waits for the next slot."""
    try:
        job_id = BEGIN[name](session)
    except MdmError as refused:
        logger.warning("schedule_refused", schedule=name, code=refused.code)
        return None
    if job_id is None:  # It may be paused, or no worker runs: said, lest upkeep stop in silence.
        logger.warning("schedule_waits_for_the_job_before", schedule=name)
        return None
    logger.info("schedule_fired", schedule=name, job_id=str(job_id))
    return job_id


def _note_jump(session: Session, name: str, at: str, fired: datetime, slot: datetime) -> None:
    """The clock stood later when this fired. Had it stood far ahead, the schedule would be silent until then: it is set back."""
    if fired - slot > slots.period(at) * 2:
        logger.warning("schedule_set_back", schedule=name)
        sql.run(session, "UPDATE schedule SET fired_slot = %s WHERE name = %s", [slot, name])
