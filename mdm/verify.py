"""Recomputes what is stored from standard records, stewards' decisions and founders, and names each difference. Repairs nothing.

One snapshot for the whole run, so that running workers are no differences; records still owed a resolution are counted, but
not judged.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kernel.errors import NotFound
from mdm import restandardize, sql, versions
from mdm.checking import Check, TaskCheck
from mdm.crew import WORTH_A_CREW
from mdm.differences import Difference
from mdm.evidence import Weigher
from mdm.expected import BulkExpected, Expected
from mdm.records import Shelf
from mdm.steps import Steps, snapshot
from mdm.verify_crew import by_crew
from mdm.versions import VersionSet

CHUNK = 1_000
Id = uuid.UUID
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome. `in_flight`: records whose units were not judged, because one of them is still owed a resolution."""

    records: int
    goldens: int
    decisions: int
    in_flight: int
    differences: tuple[Difference, ...]
    seconds: float

    def __add__(self, other: "Report") -> "Report":
        """Two runs over the same records: what either found."""
        found = tuple(sorted({*self.differences, *other.differences}))
        return Report(
            max(self.records, other.records),
            max(self.goldens, other.goldens),
            max(self.decisions, other.decisions),
            max(self.in_flight, other.in_flight),
            found,
            self.seconds + other.seconds,
        )


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def verify(
    steps: Steps, tasks: TaskCheck, golden_id: Id | None = None, progress: Progress = _silent, processes: int = 1
) -> Report:
    """Verify everything, or the units of one golden id; pairs are found key by key, as online. Many records are shared among
    so many processes.

    Raises: NotFound for a golden id that was never issued.
    """
    return _verify(steps, tasks, golden_id, Expected, None, progress, processes)


def verify_deep(steps: Steps, tasks: TaskCheck, golden_id: Id | None = None, progress: Progress = _silent) -> Report:
    """Verify with pairs found by the bulk engine, and with payloads opened and standardized again."""
    return _verify(steps, tasks, golden_id, BulkExpected, restandardize.differences, progress, 1)


def _verify(
    steps: Steps,
    tasks: TaskCheck,
    golden_id: Id | None,
    expected: Callable[[Session, VersionSet, Shelf], Expected],
    payloads: Callable[[Session, Sequence[Id]], Iterator[Difference]] | None,
    progress: Progress,
    processes: int,
) -> Report:
    started = time.monotonic()
    with snapshot(steps) as session:
        current = versions.current(session)
        shelf = Shelf()
        run = Check(session, current, shelf, expected(session, current, shelf), tasks.differences, Weigher(current))
        everyone = _records_of(session, golden_id)
        chunks = _chunks(everyone, run.met.records)
        shared = processes > 1 and len(everyone) >= WORTH_A_CREW
        for chunk in by_crew(session, steps, run, chunks, processes) if shared else _alone(run, chunks):
            run.met.differences.update(payloads(session, chunk) if payloads else ())
            progress(len(run.met.records), max(len(run.met.records), len(everyone)))
        if golden_id is None:
            run.check_strays(tasks)
    met = run.met
    found = tuple(sorted(met.differences))
    return Report(len(met.records), len(met.golden_ids), met.decisions, len(met.in_flight), found, time.monotonic() - started)


def _alone(run: Check, chunks: Iterator[list[Id]]) -> Iterator[list[Id]]:
    for chunk in chunks:
        run.check(chunk)
        yield chunk


def _records_of(session: Session, golden_id: Id | None) -> list[Id]:
    if golden_id is None:
        # The records of a golden record come together, so that next to nothing is met in two chunks.
        return [row[0] for row in sql.rows(session, "SELECT record_id FROM crosswalk ORDER BY golden_id, record_id")]
    found = sql.rows(
        session,
        "SELECT record_id FROM crosswalk WHERE golden_id = %(id)s UNION SELECT record_id FROM founder WHERE golden_id = %(id)s",
        {"id": golden_id},
    )
    if not found and not sql.rows(session, "SELECT FROM golden WHERE golden_id = %s", [golden_id]):
        raise NotFound("This golden id was never issued here", code="unknown_golden")
    return [row[0] for row in found]


def _chunks(everyone: Sequence[Id], seen: set[Id]) -> Iterator[list[Id]]:
    waiting = list(reversed(everyone))
    while waiting:
        chunk: list[Id] = []
        while waiting and len(chunk) < CHUNK:
            record_id = waiting.pop()
            if record_id not in seen:
                chunk.append(record_id)
        if chunk:
            yield chunk
