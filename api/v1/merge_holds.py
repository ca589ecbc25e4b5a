"""Automatic merging on hold: by the budget of false merges, or by somebody's word."""

from uuid import UUID

from starlette.responses import Response

from api import holding
from api.deps import Admin, DecisionsWriter
from api.routes import Route, resource
from api.schemas.merge_holds import HoldMerges, Lift, Lifted, MergeHold, MergeHolds

router = resource("merge_holds", Route)


@router.get("/v1/merge-holds", response_model=MergeHolds)
def listed(caller: DecisionsWriter) -> Response:
    """List the holds of automatic merging, the newest first, and how many records wait."""
    return holding.listed(caller)


@router.post("/v1/merge-holds", status_code=201, response_model=MergeHold)
def begin(caller: Admin, body: HoldMerges) -> Response:
    """Put automatic merging on hold: all of it, or that of two sources.

    Nothing that is merged comes apart. Whoever would newly be merged without a human waits; all else is resolved as ever.
    """
    return holding.begin(caller, body)


@router.post("/v1/merge-holds/{hold_id}:lift", response_model=Lifted)
def lift(caller: Admin, hold_id: UUID, body: Lift) -> Response:
    """Let automatic merging go on: who waits is resolved now. Takes two persons where the policy says so of what rules (409)."""
    return holding.lift(caller, hold_id, body.reason)
