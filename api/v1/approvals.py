"""What waits for a second person."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from api import approving
from api.deps import Admin, DecisionsReader, DecisionsWriter, Reading
from api.routes import Route, resource
from api.schemas.approvals import Approval, Approvals, Decided, State
from kernel import approvals

router = resource("approvals", Route)


@router.get("/v1/approvals", response_model=Approvals)
def listed(
    _caller: DecisionsReader, session: Reading, state: State = "open", limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> Response:
    """List what waits for a second person, the newest first.

    A decision is seconded by giving the same: the same answer to the task, or the same decision, after a look of one's own.
    """
    return approving.listed(session, state, limit)


@router.post("/v1/approvals/{approval_id}:approve", response_model=Approval)
def approve(caller: Admin, approval_id: UUID, body: Decided) -> Response:
    """Approve a policy or a model that somebody else has proposed; whoever proposed it then asks for it again.

    403 for what one has proposed oneself; 409 for a decision, which is seconded by giving the same.
    """
    return approving.decide(caller, approval_id, approvals.APPROVED, body.reason)


@router.post("/v1/approvals/{approval_id}:reject", response_model=Approval)
def reject(caller: DecisionsWriter, approval_id: UUID, body: Decided) -> Response:
    """Reject a proposal, or take one's own back."""
    return approving.decide(caller, approval_id, approvals.REJECTED, body.reason)
