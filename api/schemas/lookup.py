"""What lookup takes and gives."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from api.schemas.golden import Name, SourceKey, Strict

EXAMPLE: JsonDict = {"identifier": {"kind": "email", "value": "ada@example.org"}, "view": "checkout"}
REASONS = (
    "Why none, where it can be told. `unreadable`: this is no such value, read it again. `not_identifying`: it is nobody's own "
    "(an office, a placeholder, a shared value), ask for another. `country_needed`: a national phone number without its country. "
    "`not_for_matching`: the policy keeps it out of matching, ask for another. "
    "`records_being_renewed`: some records still stand as an older program or policy read them, and may have been "
    "missed: ask again later. `records_refused`: the policy in force refuses what some records say, and they may have been "
    "missed. `use_restricted`: the customer asked that nothing be done with their data. "
    "`not_for_purpose`: what was asked by, or all that is known, may not be used for the purpose of the key or view. "
    "`unknown_golden`, `golden_erased`: of a golden id."
)
Short = Annotated[str, Field(min_length=1, max_length=256)]


class Identifier(Strict):
    """Something that the customer says or shows. `kind`: email, phone, loyalty, or an identifier type of the policy."""

    kind: Name = Field(examples=["email"])
    value: Short = Field(examples=["ada@example.org"])
    issuer: Short | None = Field(None, description="Of an identifier, where its type has several.")
    programme: Name | None = Field(None, description="Of a loyalty number; may be left out when the policy knows only one.")
    country: str | None = Field(None, pattern="^[A-Z]{2}$", description="Of a phone number that is written without country code.")


class Lookup(Strict):
    """Exactly one of `identifier`, `source_key` and `golden_id`, and the view to answer with."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    identifier: Identifier | None = None
    source_key: SourceKey | None = None
    golden_id: UUID | None = Field(None, description="Any golden id ever issued, also one that was merged away.")
    view: Name = Field("checkout", description="A view that the policy declares.")

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if sum(asked is not None for asked in (self.identifier, self.source_key, self.golden_id)) != 1:
            raise PydanticCustomError("exactly_one", "{names}", {"names": "identifier, source_key and golden_id"})
        return self


class LookupAnswer(BaseModel):
    """`found` carries the view. `ambiguous`: several customers fit, so nobody's data is shown; ask for something else.

    `pending`: it is known but not resolved yet. `none`: nobody within this key's scope.
    """

    result: Literal["found", "ambiguous", "pending", "none"]
    timeline_id: UUID
    reason: str | None = Field(None, description=REASONS)
    requested_id: UUID | None = None
    status: Literal["live", "merged", "ended"] | None = None
    golden_id: UUID | None = None
    version: int | None = None
    golden_ids: list[UUID] | None = Field(None, description="Of an ambiguous answer: who fits (at most 10).")
    view: dict[str, Any] | None = Field(None, description="The fields of the view that are known.")
    withheld: list[str] | None = Field(None, description="Attributes that the policy keeps out of the purpose, known or not.")
