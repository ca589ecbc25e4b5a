"""Source records: put, read and delete one, give one another key, and take many as a stream of lines."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from starlette.responses import Response

from api import answers, batches, idempotency, intake, puts, quotas
from api.deps import RecordsReader, RecordsWriter, Writing, caller_of
from api.idempotency import IdempotencyKey
from api.intake import PathKey
from api.routes import Route, StreamRoute, resource
from api.schemas.records import Record, RecordAnswer, Rekey, RekeyAnswer, SourceName, Version, WaitSeconds
from mdm import policy as policies
from mdm import record_reading
from mdm.current_version import Mark

router = resource("records", Route)
streams = resource("records", StreamRoute)
RECORD = "/v1/sources/{source}/records/{key:any_text}"


def _mark(
    source_version: Annotated[
        Version | None, Query(description="A number that grows with each change; the greatest is current.")
    ] = None,
    source_updated_at: Annotated[
        datetime | None, Query(description="When the source changed it; in its own zone when it names none.")
    ] = None,
) -> Mark:
    return Mark(source_version, source_updated_at)


SourceMark = Annotated[Mark, Depends(_mark)]
ADA = {"given_name": "Ada", "surname": "Byron", "emails": ["ada@example.org"], "birth_date": "1988-12-10"}
A_RECORD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The record as its source has it; the policy's mapping reads it. A source without mapping sends our own"
        " attributes: `given_name`, `surname`, `birth_date`, `emails`, `phones`, `addresses` and more.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": ADA}},
    }
}
LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One JSON object a line (NDJSON): `source`, `key` and `record`, or `delete` as true in its place; where"
        " the source knows them `source_version` and `source_updated_at`.",
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": '{"source": "pos", "key": "example-3", "record": {"given_name": "Ada"}}\n',
            }
        },
    }
}


@router.put(
    RECORD, response_model=RecordAnswer, responses={201: {"model": RecordAnswer, "description": "New."}}, openapi_extra=A_RECORD
)
async def put(
    caller: RecordsWriter, source: SourceName, key: PathKey, mark: SourceMark, request: Request, wait_seconds: WaitSeconds = 0
) -> Response:
    """Put a record as its source has it now. Idempotent: the same again is `same`; an older version never replaces a newer one.

    Its golden id is worked out by a worker; `wait_seconds` waits for it. A source whose keys are personal uses the batch.
    """
    raw = await intake.counted_body(caller, source, request)
    return await intake.take(caller, source, key, mark, raw, wait_seconds)


async def _spent(request: Request, source: SourceName, key: PathKey) -> None:
    """Count the record among the customers that the caller asks for, as its crosswalk does. Stands after the caller."""
    await quotas.spend(caller_of(request), [repr((source, key))])


@router.get(RECORD, response_model=Record)
def get(
    caller: RecordsReader, source: SourceName, key: PathKey, _: Annotated[None, Depends(_spent)], session: Writing
) -> Response:
    """Read a record as it stands: what was received, how it was read, which golden record it belongs to. Audited."""
    puts.refuse_key_in_url(policies.current(session), source, caller)
    return answers.json_answer(record_reading.read(session, caller, source, key))


@router.delete(RECORD, response_model=RecordAnswer)
async def delete(
    caller: RecordsWriter, source: SourceName, key: PathKey, mark: SourceMark, wait_seconds: WaitSeconds = 0
) -> Response:
    """Say that the source has deleted the record: a version like any other, so that a late older one does not bring it back.

    The deletion of a key that was never seen is kept for the same reason: `deleted`, with the note `nothing_to_delete`.
    """
    return await intake.take(caller, source, key, mark, None, wait_seconds)


@router.post(RECORD + ":rekey", response_model=RekeyAnswer, openapi_extra={"x-example": {"key": "example-3"}})
def rekey(
    caller: RecordsWriter, source: SourceName, key: PathKey, body: Rekey, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Give a record another key, because its source did. Its history and golden id stay; the old key is given up for good."""
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda step: intake.rekey(step, caller, source, key, body.new_key))


@streams.post("/v1/records:batch", openapi_extra=LINES, responses={200: batches.ANSWER})
async def batch(caller: RecordsWriter, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Take up to 100,000 records as lines, of any sources, and answer each with a line.

    A line that cannot be used is answered, kept as a reject and counted; the rest goes on. Lines of one key arrive in order.
    The answer begins when all is read. With an Idempotency-Key the body may hold at most 64 MB.
    """
    return await batches.take(caller, request, idempotency_key)
