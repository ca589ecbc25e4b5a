"""What tells why a golden record shows a value."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class SaidByRecord(BaseModel):
    """A record that says a value, and when it was observed. What a steward set has source `steward`, author, override, expiry."""

    record_id: UUID
    source: str
    key: str | None = None
    at: datetime
    author: str | None = None
    override_id: UUID | None = None
    expires_at: datetime | None = None


class WhyKept(BaseModel):
    """A value that the golden record shows, and by which criterion of the policy."""

    value: Any
    rule: str = Field(description="What decided.", examples=["trust"])
    sentence: str = Field(description="The same in words.")
    said_by: SaidByRecord
    also_said_by: list[SaidByRecord]
    behind: str | None = Field(None, description="Of several e-mail addresses or phones: what puts it behind the primary one.")


class WhyLost(BaseModel):
    """A value that the golden record does not show."""

    value: Any
    said_by: SaidByRecord
    lost_by: str | None = Field(None, description="The criterion by which it lost; not known when absent (see `settled`).")
    sentence: str | None = Field(None, description="In words, what the winner had over it.")


class AttributeWhy(BaseModel):
    """Why an attribute is what it is. Where `settled` is false its records wait to be resolved, and less is told."""

    golden_id: UUID
    version: int
    computed_at: datetime
    attribute: str
    settled: bool
    values: list[WhyKept] = Field(description="One; of attributes that keep all values, all of them, the primary first.")
    runners_up: list[WhyLost] = Field(description="The best first.")
    runners_up_left_out: int
