"""What a request about somebody's data takes and gives. Ids, codes and times: no value of the person stands in any of it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Token
from api.schemas.golden import Name, SourceKey, Strict
from api.schemas.times import Time

Kind = Literal["access", "erasure", "restriction", "correction"]
State = Literal["open", "confirmed", "done", "refused", "cancelled"]
Method = Literal["signed_in", "e_mail_link", "id_document", "in_store", "known_answers", "representative"]
Hold = Literal["legal_claim", "tax_records", "open_order", "fraud_case", "court_order"]
Refusal = Literal["identity_failed", "not_found", "excessive", "law_requires_data", "withdrawn_by_person"]


class PrivacyWish(Strict):
    """What a person asks for, and of which golden record."""

    kind: Kind
    golden_id: UUID
    anchor: SourceKey | None = Field(
        None, description="The record by which they were identified; without: the one that matches most of the others."
    )
    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/-]{1,64}$")] | None = Field(
        None, description="Your own case number. No name, no address.", examples=["CASE-2041"]
    )
    received_at: Time | None = Field(None, description="When the person asked; the month begins then. Without: now.")


class IdentityCheck(Strict):
    """How the person's identity was checked."""

    outcome: Literal["passed", "failed"]
    method: Method


class MemberAnswer(Strict):
    """Whether a record is the person's."""

    record_id: UUID
    belongs: bool


class MemberAnswers(Strict):
    """Answers about members."""

    members: list[MemberAnswer] = Field(min_length=1, max_length=1_000)


class HoldWish(Strict):
    """Why the data may not be erased for now; null lets the request go on."""

    because: Hold | None


class CorrectionWish(Strict):
    """Which attribute is wrong at the sources."""

    attribute: Name = Field(examples=["emails"])


class RefusalWish(Strict):
    """Why a request is closed without doing what it asks."""

    because: Refusal


class Confirmation(Strict):
    """That what the preview showed is meant."""

    confirm: Literal[True]
    preview_token: Token | None = None


class PrivacyMember(BaseModel):
    """A record that the request is about."""

    record_id: UUID
    source: str
    evidence: dict[str, Any] = Field(
        description="`tie`: anchor, matched (with the anchor), steward, indirect or former (deleted); the weight in bits; how "
        "many verdicts speak `against` it."
    )
    is_certain: bool
    belongs: bool | None = Field(description="As answered; null: as `is_certain` says, or, where that is false, to be answered.")
    answered_by: str | None


class Acknowledged(BaseModel):
    """How far subscribers are with an erasure."""

    told: int = Field(description="Endpoints that `golden.erased` was handed to.")
    applied: int
    waiting: list[UUID] = Field(description="Endpoints that have not applied it.")


class PrivacyRequest(BaseModel):
    """A request about somebody's data, with its clock."""

    request_id: UUID
    kind: Kind
    state: State
    golden_id: UUID
    reference: str | None
    received_at: datetime
    due_at: datetime = Field(description="One month after it was received, three where that was extended.")
    extended_at: datetime | None
    is_overdue: bool
    identity: Literal["unchecked", "passed", "failed"]
    identity_method: str | None
    identity_by: str | None
    held_because: str | None
    opened_by: str
    opened_at: datetime
    closed_because: str | None
    closed_at: datetime | None
    job_id: UUID | None
    result: dict[str, Any] | None = Field(description="What was removed, by table; of an erasure that is done.")
    acknowledged: Acknowledged | None = Field(None, description="Of an erasure that is done, when a request is read by itself.")
    members: list[PrivacyMember] | None = Field(description="Left out of lists.")


class PrivacyRequests(BaseModel):
    """Requests, the most urgent first."""

    items: list[PrivacyRequest]


class ErasurePreview(BaseModel):
    """What an erasure would remove."""

    request: PrivacyRequest
    rows: dict[str, int] = Field(description="By table.")
    golden_ids: list[UUID] = Field(description="They will answer 410.")
    withheld: int = Field(
        description="Other golden records that share an e-mail address or phone number: nothing of theirs goes."
    )
    blocked: list[str] = Field(description="Why it cannot be confirmed yet; empty: it can.")
    preview_token: str


class PersonExport(BaseModel):
    """Everything held about a person."""

    request: dict[str, Any]
    made_at: datetime
    withheld: dict[str, int] = Field(description="How many were left out: records of others, golden records sharing a contact.")
    golden_records: list[dict[str, Any]]
    records: list[dict[str, Any]] = Field(description="As they were sent, every version.")
    set_by_hand: list[dict[str, Any]]
    decisions: list[str] = Field(description="In plain words.")
    events: list[dict[str, Any]] = Field(description="Who was told what, and when.")
    accesses: list[dict[str, Any]]
    other: dict[str, list[dict[str, Any]]] = Field(description="What further tables hold, consents among them.")


class PrivacyFilter(Strict):
    """Which requests are wanted."""

    state: State | None = None
    limit: int = Field(100, ge=1, le=1_000)
