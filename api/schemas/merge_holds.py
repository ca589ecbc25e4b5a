"""Holds of automatic merging, on the wire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Reason
from api.schemas.golden import Strict
from api.schemas.records import SourceName


class MergeHold(BaseModel):
    """What would newly be merged without a human waits, until the hold is lifted."""

    hold_id: UUID
    began_at: datetime
    held_by: str
    reason: str
    sources: list[str] | None = Field(description="Only merges of one's records with the other's; null: all.")
    figures: dict[str, Any] = Field(description="By what the budget judged: wrong, checked, most_wrong, budget. Else empty.")
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None


class MergeHolds(BaseModel):
    """The latest hundred holds, the newest first. `waiting`: how many records wait for those that are in force."""

    items: list[MergeHold]
    waiting: int


class HoldMerges(Strict):
    """Why, and which merges."""

    reason: Reason
    sources: Annotated[list[SourceName] | None, Field(min_length=1, max_length=2, description="One or two; without: all.")] = None


class Lift(Strict):
    """Why merging may go on."""

    reason: Reason


class Lifted(BaseModel):
    """How many records are resolved now."""

    records: int
