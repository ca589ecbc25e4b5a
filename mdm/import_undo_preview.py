"""What undoing an import would do: done for real, looked at, and let go, some records at a time. Nothing of it is kept.

Each look withdraws records and all others of the import that hang together with them, so that golden ids are judged whole. Most
of those are known by what is stored: one look is enough. It holds the locks of its records for the seconds that it takes.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from mdm import closure, plans, record_log, versions
from mdm.import_undo import find
from mdm.plans import Tools
from mdm.steps import Steps, insist
from mdm.withdrawing import Fate, withdraw

CHUNK_RECORDS = 200
NO_JOB = uuid.UUID(int=0)
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Preview:
    """What would become of records, by fate, and of golden ids, by cause (values: nothing but values)."""

    fates: Counter[Fate] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)


class _LetGo(Exception):
    """Ends the step in which something was only tried."""


def preview(steps: Steps, job_id: uuid.UUID, progress: Progress) -> Preview:
    """Look at what undoing an import would do. Raises: NotFound."""
    with steps() as session:
        find(session, job_id)
        said = record_log.said_by(session, job_id)
        tools = Tools(versions.current(session))
    found, done = Preview(), set[uuid.UUID]()
    waiting = list(reversed(said))
    while waiting:
        chunk: list[uuid.UUID] = []
        while waiting and len(chunk) < CHUNK_RECORDS:
            record_id = waiting.pop()
            chunk += [record_id] if record_id not in done else []
        if chunk:
            done |= _look(steps, tools, job_id, chunk, found)
        progress(len(done), len(said))
    return found


def _look(steps: Steps, tools: Tools, job_id: uuid.UUID, chunk: Sequence[uuid.UUID], found: Preview) -> set[uuid.UUID]:
    """Try it on some records and on what hangs together with them; the records that it was tried on."""
    tried: list[_Tried] = []

    def act(session: Session) -> None:
        tried[:] = [_try(session, tools, job_id, chunk)]
        raise _LetGo

    try:
        insist(steps, act)
    except _LetGo:
        found.fates += tried[0].fates
        found.causes += tried[0].causes
    return tried[0].records


@dataclass(frozen=True, slots=True)
class _Tried:
    records: set[uuid.UUID]
    fates: Counter[Fate]
    causes: Counter[str]


def _try(session: Session, tools: Tools, job_id: uuid.UUID, chunk: Sequence[uuid.UUID]) -> _Tried:
    records, fates, causes = set[uuid.UUID](), Counter[Fate](), Counter[str]()
    more = _together(session, tools, job_id, chunk)
    while more:
        fates += withdraw(session, tools.versions.policy, job_id, NO_JOB, more)
        records.update(more)
        causes, near = plans.look(session, tools, sorted(records))
        more = record_log.said_by(session, job_id, sorted(near))
    return _Tried(records, fates, causes)


def _together(session: Session, tools: Tools, job_id: uuid.UUID, chunk: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The records and all others of the import that hang together with them as things stand."""
    around = closure.read(session, chunk, tools.versions)
    return record_log.said_by(session, job_id, sorted({*chunk, *around.records}))
