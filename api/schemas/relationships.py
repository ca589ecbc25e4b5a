"""What the relationships of a golden record look like."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import SourceKey
from mdm.relationships import Code, Kind


class RelationReason(BaseModel):
    """Why, as a stable code and in words; which record of the one asked about, and which of the other."""

    code: Code
    words: str
    record: SourceKey
    beside: SourceKey


class Relation(BaseModel):
    """Another golden record, and what it is to the one asked about."""

    kind: Kind
    golden_id: UUID
    display_name: str | None = None
    party: str | None = None
    reasons: list[RelationReason]


class BrandMembership(BaseModel):
    """A brand, and those of its records that are members."""

    brand: str
    records: list[SourceKey]


class Relationships(BaseModel):
    """Relationships as the records within the key's scope tell them now; they merge nobody."""

    requested_id: UUID
    status: Literal["live", "merged", "ended"]
    golden_id: UUID
    items: list[Relation]
    brands: list[BrandMembership]
    cut: list[Literal["household", "accounts"]] = Field(
        description="Not all are told: a home that more than 200 records share yields nobody, an account at most 200 below it."
    )
