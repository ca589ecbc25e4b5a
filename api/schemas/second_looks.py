"""What is asked of stewards for a second time, and what they answer."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import Strict
from stewardship.queue import MOST_LISTED
from stewardship.settle import Verdict


class LookFilter(Strict):
    """Which to list."""

    state: Literal["waiting", "differs"] = Field("waiting", description="`differs`: two have answered, and not the same.")
    limit: int = Field(50, ge=1, le=MOST_LISTED)


class SecondLook(BaseModel):
    """An answer that is asked for again. Are the records of both sides one customer?"""

    decision_id: UUID
    kind: str
    question: str
    drawn_at: datetime
    left_records: list[UUID]
    right_records: list[UUID]
    first_by: str | None = Field(description="Null until two have answered: who answers second is not told.")
    first_verdict: str | None
    second_by: str | None
    second_verdict: str | None


class SecondLooks(BaseModel):
    """What the caller may answer or settle, the oldest first; nothing that they have answered themselves."""

    items: list[SecondLook]


class SecondAnswer(Strict):
    """A second answer: it changes nothing, and one that differs waits for a third person."""

    verdict: Verdict


class SecondAnswered(BaseModel):
    """Whether the two answers are the same, or that the first was kept."""

    decision_id: UUID
    result: Literal["same", "differs", "kept"]
