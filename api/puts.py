"""Takes single records in: those that one caller sends at once go into one step, as if they were lines of a batch.

Whoever comes while a step is under way goes with the next one. Nobody else waits for company, but that those who were answered
just now have a moment to send their next: else half of them would always wait for the other half. Whatever fails is tried alone,
so that no record suffers from another.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from api import deps
from api.refusals import refusal, require_source
from kernel import db, log
from kernel.actor import Principal
from mdm import ingest, payloads, pending, rejects, sender_paths, traces
from mdm import policy as policies
from mdm.incoming import Incoming
from mdm.ingest import Outcome
from mdm.mapping_values import Problem
from mdm.policy import Policy
from mdm.policy_schema import Source
from mdm.steps import is_deadlock

MOST_AT_ONCE = 32
# A step costs as much as ten records do: for whom is busy a few milliseconds of waiting are less than twice the steps.
MOMENT_SECONDS = 0.005
Taken = tuple[Outcome, list[str]]


@dataclass(slots=True)
class _Put:
    """One record on its way: the outcome and where in the body its problem lies, or what went wrong."""

    source: str
    item: Incoming
    trace_parent: str | None
    taken: Taken | None = None
    error: BaseException | None = None

    @property
    def is_answered(self) -> bool:
        return self.taken is not None or self.error is not None


@dataclass(slots=True)
class _Line:
    """Who of one caller waits, and whose turn it is. `expected`: how many were under way or waited when the last step ended."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    waiting: list[_Put] = field(default_factory=list)
    expected: int = 1


_lines: dict[Principal, _Line] = {}


def take(caller: Principal, source: str, item: Incoming) -> Taken:
    """Take one record in, or its deletion; its payload is parsed here. Blocks. Raises: what its step raises; MdmError."""
    mine = _Put(source, item, log.trace_parent())
    line = _lines.setdefault(caller, _Line())
    with line.arrived:
        line.waiting.append(mine)
        line.arrived.notify()
    with line.turn:
        while not mine.is_answered:
            group = _next(line)
            _answer(caller, group)
            with line.arrived:
                line.expected = min(len(group) + len(line.waiting), MOST_AT_ONCE)
    if mine.error is not None:
        raise mine.error
    assert mine.taken is not None, "answered"  # noqa: S101 - narrows the type
    return mine.taken


def _next(line: _Line) -> list[_Put]:
    """Take those that have waited longest out of the line; what has the key of one before it goes with another step."""
    group: dict[tuple[str, str], _Put] = {}
    left: list[_Put] = []
    with line.arrived:
        line.arrived.wait_for(lambda: len(line.waiting) >= line.expected, MOMENT_SECONDS)
        for one in line.waiting:
            key = (one.source, one.item.key)
            if key in group or len(group) == MOST_AT_ONCE:
                left.append(one)
            else:
                group[key] = one
        line.waiting = left
    return list(group.values())


def _answer(caller: Principal, group: Sequence[_Put]) -> None:
    """Take a group in with one step; when that fails, each alone, unless the database is away for all."""
    try:
        found = deps.step(caller, lambda session: _store(session, caller, group))
    except BaseException as error:  # noqa: BLE001 - each of them is told, or tried again
        if len(group) > 1 and _may_be_one_records(error):
            for one in group:
                _answer(caller, [one])
        else:
            for one in group:
                one.error = error
        return
    for one, taken in zip(group, found, strict=True):
        one.taken = taken


def _may_be_one_records(error: BaseException) -> bool:
    """Whether an error may be the fault of one record, or a quarrel about a lock: not the loss of the database."""
    if isinstance(error, db.UNAVAILABLE):
        return is_deadlock(error)
    return isinstance(error, Exception)


def _store(session: Session, caller: Principal, group: Sequence[_Put]) -> list[Taken]:
    """Store a group, all sources with one set of statements. Raises: MdmError."""
    policy = policies.current(session)
    found: dict[int, Taken] = {}
    readable: dict[int, ingest.Delivery] = {}
    for place, one in enumerate(group):
        refuse_key_in_url(policy, one.source, caller)
        payload = None if one.item.delete else payloads.parse(one.item.raw)
        if isinstance(payload, Problem):
            problem = payload if one.item.raw.strip() else Problem("empty_body", "")
            rejects.keep(session, [rejects.Reject(problem.code, problem.field, one.source)])
            found[place] = Outcome(one.item.key, "rejected", problem=problem), []
        else:
            readable[place] = one.source, _with_payload(one.item, payload)
    outcomes = ingest.put_all(session, policy, list(readable.values()), caller, pending.INTERACTIVE_PRIORITY)
    if len(group) > 1:
        stored = zip(readable, outcomes, strict=True)
        traces.divide(session, {one.record_id: group[place].trace_parent for place, one in stored if one.record_id})
    for (place, (source, item)), outcome in zip(readable.items(), outcomes, strict=True):
        found[place] = outcome, pointers_of(policy.source(source), outcome.problem, item.payload)
    return [found[place] for place in range(len(group))]


def _with_payload(item: Incoming, payload: dict[str, Any] | None) -> Incoming:
    return Incoming(item.key, payload, item.source_version, item.source_updated_at, item.delete, item.raw)


def pointers_of(source: Source, problem: Problem | None, payload: Any) -> list[str]:
    """Where in what was sent a refusal's problem lies, when the problem names an attribute of ours."""
    return sender_paths.pointers(source, problem, payload) if problem is not None else []


def refuse_key_in_url(policy: Policy, source: str, caller: Principal) -> None:
    """Raises: NotFound for an unknown source; MdmError when the policy says that its keys are personal."""
    if require_source(policy, source, caller).key_is_personal:
        raise refusal(Problem("key_in_url", "key"))
