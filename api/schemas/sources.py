"""What the sources route gives."""

from pydantic import BaseModel


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
