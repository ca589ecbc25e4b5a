"""What match takes and gives."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import Name, Strict
from api.schemas.records import Note


class Match(Strict):
    """A record to search for: in a source's own fields when `source` is named, else in our attributes."""

    record: dict[str, Any] = Field(examples=[{"given_name": "Ada", "surname": "Byron", "emails": ["ada@example.org"]}])
    source: Name | None = Field(None, description="Whose fields the record has; our own attributes when absent.")
    limit: int = Field(5, ge=1, le=20, description="How many candidates to give at most.")
    view: Name | None = Field(None, description="Show this view of each candidate.")
    explain: bool = Field(False, description="Give weights and levels; needs the scope match:explain.")


Certainty = Literal["exact", "strong", "possible", "none"]


class Explanation(BaseModel):
    """Why a candidate fits: its best record's evidence."""

    match_weight: float = Field(description="Bits.")
    match_probability: float
    reason: str
    levels: dict[str, str] = Field(description="The level that each comparison fell on; absent where there is no evidence.")
    weights: dict[str, float] = Field(description="What each comparison gave, in bits.")


class MatchCandidate(BaseModel):
    """One customer that fits. Without golden id: a record that is not resolved yet."""

    golden_id: UUID | None
    certainty: Certainty
    records: int = Field(description="How many of the customer's records were compared.")
    view: dict[str, Any] | None = None
    explanation: Explanation | None = None


class Searched(BaseModel):
    """What the search could see. A hot key is shared by too many records and was searched by its refinements only."""

    keys: int
    hot_keys: int
    compared: int
    stale_records: int = Field(
        description="Records that still stand as an older program or policy read them (at most 10,000 are counted), so that"
        " this search may have missed them; 0 once the workers have renewed all."
    )
    refused_records: int = Field(
        description="Records that stand as an older policy read them because the policy in force refuses their payload (at most"
        " 10,000 are counted): this search may have missed them until their mapping or their source is mended."
    )


class Ask(BaseModel):
    """The one question that best tells apart those who may be meant. Ask the customer, and search again with the answer."""

    of: Literal["birth_date", "address"]
    part: Literal["month", "day", "postal_code"]
    words: str


class MatchAnswer(BaseModel):
    """Who fits, the best first. `exact`: an identifier decides; `strong`: would be merged; `possible`: a human would be asked."""

    certainty: Certainty
    reason: Literal["nothing_mapped", "nothing_to_search_by"] | None = Field(
        None,
        description="Why nobody could be searched for: no field of the record was understood, or none by which anybody is found.",
    )
    ambiguous: bool = Field(description="Two customers fit alike.")
    timeline_id: UUID
    candidates: list[MatchCandidate]
    ask: Ask | None = Field(
        None, description="To callers who see values masked, in place of the view of those whose certainty is `possible`."
    )
    searched: Searched
    notes: list[Note] = Field(default_factory=list, description="Fields and values that were not understood or identify nobody.")
