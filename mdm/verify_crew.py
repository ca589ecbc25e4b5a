"""Verification shared among processes: each checks chunks of records in the very snapshot that the leader reads in.

What two of them meet at once is checked twice and found once. Only reads.
"""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from sqlmodel import Session

from mdm import sql, versions
from mdm.checking import Check, Met, TaskDifferences
from mdm.crew import crew
from mdm.evidence import Weigher
from mdm.expected import Expected
from mdm.records import Shelf
from mdm.steps import Steps, snapshot

Chunk = list[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Errand:
    """What every helper needs: how to open a step, whose snapshot to read in, and how tasks are compared."""

    steps: Steps
    snapshot: str
    task_differences: TaskDifferences

    def check(self, opened: ExitStack) -> Check:
        """Make a helper's own check."""
        session = opened.enter_context(snapshot(self.steps, self.snapshot))
        current = versions.current(session)
        shelf = Shelf()
        return Check(session, current, shelf, Expected(session, current, shelf), self.task_differences, Weigher(current))


class _Helper:
    """What a helper process holds between chunks. Its step is open as long as it lives."""

    errand: Errand
    opened = ExitStack()
    check: Check | None = None


def _begin(errand: Errand) -> None:
    _Helper.errand = errand


def _help(chunk: Chunk) -> tuple[Chunk, Met]:
    if _Helper.check is None:
        _Helper.check = _Helper.errand.check(_Helper.opened)
    _Helper.check.check(chunk)
    return chunk, _Helper.check.take()


def by_crew(session: Session, steps: Steps, run: Check, chunks: Iterator[Chunk], processes: int) -> Iterator[Chunk]:
    """Let helpers check chunks, and add what they meet to the run; `session` is the leader's, in its snapshot."""
    [(name,)] = sql.rows(session, "SELECT pg_export_snapshot()")
    with crew(processes, _begin, Errand(steps, name, run.task_differences)) as helpers:
        for chunk, met in helpers.as_made(_help, chunks, _nothing):
            run.met.add(met)
            yield chunk


def _nothing() -> None:
    """Do nothing between chunks: the leader's step holds no claims."""
