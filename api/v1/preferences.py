"""Preferences: how customers want to be dealt with, beside what they consented to."""

from uuid import UUID

from fastapi import Request
from starlette.responses import Response

from api import idempotency, preferring
from api.deps import ConsentsReader, ConsentsWriter
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.preferences import PreferencesAnswer, PreferencesIn, PreferencesOfGolden

router = resource("preferences", Route)
of_goldens = resource("golden", Route)


@router.post("/v1/preferences", response_model=PreferencesAnswer, response_model_exclude_none=True, status_code=201)
def record(caller: ConsentsWriter, body: PreferencesIn, request: Request, idempotency_key: IdempotencyKey = None) -> Response:
    """Record up to 1,000 preferences: language, frequency, topics, store, contact window.

    None of them permits anything. Of each key and brand the latest act counts; nothing is ever changed. What forbids (a
    do-not-call list, a GPC signal, a death, a minor) is an act of `POST /v1/consents`.
    """
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda session: preferring.record(session, caller, body))


@of_goldens.get("/v1/golden/{golden_id}/preferences", response_model=PreferencesOfGolden)
def preferences(caller: ConsentsReader, golden_id: UUID) -> Response:
    """How a customer wants to be dealt with, and what forbids for all of the customer."""
    return preferring.read(caller, golden_id)
