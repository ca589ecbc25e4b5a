"""Carries deliveries from HTTP to `mdm.ingest`: reads them within limits, runs each step in a thread, counts what it refuses."""

from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import orjson
from fastapi import Depends, Path
from fastapi.concurrency import run_in_threadpool
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from api import answers, deps, puts
from api.limits import read_body
from api.refusals import refusal, told
from api.routes import require_json
from kernel.actor import Principal
from kernel.errors import MdmError
from mdm import incoming, payloads, rejects, waiting
from mdm import policy as policies
from mdm import rekey as renaming
from mdm.current_version import Mark
from mdm.incoming import Incoming
from mdm.ingest import Outcome
from mdm.mapping_values import Problem

KEY_TEXT = "The source's own key of the record. A source whose keys are personal sends its records in a batch."


def record_key(request: Request, key: Annotated[str, Path(description=KEY_TEXT, examples=["example-1"])]) -> str:
    """Give the record key of the path.

    Raises: MdmError for what cannot be a key, and for bytes that are no UTF-8, which would all read as U+FFFD.
    """
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode("utf-8")
    except UnicodeDecodeError:
        raise refusal(Problem("invalid_utf8", "key")) from None
    problem = incoming.key_problem(key)
    if problem is not None:
        raise refusal(problem)
    return key


PathKey = Annotated[str, Depends(record_key)]


async def read_record(request: Request) -> bytes:
    """Read a record's body. Raises: TooLarge, HTTPException for another media type."""
    require_json(request.scope)
    return await read_body(request.receive, request.scope["headers"], payloads.LARGEST_PAYLOAD_BYTES)


def put(caller: Principal, source: str, key: str, mark: Mark, raw: bytes | None) -> Outcome:
    """Take one record in, or its deletion when there is no body. Blocks.

    Raises: MdmError for what cannot be used, which is counted.
    """
    item = Incoming(key, None, mark.source_version, mark.source_updated_at, raw is None, raw or b"")
    outcome, pointers = puts.take(caller, source, item)
    if outcome.problem is not None:
        raise refusal(outcome.problem, pointers)
    return outcome


def notes_of(outcome: Outcome, is_deletion: bool) -> tuple[Problem, ...]:
    """What the sender of a record should know; also that a deletion found nothing, since a mistyped key looks just like that."""
    found_nothing = is_deletion and outcome.status == "deleted" and outcome.version_no == 1
    notes = (*outcome.notes, *outcome.faults)
    return (*notes, Problem("nothing_to_delete", "key")) if found_nothing else notes


async def take(caller: Principal, source: str, key: str, mark: Mark, raw: bytes | None, wait_seconds: float) -> Response:
    """Take one record in, wait for its resolution when asked to, and say where it stands."""
    outcome = await run_in_threadpool(put, caller, source, key, mark, raw)
    stands = await waiting.settled(caller, str(outcome.record_id), wait_seconds)
    answer: dict[str, Any] = {
        "record_id": outcome.record_id,
        "status": outcome.status,
        "version_no": outcome.version_no,
        "resolution": stands.resolution,
        "golden_id": stands.golden_id,
        "notes": [told(note) for note in notes_of(outcome, raw is None)],
    }
    return answers.json_answer(answer, 201 if outcome.status == "created" else 200)


def count_refusal(caller: Principal, code: str, source: str) -> None:
    """Count a delivery that was refused before it was read. Blocks."""
    deps.step(caller, lambda session: rejects.keep(session, [rejects.Reject(code, "", source)]))


async def counted_body(caller: Principal, source: str, request: Request) -> bytes:
    """Read a record's body; one that is too large is counted among the rejects. Raises: as `read_record`."""
    try:
        return await read_record(request)
    except MdmError as error:
        await run_in_threadpool(count_refusal, caller, error.code, source)
        raise


def rekey(session: Session, caller: Principal, source: str, old_key: str, new_key: str) -> tuple[int, bytes]:
    """Give a record another key; the answer's status and bytes. Raises: MdmError."""
    policy = policies.current(session)
    puts.refuse_key_in_url(policy, source, caller)
    problem = incoming.new_key_problem(policy.source(source), new_key)
    if problem is not None:
        raise refusal(problem)
    record_id = renaming.rekey(session, caller, source, old_key, new_key)
    return 200, orjson.dumps({"record_id": record_id})
