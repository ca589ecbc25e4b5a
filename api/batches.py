"""Takes a stream of lines in, of records or of activities: some hundreds a step, each line answered, a poisoned one alone.

Results are held until the body is read (at most BATCH_LINES short lines): a client that sends all before it reads would else wait
for us while we wait for it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar, cast

import orjson
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from api import deps, idempotency, limits
from api.intake import notes_of
from api.ndjson import Line, LineSplitter
from api.problems import from_unknown, log_failure
from api.puts import pointers_of
from api.refusals import line_problem, told
from api.schemas.records import BatchLine
from kernel.actor import Principal
from kernel.errors import Forbidden, Invalid, MdmError, NotFound
from mdm import idempotency as ledger
from mdm import ingest, payloads, rejects
from mdm import policy as policies
from mdm.incoming import Incoming
from mdm.ingest import Outcome
from mdm.mapping_values import Problem
from mdm.policy import Policy

MEDIA_TYPE = "application/x-ndjson"
STEP_LINES = 500
KEYED_BYTES = 64_000_000
ANSWER = {
    "description": "One `BatchResult` a line, then one `BatchSummary`.",
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
}
READER = TypeAdapter(BatchLine)
LineModel = TypeVar("LineModel", bound=BaseModel)
# The line's number, what became of it, and where in the record its problem lies.
Answered = tuple[int, Outcome, list[str]]
# The answer of a line: its number, its status, and what belongs to it.
Result = dict[str, Any]
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Kind:
    """What the lines of a batch are: how many at most, and what stores some of them in one step, an answer for each."""

    most_lines: int
    store: Callable[[Session, Principal, Sequence[Line]], list[Result]]


async def take(caller: Principal, request: Request, idempotency_key: str | None, kind: Kind | None = None) -> Response:
    """Take a batch in; with an idempotency key, once. Lines are records unless `kind` says what else.

    Raises: MdmError, HTTPException for another media type.
    """
    kind = kind or RECORDS
    sent = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent not in {MEDIA_TYPE, "application/jsonl", "application/ndjson"}:
        raise HTTPException(415)
    key = idempotency.checked(idempotency_key)
    if key is None:
        return _response(await _run(caller, request, None, kind))
    raw = await limits.read_body(request.receive, request.scope["headers"], KEYED_BYTES)
    hashed = idempotency.request_hash(request.scope, raw)
    claimed = await run_in_threadpool(idempotency.claim, caller, key, hashed)
    if isinstance(claimed, ledger.Answered):
        return _response(claimed.body, idempotency.REPLAYED)
    try:
        body = await _run(caller, request, raw, kind)
        await run_in_threadpool(deps.step, caller, lambda session: ledger.finish(session, claimed, 200, body))
    except MdmError:
        await run_in_threadpool(idempotency.give_up, caller, claimed)
        raise
    return _response(body)


def _response(body: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(body, 200, headers, MEDIA_TYPE)


async def _parts(request: Request, raw: bytes | None) -> AsyncIterator[bytes]:
    if raw is not None:
        yield raw
        return
    async for part in limits.chunks(request.receive):
        yield part


async def _run(caller: Principal, request: Request, raw: bytes | None, kind: Kind) -> bytes:
    """Take the lines in as they arrive; the answer's bytes. Raises: Invalid when there is no line at all."""
    splitter, run = LineSplitter(payloads.LARGEST_PAYLOAD_BYTES), _Run(caller, request.scope, kind)
    async for part in _parts(request, raw):
        await run.add(splitter.feed(part))
        if run.is_full:
            break
    await run.add(splitter.finish(), is_last=True)
    if not run.counted:
        raise Invalid("The batch is empty", code="empty_body", detail="At least one line was expected.")
    return run.answer()


class _Run:
    """One batch under way: lines that wait for their step, and what was answered so far."""

    def __init__(self, caller: Principal, scope: Scope, kind: Kind) -> None:
        self.caller, self.scope, self.kind = caller, scope, kind
        self.waiting: list[Line] = []
        self.written: list[bytes] = []
        self.counted: Counter[str] = Counter()
        self.is_full = False

    async def add(self, lines: list[Line], is_last: bool = False) -> None:
        """Take lines; run a step whenever there are enough of them."""
        fit = [line for line in lines if line.number <= self.kind.most_lines]
        self.is_full = self.is_full or len(fit) < len(lines)
        self.waiting += fit
        while len(self.waiting) >= STEP_LINES or (self.waiting and is_last):
            now, self.waiting = self.waiting[:STEP_LINES], self.waiting[STEP_LINES:]
            for result in await run_in_threadpool(_take_lines, self.caller, self.scope, now, self.kind):
                self.counted[result["status"]] += 1
                self.written.append(orjson.dumps(result))

    def answer(self) -> bytes:
        """All results and the summary, one a line."""
        summary: dict[str, Any] = {"lines": self.counted.total(), **self.counted}
        if self.is_full:
            summary |= {
                "unread_from_line": self.kind.most_lines + 1,
                "detail": "A batch holds so many lines; send the others in another.",
            }
        return b"\n".join([*self.written, orjson.dumps({"summary": summary}), b""])


def refused(number: int, problem: Problem, status: str = "rejected", pointers: Sequence[str] = ()) -> Result:
    """The answer of a line that was not taken."""
    return {"line": number, "status": status, "problem": line_problem(problem, pointers)}


def _result(number: int, outcome: Outcome, pointers: list[str]) -> Result:
    if outcome.problem is not None:
        return refused(number, outcome.problem, outcome.status, pointers)
    result: Result = {"line": number, "status": outcome.status, "record_id": outcome.record_id, "version_no": outcome.version_no}
    return {**result, "notes": [told(note) for note in outcome.notes]} if outcome.notes else result


def _take_lines(caller: Principal, scope: Scope, lines: Sequence[Line], kind: Kind) -> list[Result]:
    """Take lines in one step; when it fails, in halves, until the line that fails alone is found. Blocks."""
    try:
        found: list[Result] = deps.step(caller, lambda session: kind.store(session, caller, lines))
        return found
    except Exception as error:  # noqa: BLE001 - whatever one line does, the others go on; it is logged without its text.
        failure = from_unknown(error)
        if failure.status != UNAVAILABLE and len(lines) > 1:
            half = len(lines) // 2
            return [*_take_lines(caller, scope, lines[:half], kind), *_take_lines(caller, scope, lines[half:], kind)]
        log_failure(scope, error, failure)
        return [refused(line.number, Problem(failure.code, ""), "failed") for line in lines]


def _store(session: Session, caller: Principal, lines: Sequence[Line]) -> list[Result]:
    """Store lines of all sources with one set of statements, in their order: what belongs together often comes together."""
    policy = policies.current(session)
    read = [(line, read_line(line, READER)) for line in lines]
    sources = {one.source for _, one in read if not isinstance(one, Problem)}
    barred = {source: barred_from(policy, source, caller) for source in sources}
    unusable: list[tuple[Line, Problem, str | None]] = []
    usable: list[tuple[Line, BatchLine]] = []
    for line, one in read:
        if isinstance(one, Problem):
            unusable.append((line, one, None))
        elif problem := barred[one.source]:
            unusable.append((line, problem, one.source if one.source in policy.sources else None))
        else:
            usable.append((line, one))
    rejects.keep(
        session, [rejects.Reject(problem.code, problem.field, source, line.number) for line, problem, source in unusable]
    )
    outcomes = ingest.put_all(session, policy, [(one.source, _incoming(line, one)) for line, one in usable], caller)
    found: list[Answered] = [(line.number, Outcome("", "rejected", problem=problem), []) for line, problem, _ in unusable]
    for (line, one), outcome in zip(usable, outcomes, strict=True):
        told_of = replace(outcome, notes=notes_of(outcome, one.delete))
        found.append((line.number, told_of, pointers_of(policy.source(one.source), outcome.problem, one.record)))
    return [_result(*answered) for answered in sorted(found, key=lambda answered: answered[0])]


def barred_from(policy: Policy, source: str, caller: Principal) -> Problem | None:
    """Why no line of a source may be taken from the caller, or None."""
    try:
        ingest.rules_for(policy, source, caller)
    except (NotFound, Forbidden) as error:
        return Problem(error.code, "source")
    return None


def _incoming(line: Line, one: BatchLine) -> Incoming:
    payload = None if one.delete else one.record
    return Incoming(cast(str, one.key), payload, one.source_version, one.source_updated_at, one.delete, line_no=line.number)


def read_line(line: Line, reader: TypeAdapter[LineModel]) -> LineModel | Problem:
    """Read a line as JSON of a model, or say what is wrong with it."""
    if line.raw is None:
        return Problem("line_too_large", "")
    parsed = payloads.parse(line.raw)
    if isinstance(parsed, Problem):
        return parsed
    try:
        return reader.validate_python(parsed)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return Problem("bad_line", str(first["loc"][0]) if first["loc"] and first["type"] != "extra_forbidden" else "")


RECORDS = Kind(limits.BATCH_LINES, _store)
