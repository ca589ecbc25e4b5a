"""What the health routes answer."""

from typing import Literal

from pydantic import BaseModel, Field


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Missing(BaseModel):
    """One thing that stands in the way, and how to mend it."""

    code: Literal["database", "migrations", "erasures", "secret", "policy"]
    mend: str


class Degraded(BaseModel):
    """Something that is refused or late while the rest is served, and how to mend it."""

    code: Literal["read_only", "model"]
    mend: str


class Ready(BaseModel):
    """Whether requests can be served."""

    status: Literal["ready", "not_ready"]
    missing: list[Missing] = Field(default_factory=list)
    degraded: list[Degraded] = Field(default_factory=list)
