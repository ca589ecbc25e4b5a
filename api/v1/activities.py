"""Activities: orders, returns, cases and visits of records, taken as lines; and what a golden record's records did."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from api import activity_lines, batches, doing
from api.deps import GoldenReader, RecordsWriter
from api.idempotency import IdempotencyKey
from api.routes import Route, StreamRoute, resource
from api.schemas.activities import Activities

router = resource("activities", StreamRoute)
of_goldens = resource("golden", Route)
EXAMPLE = (
    '{"source": "pos", "key": "receipt-1", "record_key": "example-3", "kind": "order", "at": "2026-03-01T12:00:00Z",'
    ' "store": "madrid-01", "amount": "129.90", "currency": "EUR"}\n'
)
LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One JSON object a line (NDJSON): `source`, the activity's own `key` there, the `record_key` of who did"
        " it: `kind` (order, return, case, visit) and `at`. Of a sale the net `amount`, never negative, with its `currency`."
        " `store`. `status`: open, completed (when nothing is said) or cancelled. `updated_at`: a later delivery of a key"
        " replaces an earlier one; `at` when nothing is said.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


@router.post("/v1/activities:batch", openapi_extra=LINES, responses={200: batches.ANSWER})
async def batch(caller: RecordsWriter, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Take up to 1,000 activities as lines, of any sources, and answer each with a line.

    An activity belongs to the record that its source knows under `record_key`, whoever that turns out to be; one that comes
    before its record is kept for it. Nothing is matched on. A line that cannot be used is answered, kept and counted.
    """
    return await batches.take(caller, request, idempotency_key, activity_lines.ACTIVITIES)


@of_goldens.get("/v1/golden/{golden_id}/activities", response_model=Activities)
def activities(
    caller: GoldenReader,
    golden_id: UUID,
    limit: Annotated[int, Query(ge=0, le=100, description="How many of the latest to list.")] = 20,
) -> Response:
    """What a customer did: counts, when last seen, what was bought net of returns, by channel and currency; and the latest.

    Summed over the records within the key's scope that are its members now. What was cancelled is listed and not counted.
    """
    return doing.answer(caller, golden_id, limit)
