"""Takes lines of activities in, each answered by itself, as `api.batches` takes those of records."""

from collections.abc import Sequence

from pydantic import TypeAdapter
from sqlmodel import Session

from api import batches
from api.batches import Result, refused
from api.ndjson import Line
from api.refusals import told
from api.schemas.activities import MOST_LINES, ActivityLine
from kernel import clock
from kernel.actor import Principal
from mdm import activities, activity_rows, refusing, rejects
from mdm import policy as policies
from mdm.activities import Activity
from mdm.incoming import storable
from mdm.mapping_values import Problem
from mdm.policy import Policy

READER = TypeAdapter(ActivityLine)
Read = tuple[str | None, Activity | Problem]  # The source, where it is one, and what the line said.


def _store(session: Session, caller: Principal, lines: Sequence[Line]) -> list[Result]:
    """Store lines of all sources with one set of statements; what cannot be used is kept as a reject and answered."""
    policy = policies.current(session)
    read = [_read(policy, caller, line) for line in lines]
    usable = [one for _, one in read if isinstance(one, Activity)]
    brands = {one.source: policy.source(one.source).brand for one in usable}
    outcomes = iter(activity_rows.put_all(session, brands, usable, caller))
    results, kept = [], []
    for line, (source, one) in zip(lines, read, strict=True):
        outcome = activity_rows.Outcome("rejected", one) if isinstance(one, Problem) else next(outcomes)
        results.append(_result(line.number, outcome))
        if problem := outcome.problem:
            content = None if problem is refusing.ERASED else storable(None, None, line.raw or b"")
            kept.append(rejects.Reject(problem.code, problem.field, source, line.number, content))
    rejects.keep(session, kept)
    return results


def _result(number: int, outcome: activity_rows.Outcome) -> Result:
    if outcome.problem is not None:
        return refused(number, outcome.problem)
    notes = {"notes": [told(note) for note in outcome.notes]} if outcome.notes else {}
    return {"line": number, "status": outcome.status, **notes}


def _read(policy: Policy, caller: Principal, line: Line) -> Read:
    one = batches.read_line(line, READER)
    if isinstance(one, Problem):
        return None, one
    if problem := batches.barred_from(policy, one.source, caller):
        return (one.source if one.source in policy.sources else None), problem
    return one.source, activities.prepare(one.source, policy.source(one.source), one.model_dump(), clock.now())


ACTIVITIES = batches.Kind(MOST_LINES, _store)
