"""What the consent routes take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from api.schemas.golden import Key, Name, Strict
from api.schemas.times import Time
from consent.entries import Basis, Channel, Method, Origin, State, Strength, Suppression
from consent.status import Answer, Reason
from mdm.consent_checks import MOST_CHECKS
from mdm.contact_points import LONGEST

MOST_ACTS = 1_000
MOST_EVIDENCE = 20
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Purpose = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", examples=["marketing"])]


class RecordRef(Strict):
    """A record, by its source and the key there."""

    source: Name
    key: Key


class Point(Strict):
    """An e-mail address, a phone number or a device."""

    kind: Literal["email", "phone", "device"]
    value: Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00]*$")]
    country: Country | None = Field(None, description="Of a phone number that is not written with its country.")


class ActIn(Strict):
    """One consent act. Who: a record, a golden id, or a contact point alone; a contact point may stand beside either."""

    record: RecordRef | None = None
    golden_id: UUID | None = None
    contact_point: Point | None = None
    state: State
    purpose: Purpose | None = Field(None, description="Null: all that consent is asked for. A consent names its purpose.")
    channel: Channel | None = Field(None, description="Null: all channels. A consent to be written to or called names one.")
    brand: Name | None = Field(None, description="Null: the brand of the record's source, else all brands.")
    occurred_at: Time | None = Field(
        None, description="When the customer acted; null when nobody knows, which outweighs nothing."
    )
    asked_at: Time | None = Field(None, description="When the customer was asked, of a consent that was confirmed later.")
    expires_at: Time | None = None
    jurisdiction: Annotated[str, Field(max_length=32)] | None = None
    basis: Basis = Basis.CONSENT
    origin: Origin = Field(Origin.SYSTEM, description="Whose word it is: the customer's (subject), an employee's, a system's.")
    strength: Strength = Strength.EXPRESS
    method: Method = Method.API
    suppression: Suppression | None = None
    implied_by: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")] | None = Field(None, examples=["purchase", "inquiry"])
    lifts: UUID | None = Field(None, description="The suppression that a lift ends.")
    notice: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = Field(
        None, description="Which notice in which version the customer saw."
    )
    evidence: dict[Name, Text] | None = Field(None, max_length=MOST_EVIDENCE)
    reason: Text | None = None


class Acts(Strict):
    """Consent acts, in the order in which they are answered."""

    acts: list[ActIn] = Field(min_length=1, max_length=MOST_ACTS)


class ProblemOf(BaseModel):
    """What is wrong with an act, or worth knowing of one that is taken."""

    code: str
    field: str
    detail: str = ""


class Recorded(BaseModel):
    """What became of an act."""

    index: int
    status: Literal["created", "same", "rejected"]
    entry_id: UUID | None = None
    owner: Literal["record", "golden", "unclear", "nobody"] | None = Field(
        None,
        description="Of whom it is: of one record; of the records that are one customer now, and of none once they part;"
        " of several customers; of nobody known. A consent that is `unclear` or of `nobody` permits nothing.",
    )
    problem: ProblemOf | None = None
    notes: list[ProblemOf] | None = None


class ActsAnswer(BaseModel):
    """One answer for each act, in order."""

    items: list[Recorded]


class CheckIn(Strict):
    """One question: may this be done? Who: a golden id, a record, or a contact point alone."""

    golden_id: UUID | None = None
    record: RecordRef | None = None
    contact_point: Point | None = None
    purpose: Purpose
    channel: Channel | None = None
    brand: Name | None = Field(None, description="Null: in the name of all brands.")

    @model_validator(mode="after")
    def _who(self) -> "CheckIn":
        if self.golden_id is not None and self.record is not None:
            raise ValueError("golden_id or record, not both")
        if self.golden_id is None and self.record is None and self.contact_point is None:
            raise ValueError("golden_id, record or contact_point")
        return self


class Checks(Strict):
    """Questions, in the order in which they are answered."""

    checks: list[CheckIn] = Field(min_length=1, max_length=MOST_CHECKS)
    at: Time | None = Field(None, description="As at a time: by what was recorded until then, of who is the customer now.")


class CheckOut(BaseModel):
    """An answer. Only `allowed` permits."""

    index: int
    answer: Answer
    reason: Reason
    golden_id: UUID | None = Field(None, description="Whom a golden id or a record stands for now.")
    contact_points: list[str] | None = Field(None, description="Which contact points may be used, where none was asked for.")
    entries: list[UUID] = Field(description="The entries that decided, at most 20, the latest first.")
    jurisdictions: list[str] = Field(description="Whose law was asked; of several the strictest counts.")


class ChecksAnswer(BaseModel):
    """One answer for each question, in order."""

    checked_at: datetime
    items: list[CheckOut]


class Effective(BaseModel):
    """What the entries amount to for one purpose, channel, brand and contact point."""

    purpose: str
    channel: Channel | None
    brand: str | None
    contact_point: str | None
    answer: Answer
    reason: Reason
    entries: list[UUID]
    jurisdictions: list[str]


class EntryOut(BaseModel):
    """One entry of the ledger."""

    entry_id: UUID
    state: State
    purpose: str | None
    channel: Channel | None
    brand: str | None
    contact_point: str | None = Field(description="Null: it is about the person, or the point was erased.")
    occurred_at: datetime | None
    recorded_at: datetime
    expires_at: datetime | None
    suppression: Suppression | None
    implied_by: str | None
    basis: Basis
    origin: Origin
    strength: Strength
    method: Method
    jurisdiction: str | None
    notice: str | None
    source: str | None
    recorded_by: str
    lifts: UUID | None
    parted_at: datetime | None = Field(description="Since when its records are not one customer any more: it permits nothing.")
    records: list[UUID]
    evidence: dict[str, Any] | None
    evidence_intact: bool | None = Field(
        description="Whether the evidence is what it was when the entry was made; null: none kept."
    )
    reason: str | None


class Signature(BaseModel):
    """A signature, and what verifies it."""

    algorithm: Literal["Ed25519"]
    public_key: str = Field(description="32 bytes in base64.")
    value: str = Field(description="64 bytes in base64.")


class Receipt(BaseModel):
    """A receipt with its signature."""

    receipt: dict[str, Any] = Field(description="The fields of ISO/IEC TS 27560, in the words of the Data Privacy Vocabulary.")
    signature: Signature


class Consents(BaseModel):
    """The consents of a golden record: what they amount to at a time, and the entries they come from."""

    requested_id: UUID
    golden_id: UUID
    status: Literal["live", "merged", "ended"]
    as_of: datetime
    effective: list[Effective]
    entries: list[EntryOut] = Field(description="The latest first, of the brands within the key's scope.")
    cut: bool = Field(description="There are more entries than are listed.")
