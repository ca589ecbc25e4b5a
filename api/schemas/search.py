"""What the search of golden records takes and gives."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api.schemas.golden import Key, Name, Strict

EXAMPLE: JsonDict = {"name": "byr ada", "postal_code": "28013"}
CRITERIA = ("name", "email", "phone", "identifier", "postal_code", "source_key")
Text = Annotated[str, Field(min_length=1, max_length=256)]


class SearchedKey(Strict):
    """A record by the name that its source gave it."""

    key: Key = Field(examples=["example-1"])
    source: Name | None = Field(None, description="Any source that the policy names when absent.", examples=["pos"])


class Search(Strict):
    """At least one criterion; a customer must meet all that are given, each by any of its records that the key may see."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Text | None = Field(
        None, description="Beginnings of words of one name, in any order, script and case; of a company too."
    )
    email: Text | None = Field(None, description="A whole e-mail address.")
    phone: Text | None = Field(None, description="A phone number, or its last digits: four at least.")
    country: str | None = Field(None, pattern="^[A-Z]{2}$", description="Of a phone number that is written without country code.")
    identifier: Text | None = Field(None, description="A whole identifier or loyalty number of whatever kind.")
    postal_code: Text | None = Field(None, description="A whole postal code.")
    source_key: SearchedKey | None = None
    limit: int = Field(20, ge=1, le=100, description="Golden records on one page.")
    cursor: Annotated[str, Field(max_length=2_000)] | None = Field(None, description="`next` of the answer before.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(getattr(self, name) is None for name in CRITERIA):
            raise PydanticCustomError("at_least_one", "{names}", {"names": ", ".join(CRITERIA)})
        return self


class MatchedMember(BaseModel):
    """A record that meets criteria, and which."""

    source: str
    key: str
    by: list[str]


class SearchHit(BaseModel):
    """A customer who meets all criteria. `golden_id` null: a record that is not resolved yet."""

    golden_id: UUID | None
    display_name: str | None
    members: list[MatchedMember]


class SearchAnswer(BaseModel):
    """A page of hits in a fixed order."""

    timeline_id: UUID
    items: list[SearchHit]
    next: str | None = Field(description="Send it as `cursor` for what follows; null when there is no more.")
    ended_early: bool = Field(description="Fewer than `limit`, since so much was read: `next` goes on where reading stopped.")
    may_miss: str | None = Field(
        description="`records_being_renewed` or `records_refused`: some records stand as an older program or policy read them."
    )
