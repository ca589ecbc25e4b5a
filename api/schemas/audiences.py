"""What the route of who is to be dropped gives. An audience is shown as exports are."""

from uuid import UUID

from pydantic import BaseModel, Field

from consent.status import Answer, Reason


class Dropped(BaseModel):
    """A customer whom something has happened to since, and how it stands now."""

    golden_id: UUID = Field(description="As the sender's list may have it; perhaps merged away since.")
    now_golden_id: UUID | None = Field(description="By which it lives now.")
    seq: int | None = Field(description="The last event that named it; null: its use was restricted.")
    drop: bool = Field(description="True: send nothing. False: send to `contact_points` only, where any are named.")
    answer: Answer
    reason: Reason
    contact_points: list[str]


class DroppedPage(BaseModel):
    """Who was named behind a cursor."""

    items: list[Dropped]
    next: str = Field(description="Where to go on the next time.")
    has_more: bool
