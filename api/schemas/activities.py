"""What the activity routes take and give."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import Name, Strict

MOST_LINES = 1_000


class ActivityLine(Strict):
    """One line of a batch: an activity as its source has it now. What is wrong with a value is answered by a code of its own."""

    source: Name
    key: Any = None
    record_key: Any = None
    kind: Any = None
    at: Any = None
    store: Any = None
    amount: Any = None
    currency: Any = None
    status: Any = "completed"
    updated_at: Any = None


class Net(BaseModel):
    """What was bought less what was returned, in one currency; no currency is converted into another."""

    currency: str
    amount: str = Field(description="A decimal number.", examples=["129.9"])


class Totals(BaseModel):
    """What was done, without what was cancelled."""

    last_seen_at: datetime | None = Field(description="The latest of all kinds; null when all was cancelled.")
    orders: int
    returns: int
    cases: int
    visits: int
    net: list[Net]


class ChannelTotals(Totals):
    """The same, by the records of one kind of channel."""

    channel_kind: str | None = Field(description="Null: of sources that the policy no longer names.")


class ActivityShown(BaseModel):
    """One activity, with the record that it belongs to."""

    source: str
    key: str
    record_key: str = Field(description="The record's key as it was sent; the record may have another by now.")
    kind: Literal["order", "return", "case", "visit"]
    status: Literal["open", "completed", "cancelled"]
    at: datetime
    store: str | None
    amount: str | None
    currency: str | None
    updated_at: datetime


class Activities(Totals):
    """What the records of a golden record did, all together and by channel, and the latest of it."""

    requested_id: UUID
    status: Literal["live", "merged", "ended"]
    golden_id: UUID
    channels: list[ChannelTotals]
    items: list[ActivityShown] = Field(description="The latest first.")
    cut: bool = Field(description="Some record has more activities than are counted: the latest 10,000 of it are.")
