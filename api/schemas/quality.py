"""What the quality of a source looks like. A share of nothing is null, and so is what was never measured."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Share = Annotated[float, Field(ge=0, le=1)]
FigureName = Literal["complete", "valid", "unique"]


class Shares(BaseModel):
    """Shares of the records that arrived or changed on the day."""

    complete: Share | None = Field(description="Of all records: have a value that can be used.")
    valid: Share | None = Field(description="Of the records that say something: nothing wrong with it.")


class AllShares(Shares):
    """Shares of all living records of the source."""

    unique: Share | None = Field(description="Of the records with an identifying value: no other of the source has it.")


class FaultCount(BaseModel):
    """A code that speaks against the value, with examples where they were asked for: masked, as the mapping read them."""

    code: str
    records: int
    examples: list[str] | None = None


class NoteCount(BaseModel):
    """A code that says how a value was read, or that it is nobody's own."""

    code: str
    records: int


class FieldQuality(AllShares):
    """One attribute of ours. `floors` are what the policy asks, `breached` the figures that are below."""

    field: str
    said: int
    on_day: Shares
    faults: list[FaultCount]
    notes: list[NoteCount]
    floors: dict[FigureName, Share]
    breached: list[FigureName]


class Unmapped(BaseModel):
    """A field of the source that no rule of its mapping reads."""

    field: str
    records: int


class Rejected(BaseModel):
    """Rows that could not be used, and why."""

    code: str
    rows: int
    means: str


class TimelinessFigures(BaseModel):
    """When the source last sent, and how long its changes took to arrive on the day: seconds, where it says when it changed."""

    last_received_at: datetime | None
    fresh_within_seconds: float | None
    is_fresh: bool | None = Field(description="The source has sent within its `fresh_within`.")
    fresh: Share | None = Field(description="Records that were observed within it.")
    timed_on_day: int
    latency_seconds_median: float | None
    latency_seconds_p95: float | None


class BreachItem(BaseModel):
    """A share below its floor. `of_what`: of all records, or of those of the day."""

    field: str
    figure: FigureName
    floor: Share
    share: Share
    of_what: Literal["all", "day"]
    records: int
    began_at: datetime
    set_policy_version: int | None = Field(description="The policy version that set the source to review because of it.")


class TrendDay(BaseModel):
    """One day as it was last measured on it."""

    day: date
    records: int
    received_on_day: int
    rejects_on_day: int
    fields: dict[str, AllShares]


class RefusedRecords(BaseModel):
    """How many records the mapping in force refuses for one reason."""

    code: str
    field: str
    records: int
    means: str


class Quality(BaseModel):
    """The quality of what a source sends: attributes with the worst first, and how it went from day to day (UTC)."""

    source: str
    owner: str
    stage: Literal["shadow", "review", "live"]
    policy_version: int
    on_breach: Literal["notify", "review"]
    measured_at: datetime | None = Field(description="The workers' sweeper measures; null until it has.")
    measured_policy_version: int | None
    records: int | None
    received_on_day: int | None
    unappraised: int | None = Field(description="Records stored by a program that did not appraise; counted nowhere else.")
    stale_records: int | None = Field(description="Records that stand as an older program or policy read them.")
    refused: list[RefusedRecords] = Field(
        description="Records that the mapping in force refuses, by reason: they stand as an older one read them."
    )
    copies: int | None = Field(description="Records that say exactly what another record of the source says.")
    fields: list[FieldQuality]
    unmapped: list[Unmapped]
    rejects_on_day: list[Rejected]
    timeliness: TimelinessFigures | None
    breaches: list[BreachItem]
    trend: list[TrendDay]
