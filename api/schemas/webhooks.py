"""What webhook endpoints look like on the wire."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import NO_NUL
from api.schemas.exports import BrandName
from api.schemas.golden import Name, Strict

Url = Annotated[str, Field(min_length=1, max_length=2_000, examples=["https://hooks.shop.example/customers"])]


class EndpointWish(Strict):
    """Where events go, which of them, and how fast. Empty lists let everything through."""

    url: Url
    description: str = Field("", max_length=200, pattern=NO_NUL)
    types: list[Name] = Field([], max_length=64, examples=[["golden.merged", "golden.split"]])
    sources: list[Name] = Field([], max_length=64, description="Only events about these sources' records; only those are named.")
    brands: list[BrandName] | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="Only events about these brands. Null: all of the key's; in a change, as before.",
    )
    changed: list[Name] = Field([], max_length=64, description="Of `golden.updated`: only where one of these attributes changed.")
    each_of_loads: bool = Field(False, description="Every event of a load, as it comes.")
    latest_of_loads: bool = Field(
        True, description="After a `load.finished`, the latest version of each golden record of the load. Else that event alone."
    )
    is_ordered: bool = Field(False, description="An event of a subject waits for the events of the same subject before it.")
    concurrency: int = Field(5, ge=1, le=50, description="How many deliveries are under way at once.")
    per_second: int = Field(100, ge=1, le=1_000)


class Endpoint(BaseModel):
    """An endpoint as it stands."""

    endpoint_id: UUID
    url: str
    description: str
    types: list[str]
    sources: list[str]
    changed: list[str]
    each_of_loads: bool
    latest_of_loads: bool
    is_ordered: bool
    concurrency: int
    per_second: int
    brands: list[str] | None = Field(
        description="It hears of these brands only: those that were named, or of the key that made it. Null: of all."
    )
    regions: list[str] | None
    state: Literal["enabled", "disabled", "resting"] = Field(description="`resting`: it failed ten times and is tried seldom.")
    disabled_because: str | None = Field(
        description="`gone` (it answered 410), `failing_for_days`, `by_hand`, `secret_unreadable` (rotate it), or "
        "`events_not_kept`: it had not heard what is kept no more; begin from an export."
    )
    disabled_at: datetime | None
    failing_since: datetime | None
    failures: int = Field(description="In a row.")
    open_until: datetime | None = Field(description="While it rests: when it is tried next.")
    reached_seq: int = Field(description="Up to which event the log was looked through for it.")
    delivered_seq: int = Field(description="Up to which event everything that it hears of has arrived.")
    applied_seq: int | None = Field(description="Up to which event the subscriber says it has applied them.")
    applied_at: datetime | None
    overdue_since: datetime | None = Field(
        description="Since when a merge, an erasure or a change of consent waits too long to be applied; at an endpoint that"
        " never confirms, to arrive."
    )
    secret_before_until: datetime | None = Field(description="Until when the secret before signs as well.")
    created_at: datetime
    created_by: str
    due: int = Field(description="Deliveries that are to be made.")
    dead: int = Field(description="Deliveries that were given up after ten attempts.")


class Waiting(BaseModel):
    """The oldest event of a type that was not applied."""

    type: str
    seq: int
    seconds: float = Field(description="How long it has been in the log.")


class EndpointWithLag(Endpoint):
    """An endpoint and how far behind it is with what must not wait."""

    waiting: list[Waiting] = Field(description="Of merges, erasures and changes of consent the oldest each that was not applied.")


class EndpointWithSecret(Endpoint):
    """An endpoint and its secret, which nobody can read again."""

    secret: str | None = Field(
        None, examples=["whsec_…"], description="Absent from what a repeated request is answered: rotate it if it was lost."
    )


class Endpoints(BaseModel):
    """Endpoints, the oldest first."""

    items: list[Endpoint]


class Rotation(Strict):
    """How long the secret before goes on signing beside the new one."""

    overlap_hours: int = Field(24, ge=0, le=168)


class Applied(Strict):
    """Up to where events were applied."""

    cursor: str = Field(max_length=64, description="`id` of the last event that was applied with all before it.")


class Redelivery(Strict):
    """Which events to deliver once more."""

    first_seq: int = Field(ge=1, le=2**62)
    last_seq: int = Field(ge=1, le=2**62)
    only_dead: bool = Field(False, description="Only those that were given up.")


class Redelivered(BaseModel):
    """How many deliveries are to be made again."""

    deliveries: int


class Delivery(BaseModel):
    """A delivery and its attempts."""

    seq: int
    type: str | None
    subject_id: UUID
    state: Literal["due", "delivered", "dead"]
    attempts: int
    due_at: datetime
    ended_at: datetime | None
    tried: list[dict[str, Any]] = Field(
        description="Each attempt: `at`, `status` or `error`, `ms`, and what was answered to a failure."
    )


class Deliveries(BaseModel):
    """Deliveries, those of the latest events first. `next`: give it as `before`."""

    items: list[Delivery]
    next: int | None
