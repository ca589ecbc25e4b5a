"""What waits for a second person, on the wire."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Reason
from api.schemas.golden import Strict

State = Literal["open", "approved", "used", "rejected", "expired", "any"]


class Approval(BaseModel):
    """An act that takes two persons."""

    approval_id: UUID
    kind: str = Field(description="`decision`: of a steward; `policy`: another policy or model would rule; `erasure`.")
    about: dict[str, Any] = Field(
        description="How many records and decisions, which golden ids (the first 20), and of a value set by hand its attribute."
    )
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: str = Field(description="open, approved (not done yet), used (done), rejected, expired.")
    decided_by: str | None = Field(description="The second person.")
    decided_at: datetime | None
    reason: str | None


class Approvals(BaseModel):
    """Proposals, the newest first."""

    items: list[Approval]


class Decided(Strict):
    """Why a proposal is approved or rejected."""

    reason: Reason
