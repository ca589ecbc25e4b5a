"""What the sources route gives."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class SourceItem(BaseModel):
    """One source of the policy."""

    name: str
    channel_kind: str
    brand: str
    region: str
    owner: str
    stage: str
    identity_domain: str
    default_country: str | None
    key_is_personal: bool


class SourceList(BaseModel):
    """All sources within the key's scope, in the order of the policy."""

    policy_version: int
    items: list[SourceItem]


class Account(BaseModel):
    """A loyalty account that a record brings."""

    programme: str
    number: str


class Duplicate(BaseModel):
    """A record of a group, and how much it says."""

    key: str
    attributes: int
    observed_at: datetime
    loyalty_accounts: list[Account]


class DuplicatePair(BaseModel):
    """What the decision log says of two records of a group; the weight is in bits."""

    keys: tuple[str, str]
    verdict: str
    weight: float | None
    reason: str


class DuplicateGroup(BaseModel):
    """Records of one source that live under one golden id. The proposed survivor stands first."""

    golden_id: UUID
    keys: int = Field(description="How many there are; at most 100 are told.")
    survivor: str = Field(description="The key that the source may best keep.")
    kept_for: str = Field(description="`most_complete`, `latest`, or `first_key` where nothing else tells them apart.")
    records: list[Duplicate]
    evidence: list[DuplicatePair] = Field(
        description="The surest pairs. Two records without one hang together by others, or by a steward."
    )


class Duplicates(BaseModel):
    """A page of groups, in the order of golden ids."""

    source: str
    items: list[DuplicateGroup]
    next: UUID | None = Field(description="Ask for the next page with this as `after`; null at the end.")
