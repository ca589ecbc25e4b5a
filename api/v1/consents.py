"""Consent: acts are recorded, questions are answered, and what is known of a golden record is told."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from api import consenting, idempotency
from api.deps import ConsentChecker, ConsentsReader, ConsentsWriter, Reading
from api.idempotency import IdempotencyKey
from api.routes import HotRoute, Route, resource
from api.schemas.consents import Acts, ActsAnswer, Checks, ChecksAnswer, Consents, Receipt
from api.schemas.times import Time

router = resource("consents", Route)
hot = resource("consents", HotRoute)
of_goldens = resource("golden", Route)
AsOf = Annotated[Time | None, Query(description="A time with its zone: who was the customer then, and what had been recorded.")]


@router.post("/v1/consents", response_model=ActsAnswer, response_model_exclude_none=True, status_code=201)
def record(caller: ConsentsWriter, body: Acts, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Record up to 1,000 consents, withdrawals, refusals and suppressions.

    Nothing is ever changed: what was said stays, and what counts is computed. The same act sent again is the same entry. An act
    that cannot be used is answered with what is wrong; the others are recorded.
    """
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda session: consenting.record(session, caller, body))


@router.get("/v1/consents/{entry_id}/receipt", response_model=Receipt)
def receipt(caller: ConsentsReader, session: Reading, entry_id: UUID) -> Response:
    """Read the signed receipt of an entry.

    The fields of ISO/IEC TS 27560. `signature` is over `receipt` as canonical JSON (members sorted by name, no white space,
    UTF-8; RFC 8785).
    """
    return consenting.receipt(session, caller, entry_id)


@hot.post("/v1/consent-checks", response_model=ChecksAnswer, response_model_exclude_none=True)
async def check(caller: ConsentChecker, body: Checks) -> Response:
    """Ask whether something may be done: up to 10,000 questions.

    Ask right before sending. Only `allowed` permits: `unknown` is no permission. A contact point alone is answered as strictly as
    any customer who holds it.
    """
    return await consenting.check(caller, body)


@of_goldens.get("/v1/golden/{golden_id}/consents", response_model=Consents)
def consents(caller: ConsentsReader, golden_id: UUID, as_of: AsOf = None) -> Response:
    """What a customer consented to, and by which entries.

    `effective` says what counts; `entries` are all that was recorded of this customer and against its contact points.
    """
    return consenting.read(caller, golden_id, as_of)
