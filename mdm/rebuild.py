"""Recomputes everything that is derived from what is not, under the same golden ids, and says what was otherwise before.

Truth are the versions of records and which of them are current, the decisions of stewards, the founders and versions of golden
records, policies and models. Each step is a transaction of its own that writes only what differs; killed anywhere, run again.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlmodel import Session

from mdm import consent_partings, golden_mending, mending, restandardize, sql, versions
from mdm import verify as verification
from mdm.checking import TaskCheck
from mdm.differences import Difference, Kind
from mdm.reconcile import Choice, reconcile
from mdm.resolve import Resolver
from mdm.steps import insist, snapshot
from mdm.verify import Report

CHUNK = 500
ROUNDS = 2
# Named stage, how many are done, of how many.
Progress = Callable[[str, int, int], None]


class TaskKeeper(TaskCheck, Protocol):
    """How stewards' tasks are compared and closed: `stewardship.tasks`, which this package may not know."""

    def close_strays(self, session: Session, golden_ids: Collection[uuid.UUID]) -> None:
        """Close the open tasks about none of the golden ids."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The outcome: what differed, before and while it was put right, and what verification says afterwards."""

    differed: tuple[Difference, ...]
    after: Report


def rebuild(resolver: Resolver, tasks: TaskKeeper, choice: Choice, progress: Progress) -> Rebuilt:
    """Rebuild everything; readable all the time, safe beside workers. Raises: Conflict when another version set becomes current
    meanwhile: run it again.

    What is the truth itself cannot be computed: a broken seal of a steward's decision, a past version that was edited and a
    payload that cannot be read are named, and stay.
    """
    report = _verify(resolver, tasks, progress)
    differed = set(report.differences)
    for round_no in range(ROUNDS):
        if round_no and not report.differences:
            break
        suspects = _unexplained(report) if round_no else []
        differed |= _mend(resolver, suspects, progress)
        reconcile(resolver, lambda done, total: progress("resolving", done, total), choice=choice)
        differed |= _tidy(resolver, tasks)
        report = _verify(resolver, tasks, progress)
        differed |= {*report.differences}
    return Rebuilt(tuple(sorted(differed)), report)


def _verify(resolver: Resolver, tasks: TaskCheck, progress: Progress) -> Report:
    return verification.verify_deep(resolver.steps, tasks, progress=lambda done, total: progress("verifying", done, total))


def _unexplained(report: Report) -> list[uuid.UUID]:
    """Name golden records whose copies agree in saying what they should not: nothing but verification finds them."""
    kinds = {Kind.GOLDEN_VALUE, Kind.REDIRECT}
    return [uuid.UUID(one.id) for one in report.differences if one.kind in kinds and one.problem != "without_founders"]


def _mend(resolver: Resolver, suspects: Sequence[uuid.UUID], progress: Progress) -> set[Difference]:
    """Put back all that resolution starts from, a chunk a step; what differed."""
    with snapshot(resolver.steps) as session:
        current = versions.current(session)
        records = [row[0] for row in sql.rows(session, "SELECT record_id FROM source_record ORDER BY record_id")]
        golden_ids = [row[0] for row in sql.rows(session, "SELECT golden_id FROM golden ORDER BY golden_id")]
    found: set[Difference] = set()
    # Each a step of its own: together they would lock in another order than those who write the same rows.
    for chunk in _chunks(records, "reading payloads", progress):
        found.update(insist(resolver.steps, partial(restandardize.restore, policy=current.policy, record_ids=chunk)))
        found.update(insist(resolver.steps, partial(mending.crosswalk, record_ids=chunk)))
        found.update(insist(resolver.steps, partial(mending.seals, of=current, record_ids=chunk)))
    found.update(insist(resolver.steps, mending.founders))
    for chunk in _chunks(golden_ids, "comparing golden records", progress):
        found.update(insist(resolver.steps, partial(golden_mending.goldens, golden_ids=chunk)))
    for chunk in _chunks(suspects, "writing anew", progress):
        insist(resolver.steps, partial(golden_mending.distrust, golden_ids=chunk))
    return found


def _chunks(ids: Sequence[uuid.UUID], what: str, progress: Progress) -> Iterator[list[uuid.UUID]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
        progress(what, min(start + CHUNK, len(ids)), len(ids))


def _tidy(resolver: Resolver, tasks: TaskKeeper) -> set[Difference]:
    """What resolution itself does not come to: the past of the crosswalk, consents whose records parted unnoted, and tasks about
    nobody."""
    found = {*insist(resolver.steps, mending.past), *insist(resolver.steps, consent_partings.mend)}
    with resolver.steps() as session:
        tasks.close_strays(session, {row[0] for row in sql.rows(session, "SELECT golden_id FROM golden")})
    return found
