"""What the routes of preferences take and give."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from api.schemas.consents import RecordRef
from api.schemas.golden import Name, Strict
from api.schemas.times import Time
from consent.entries import Channel, Method, Origin, Suppression
from consent.preferences import Key

MOST = 1_000


class PreferenceIn(Strict):
    """One preference. Who: a record, where it is known, else a golden id."""

    record: RecordRef | None = None
    golden_id: UUID | None = None
    key: Key
    value: str | list[str] | dict[str, Any] | None = Field(
        description="language: a tag as `es`; frequency: as_it_comes, daily, weekly, monthly, rarely; topics: a list of names; "
        "store: its name; contact_window: `from`, `to` (HH:MM), `days` (mon to sun), `timezone`. Null takes back what was said."
    )
    brand: Name | None = Field(None, description="Null: the brand of the record's source, else all brands.")
    occurred_at: Time | None = Field(None, description="When the customer said so; unknown is never later than a known time.")
    origin: Origin = Origin.SYSTEM
    method: Method = Method.API

    @model_validator(mode="after")
    def _who(self) -> "PreferenceIn":
        if (self.golden_id is None) == (self.record is None):
            raise ValueError("golden_id or record, one of them")
        return self


class PreferencesIn(Strict):
    """Up to 1,000 preferences."""

    preferences: Annotated[list[PreferenceIn], Field(min_length=1, max_length=MOST)]


class PreferenceOutcome(BaseModel):
    """What became of one."""

    index: int
    status: str = Field(description="created, same or rejected.")
    preference_id: UUID | None = None
    problem: dict[str, Any] | None = None


class PreferencesAnswer(BaseModel):
    """What became of each, in order."""

    items: list[PreferenceOutcome]


class PreferenceOut(BaseModel):
    """A preference that counts, and whence it is."""

    preference_id: UUID
    key: Key
    value: str | list[str] | dict[str, Any]
    brand: str | None
    occurred_at: datetime | None
    recorded_at: datetime
    origin: Origin
    method: Method
    source: str | None
    recorded_by: str


class GlobalSuppression(BaseModel):
    """What forbids for all of the customer, or for all of a channel: an entry of the ledger that no lift has ended."""

    entry_id: UUID
    suppression: Suppression
    channel: Channel | None
    brand: str | None
    occurred_at: datetime | None
    recorded_at: datetime


class PreferencesOfGolden(BaseModel):
    """How a customer wants to be dealt with, where that is allowed at all; and what forbids."""

    requested_id: UUID
    golden_id: UUID
    preferences: list[PreferenceOut]
    suppressions: list[GlobalSuppression]
