"""What callers did that they do not usually do, and how far the data moved, on the wire."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Reason
from api.schemas.golden import Strict


class AlertFilter(Strict):
    """Which alerts to list."""

    unseen: bool = Field(False, description="Only what nobody has looked at.")
    limit: int = Field(50, ge=1, le=200)


class Alert(BaseModel):
    """Something unusual: who, since when, by which figures; and what somebody said who looked at it."""

    alert_id: UUID
    kind: Literal["reads", "merges", "all_merges", "used_up", "approvals", "answers"]
    sentence: str
    actor: str = Field(description="Whom it is about; `all` where it is nobody in particular.")
    since: datetime
    opened_at: datetime
    figures: dict[str, Any]
    seen_at: datetime | None
    seen_by: str | None
    is_usual: bool | None
    reason: str | None


class Alerts(BaseModel):
    """What nobody has looked at, then the latest."""

    items: list[Alert]


class Seen(Strict):
    """What it was, and whether as much is usual from now on."""

    reason: Reason
    is_usual: bool = False


class DriftFigure(BaseModel):
    """One figure of the last seven days against when the model came to rule."""

    what: Literal["weights", "reviews", "complete", "recognised"]
    of: str = Field(description="Of which source and attribute; empty for all.")
    before: float | None = Field(description="A share; null for an index, which is of both times.")
    now: float | None
    distance: float
    counted: int
    is_beyond: bool


class Drift(BaseModel):
    """As last measured, what is too far first; `day` is null while nothing was measured yet."""

    day: date | None
    items: list[DriftFigure]
