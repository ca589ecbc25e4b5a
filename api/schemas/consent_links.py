"""What the route of links for customers takes and gives."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from api.schemas.consents import Point, Purpose, RecordRef
from api.schemas.golden import Name, Strict
from consent.entries import Channel
from consent.links import LinkKind


class LinkIn(Strict):
    """A link that is wanted. Who: a record, where it is known, else a golden id; and one contact point of it."""

    kind: LinkKind
    golden_id: UUID | None = None
    record: RecordRef | None = None
    contact_point: Point
    purpose: Purpose | None = Field(None, description="What is unsubscribed from (null: all), or is to be confirmed.")
    channel: Channel | None = Field(None, description="The same of the channel.")
    brand: Name | None = Field(None, description="Null: all brands; for what can be given, the brand of the record's source.")
    notice: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Of a confirmation: which notice in which version the customer saw when asked."
    )

    @model_validator(mode="after")
    def _who(self) -> "LinkIn":
        if (self.golden_id is None) == (self.record is None):
            raise ValueError("golden_id or record, one of them")
        return self


class LinkOut(BaseModel):
    """A link. Whoever has it may do what it is for: send it to the contact point and nowhere else."""

    kind: LinkKind
    link_id: str = Field(description="By which it can be revoked; says nothing of the link.")
    token: str
    path: str = Field(description="Where the public pages answer to it, below their address.")
    url: str | None = Field(description="The same with MDM_PUBLIC_URL before it; null: that is not set.")
    expires_at: datetime
    headers: dict[str, str] = Field(description="For the header of a mail (RFC 8058), of a link to unsubscribe.")
    entry_id: UUID | None = Field(description="The entry by which the customer was asked, of a link to confirm.")


class RevocationIn(Strict):
    """Links that shall be followed no more: one by its id, or all of a customer that were made until now."""

    link_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    golden_id: UUID | None = None
    record: RecordRef | None = None
    kinds: Annotated[list[LinkKind], Field(min_length=1, max_length=3)] | None = Field(
        None, description="Null: of a customer those by which something can be given; of one link, whatever it is."
    )

    @model_validator(mode="after")
    def _which(self) -> "RevocationIn":
        if sum(one is not None for one in (self.link_id, self.golden_id, self.record)) != 1:
            raise ValueError("link_id, golden_id or record, one of them")
        return self


class RevocationOut(BaseModel):
    """What was revoked."""

    kinds: list[LinkKind]
    records: int = Field(description="Of how many records of the customer; 0: of one link.")
