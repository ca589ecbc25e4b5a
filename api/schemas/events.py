"""What an event looks like on the wire, in the feed and in a webhook."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from consent.preferences import Key

KEY = "Left out where the source's keys are personal."
LONG = " Left out of a webhook that `is_truncated`."


class Joined(BaseModel):
    """A record that lives under the golden id now."""

    record_id: UUID
    source: str
    source_key: Annotated[str | None, Field(description=KEY)] = None
    from_: Annotated[UUID | None, Field(alias="from", description="The golden id it lived under before; null: under none.")]


class Left(BaseModel):
    """A record that lives under the golden id no more."""

    record_id: UUID
    source: str
    source_key: Annotated[str | None, Field(description=KEY)] = None
    to: Annotated[UUID | None, Field(description="The golden id it lives under now; null: it was deleted or erased.")]


class GoldenEvent(BaseModel):
    """What happened to a golden record. Never a value: names of attributes only."""

    golden_id: UUID
    version: int
    status: Literal["live", "merged", "ended", "erased"]
    cause: Annotated[str, Field(description="Why its standing changed; `values`: it did not, its values did.")]
    because: Annotated[str, Field(description="Who or what brought it about: record, steward, policy, upkeep.")]
    changed: Annotated[
        list[str], Field(default_factory=list, description=f"The attributes that have another value, not `consent`.{LONG}")
    ]
    joined: Annotated[list[Joined], Field(default_factory=list, description=f"Records that live under it since.{LONG}")]
    left: Annotated[list[Left], Field(default_factory=list, description=f"Records that live under it no more.{LONG}")]
    retired_ids: Annotated[list[UUID], Field(default_factory=list, description=f"Golden ids that redirect here since.{LONG}")]
    split_into: Annotated[
        list[UUID], Field(default_factory=list, description=f"Golden ids that hold records which founded this one.{LONG}")
    ]
    is_truncated: Annotated[
        bool, Field(description="Of a webhook that would hold more than 64 KB: lists are left out, read the event from the feed.")
    ] = False
    redirect_to: Annotated[UUID | None, Field(description="Of `golden.redirected`: where it leads now.")] = None


class RecordEvent(BaseModel):
    """A source's record."""

    record_id: UUID
    source: str
    source_key: Annotated[str | None, Field(description=KEY)] = None
    cause: Literal["created", "changed", "deleted", "rekeyed", "import_undone", "correction"]
    attribute: Annotated[str | None, Field(description="Of `record.correction_wanted`: what is wrong at the source.")] = None


class TaskEvent(BaseModel):
    """A question to stewards."""

    task_id: UUID
    kind: str
    reason_code: str
    golden_ids: list[UUID]


class JobEvent(BaseModel):
    """A job that is over."""

    job_id: UUID
    kind: str
    error: Annotated[str | None, Field(description="A stable code.")] = None


class LoadEvent(BaseModel):
    """A load that is in the log whole."""

    load_id: UUID
    kind: str
    first_seq: Annotated[int | None, Field(description="The number of its first event that is kept.")] = None
    last_seq: int | None = None


class QualityEvent(BaseModel):
    """A figure of a source against the floor that the policy sets."""

    model_config = ConfigDict(extra="allow")

    source: str
    to: str
    field: str
    figure: str


class EndpointEvent(BaseModel):
    """A webhook endpoint."""

    endpoint_id: UUID
    reason: str | None = None
    seq: Annotated[int | None, Field(description="Of `endpoint.overdue`: the oldest event that was not applied in time.")] = None


class ConsentAnswer(BaseModel):
    """Something that is answered otherwise since, for some contact point of the customer."""

    purpose: str
    channel: str | None
    brand: str | None
    answer: Literal["allowed", "denied", "unknown"]


class ConsentEvent(BaseModel):
    """What a customer consented to amounts to something else. Never a contact point: ask again before sending."""

    golden_id: UUID
    because: Annotated[Literal["entries", "records"], Field(description="Something was recorded; or records joined or left.")]
    narrowed: Annotated[bool, Field(description="Something that was allowed is not allowed any more.")]
    changed: Annotated[list[ConsentAnswer], Field(description="At most 50.")]


class ChangedPreference(BaseModel):
    """Something that is preferred otherwise since."""

    key: Key
    brand: Annotated[str | None, Field(description="Null: for all brands.")]


class PreferenceEvent(BaseModel):
    """A customer wants to be dealt with otherwise. Never how: read `GET /v1/golden/{golden_id}/preferences`."""

    golden_id: UUID
    changed: list[ChangedPreference]


class MergingEvent(BaseModel):
    """Merging without a human is on hold, or goes on."""

    sources: Annotated[list[str] | None, Field(description="Only merges of one's records with the other's; null: all.")]
    by_budget: Annotated[bool, Field(description="Too many of those that were checked were wrong; else somebody said so.")]


DATA: dict[str, type[BaseModel]] = {
    "consent": ConsentEvent,
    "preference": PreferenceEvent,
    "golden": GoldenEvent,
    "record": RecordEvent,
    "task": TaskEvent,
    "job": JobEvent,
    "load": LoadEvent,
    "quality": QualityEvent,
    "endpoint": EndpointEvent,
    "merging": MergingEvent,
}


class Event(BaseModel):
    """One event. `id` is the cursor behind it and the same wherever the event is delivered; `seq` is dense."""

    id: str
    seq: int
    type: str
    mode: Annotated[Literal["live", "test"], Field(description="What the service that tells it is: `MDM_MODE`.")]
    occurred_at: AwareDatetime
    subject_id: UUID
    version: Annotated[int, Field(description="Of the subject: of a golden record it grows with each but those of consent.")]
    sources: list[str]
    load_id: UUID | None = None
    data: Annotated[dict[str, Any], Field(description="By type: see `/asyncapi.json`.")]


class EventPage(BaseModel):
    """Events in the order of their numbers, and where to go on: `next`, also when nothing was found."""

    timeline_id: UUID
    events: list[Event]
    next: str
    has_more: bool
    latest: str
