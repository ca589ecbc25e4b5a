"""The documented shape of an RFC 9457 problem."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class FieldError(BaseModel):
    """One thing that is wrong: where, and by what rule; never the value."""

    pointer: str | None = Field(None, description="JSON pointer into the body.")
    parameter: str | None = Field(None, description="Name of the path, query or header parameter.")
    attribute: str | None = Field(None, description="Of a record's field: the attribute of ours that the mapping reads from it.")
    code: str = Field(description="The rule that was broken; stable.")
    detail: str = Field(description="The rule in words.")
    known: list[str] | None = Field(
        None, description="Of an unknown field or parameter: the known ones. Its name is not repeated."
    )


class Problem(BaseModel):
    """Why the request was not fulfilled."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable URI of the kind of problem: urn:customer-master:problem:<code>.")
    title: str = Field(description="The kind of problem in words, the same every time.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What is wrong this time, and what to do about it.")
    trace_id: str = Field(description="Finds the request in our log; the caller's own when it sent `traceparent`.")
    errors: list[FieldError] = Field(default_factory=list, description="Each thing that is wrong with what was sent.")


_BODY = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "A problem of the request (RFC 9457).", "content": _BODY},
    "5XX": {"description": "A problem of ours (RFC 9457); 503 may be tried again.", "content": _BODY},
}
