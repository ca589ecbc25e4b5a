"""What revealing values takes and gives."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Reason
from api.schemas.golden import Strict


class Reveal(Strict):
    """Why somebody has to see values as they are, and which."""

    reason: Reason
    attributes: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        [], max_length=30, description="Attributes of the golden record; none named: all.", examples=[["emails"]]
    )


class RevealedValues(BaseModel):
    """Plain values, as they are."""

    golden_id: UUID
    values: dict[str, Any]
