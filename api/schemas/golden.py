"""What the golden reads take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.limits import IDS
from consent.entries import Channel, Origin, State, Suppression
from mdm.incoming import LONGEST_SOURCE_KEY

SHORT = 64
Name = Annotated[str, Field(min_length=1, max_length=SHORT, pattern=r"^[A-Za-z0-9_.-]+$")]


Key = Annotated[str, Field(min_length=1, max_length=LONGEST_SOURCE_KEY, pattern=r"^[^\x00]*$")]


class Strict(BaseModel):
    """A body that we read: a field we do not know is a mistake worth hearing about."""

    model_config = ConfigDict(extra="forbid")


class Golden(BaseModel):
    """A golden record, by the id it lives by now."""

    requested_id: UUID = Field(description="The id that was asked for.")
    status: Literal["live", "merged", "ended"] = Field(description="What became of the requested id.")
    golden_id: UUID = Field(description="The id it lives by now; another one than the requested after a merge.")
    redirect_chain: list[UUID] = Field(description="From the requested id to the present one; it alone when never merged.")
    split_into: list[UUID] = Field(
        description="Live ids under which records live by now that the requested id was issued to, and that are not with it."
    )
    as_of: datetime | None = Field(None, description="The time that was asked for, when one was.")
    timeline_id: UUID = Field(description="Ids and versions compare only within one timeline; a restore starts another.")
    golden: dict[str, Any] = Field(
        description="The record as computed: display_name, values with provenance, members, consent, version, computed_at."
    )


class ValueChange(BaseModel):
    """What an attribute was and became; null: nobody had said."""

    before: Any = None
    after: Any = None


class JoinReason(BaseModel):
    """Why a record joined: a steward's decision, else the strongest then about it and another record, with its weight in bits."""

    record: "SourceKey"
    beside: "SourceKey"
    author: str
    reason_code: str
    weight: float | None = None
    decision_id: UUID


class OverrideShown(BaseModel):
    """A value set by hand that a version begins to show (`set`) or no longer shows.

    `outdone`: a later one rules, or the records it was said of went elsewhere.
    """

    override_id: UUID
    change: Literal["set", "withdrawn", "expired", "outdone"]
    attribute: str
    author: str
    reason: str | None = None
    expires_at: datetime | None = None


class ImportUndone(BaseModel):
    """An import that was undone, by whom and why; `records`: of how many records of the golden one it changed what they say."""

    import_id: UUID
    file: str
    source: str
    author: str
    reason: str
    undone_at: datetime
    records: int


class ConsentRecorded(BaseModel):
    """An entry of the consent ledger that was recorded while a version stood, or came along with a record that joined."""

    entry_id: UUID
    state: State
    purpose: str | None
    channel: Channel | None
    brand: str | None
    origin: Origin
    suppression: Suppression | None
    recorded_at: datetime


class HistoryStep(BaseModel):
    """From one version of a golden record to the next."""

    version: int
    at: datetime
    cause: str
    status: Literal["live", "merged", "ended"]
    redirect_to: UUID | None = None
    joined: list["SourceKey"]
    left: list["SourceKey"]
    because: list[JoinReason]
    values: dict[str, ValueChange]
    overrides: list[OverrideShown]
    undone_imports: list[ImportUndone]
    consents: list[ConsentRecorded]
    version_set: dict[str, Any] | None = None


class History(BaseModel):
    """Steps, the earliest first; `next_after` goes on after the last of them, null at the end."""

    golden_id: UUID
    items: list[HistoryStep]
    next_after: int | None = None
    consents_told: Literal["all", "needs_scope"] = Field(
        description="Whether `consents` are all; `needs_scope`: the key may not read consents (consents:read), and none are told."
    )


class BatchGet(Strict):
    """Which golden records, and what of them: all, chosen fields, or a view of the policy."""

    ids: list[UUID] = Field(min_length=1, max_length=IDS)
    fields: list[Name] | None = Field(None, min_length=1, max_length=SHORT, description="Attributes to give; all when absent.")
    view: Name | None = Field(None, description="A view declared in the policy; excludes `fields`.")


class BatchGetItem(BaseModel):
    """The answer for one id, in the order asked."""

    requested_id: UUID
    status: Literal["live", "merged", "ended", "erased", "unknown", "not_for_purpose"]
    golden_id: UUID | None = None
    version: int | None = None
    golden: dict[str, Any] | None = None


class BatchGetAnswer(BaseModel):
    """One item per id asked, in the order asked; an id asked twice is answered twice."""

    timeline_id: UUID
    items: list[BatchGetItem]


class ResolveIds(Strict):
    """Golden ids of any age, to learn what became of them."""

    ids: list[UUID] = Field(min_length=1, max_length=IDS)


class ResolvedId(BaseModel):
    """What became of one id, in the order asked. An unknown one says no more than that."""

    requested_id: UUID
    status: Literal["live", "merged", "ended", "erased", "unknown"]
    golden_id: UUID | None = None
    redirect_chain: list[UUID] | None = None
    version: int | None = None
    split_into: list[UUID] | None = None


class ResolveIdsAnswer(BaseModel):
    """One item per id asked, in the order asked; an id asked twice is answered twice."""

    timeline_id: UUID
    items: list[ResolvedId]


class SourceKey(Strict):
    """A record by the name its source gave it."""

    source: Name = Field(examples=["pos"])
    key: Key = Field(examples=["example-1"])


class CrosswalkLookup(Strict):
    """Records to find the golden ids of."""

    records: list[SourceKey] = Field(min_length=1, max_length=IDS)


Resolution = Literal["resolved", "pending", "quarantined", "shadow", "deleted", "unknown", "not_known_yet"]


class CrosswalkItem(BaseModel):
    """The answer for one record, in the order asked. A pending record may already have a golden id from before."""

    index: int
    resolution: Resolution
    record_id: UUID | None = None
    golden_id: UUID | None = None
    since: datetime | None = Field(
        None, description="With `as_of`: since when that had been so; of `not_known_yet`, when the record first came."
    )


class CrosswalkAnswer(BaseModel):
    """One item per record asked, in the order asked."""

    timeline_id: UUID
    as_of: datetime | None = Field(None, description="The time that was asked for, when one was.")
    items: list[CrosswalkItem]
