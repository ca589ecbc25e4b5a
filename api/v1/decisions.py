"""Stewards' decisions: whether records are one customer, looked at before they are made, and taken back."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from api import deciding, idempotency
from api.deps import DecisionsReader, DecisionsWriter, Proposer, Settler
from api.idempotency import IdempotencyKey
from api.routes import Route, resource
from api.schemas.decisions import (
    DayUndone,
    Decide,
    DecideMany,
    Decision,
    DecisionPreview,
    DecisionSet,
    KnownMerges,
    ManyPreview,
    TakeBack,
    UndoDay,
)
from api.schemas.records import SourceName

router = resource("decisions", Route)
DryRun = Annotated[bool, Query(description="Only say what would change, with the `preview_token` that the decision needs.")]
LOOKED_AT_MANY: dict[int | str, dict[str, object]] = {200: {"model": ManyPreview, "description": "With dry_run."}}
LOOKED: dict[int | str, dict[str, object]] = {200: {"model": DecisionPreview, "description": "With dry_run: what would change."}}


@router.post("/v1/decisions", response_model=Decision, status_code=201, responses=LOOKED)
def decide(
    caller: Proposer, body: Decide, request: Request, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Response:
    """Decide that two sides are one customer, or are not. First with `dry_run=true`, which answers what would change.

    It holds whatever the model says, now and later, until it is taken back. One that contradicts other decisions is refused.
    """
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: deciding.decide(caller, body, dry_run))


@router.post("/v1/decisions:batch", response_model=DecisionSet, status_code=201, responses=LOOKED_AT_MANY)
def decide_many(
    caller: DecisionsWriter, body: DecideMany, request: Request, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make up to 1,000 decisions together, looked at first. What cannot be decided is left out and named by its place."""
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: deciding.decide_many(caller, body, dry_run))


@router.post("/v1/sources/{source}/records:merged", response_model=DecisionSet, status_code=201, responses=LOOKED_AT_MANY)
def known_merges(
    caller: DecisionsWriter,
    source: SourceName,
    body: KnownMerges,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Bring in merges that a source knows of, as decisions with the source as author, looked at first and taken back whole."""
    return idempotency.act_once(
        caller, idempotency_key, request, body, lambda: deciding.known_merges(caller, source, body, dry_run)
    )


@router.post("/v1/decision-sets/{set_id}:undo", response_model=DecisionSet | DecisionPreview)
def undo_set(
    caller: DecisionsWriter,
    set_id: UUID,
    body: TakeBack,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take back all decisions of a set that hold still. Look first."""
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: deciding.undo_set(caller, set_id, body, dry_run))


@router.post("/v1/decisions:undo-day", response_model=DayUndone | DecisionPreview)
def undo_day(
    caller: DecisionsWriter, body: UndoDay, request: Request, dry_run: DryRun = False, idempotency_key: IdempotencyKey = None
) -> Response:
    """Take back what somebody decided in a day and holds still: matches, no matches, values set by hand. Look first.

    Up to 1,000 decisions; `mdm decisions undo` takes back more. Refused when some of it is beyond the key's brands or regions.
    """
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: deciding.undo_day(caller, body, dry_run))


@router.get("/v1/decisions/{decision_id}", response_model=Decision)
def get(caller: DecisionsReader, decision_id: UUID) -> Response:
    """Read a decision, taken back or not."""
    return deciding.read(caller, decision_id)


@router.post("/v1/decisions/{decision_id}:undo", response_model=Decision | DecisionPreview)
def undo(
    caller: Settler,
    decision_id: UUID,
    body: TakeBack,
    request: Request,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take a decision back: the golden records stand as if it had never been made, under the ids that they had. Look first."""
    return idempotency.act_once(caller, idempotency_key, request, body, lambda: deciding.undo(caller, decision_id, body, dry_run))
