"""What setting a value by hand takes and gives."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Reason, Token
from api.schemas.golden import Name, Strict
from api.schemas.times import Time


class SetOverride(Strict):
    """A value for one attribute of a golden record, why, and until when."""

    attribute: Name = Field(examples=["language"])
    value: str | dict[str, str | list[str]] = Field(
        description="A text; of `name` and `address` an object of their parts, which replaces the value whole.", examples=["es"]
    )
    reason: Reason
    expires_at: Time | None = Field(None, description="In force until then; without: until it is withdrawn.")
    preview_token: Token | None = None


class Override(BaseModel):
    """A value that a steward set. The golden record shows it once its records are resolved, within moments."""

    override_id: UUID
    attribute: str
    value: Any
    state: Literal["in_force", "expired", "withdrawn"]
    author: str
    reason: str | None
    set_at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None
    records: list[UUID] = Field(description="Ids of the records it was said of: it belongs where most of them live.")


class Overrides(BaseModel):
    """The values set on a golden record, the latest first, those that count no longer among them.

    Of an id that ended, those said of its last records: they count again when one of these returns.
    """

    requested_id: UUID
    status: Literal["live", "merged", "ended"]
    golden_id: UUID = Field(description="The id that it lives by now.")
    items: list[Override]
