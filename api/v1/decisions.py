"""Stewards' decisions: whether records are one customer, looked at before they are made, and taken back."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from api import deciding, idempotency
from api.deps import DecisionsWriter
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.decisions import Decide, Decision, DecisionPreview, TakeBack

router = resource("decisions", Route)
DryRun = Annotated[bool, Query(description="Only say what would change, with the `preview_token` that the decision needs.")]
LOOKED: dict[int | str, dict[str, object]] = {200: {"model": DecisionPreview, "description": "With dry_run: what would change."}}


@router.post("/v1/decisions", response_model=Decision, status_code=201, responses=LOOKED)
def decide(
    caller: DecisionsWriter, body: Decide, request: Request, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Response:
    """Decide that two sides are one customer, or are not. First with `dry_run=true`, which answers what would change.

    It holds whatever the model says, now and later, until it is taken back. One that contradicts other decisions is refused.
    """
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda _: deciding.decide(caller, body, dry_run))


@router.get("/v1/decisions/{decision_id}", response_model=Decision)
def get(caller: DecisionsWriter, decision_id: UUID) -> Response:
    """Read a decision, taken back or not."""
    return deciding.read(caller, decision_id)


@router.post("/v1/decisions/{decision_id}:undo", response_model=Decision | DecisionPreview)
def undo(
    caller: DecisionsWriter,
    decision_id: UUID,
    body: TakeBack,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a decision back: the golden records stand as if it had never been made, under the ids that they had. Look first."""
    hashed = idempotency.request_hash(request.scope, body.model_dump_json().encode())
    return idempotency.once(caller, idempotency_key, hashed, lambda _: deciding.undo(caller, decision_id, body, dry_run))
