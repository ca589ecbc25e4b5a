"""What jobs look like on the wire."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import Name, Strict


class Job(BaseModel):
    """A job as it stands."""

    job_id: UUID
    kind: str
    state: Literal["queued", "running", "paused", "finished", "failed", "cancelled"] = Field(
        description="`paused`: what was begun is done, nothing more is begun until it is resumed."
    )
    total_units: int | None = Field(description="Rows, records or the like; null while nobody knows how many.")
    done_units: int
    failed_units: int
    open_chunks: int
    quarantined_chunks: int = Field(description="Pieces that failed alone, three times: `:retry` hands them out anew.")
    params: dict[str, Any]
    checkpoint: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None = Field(description="A stable code.")
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class Jobs(BaseModel):
    """Jobs, the newest first."""

    items: list[Job]


class Retried(BaseModel):
    """How many pieces were handed out anew."""

    chunks: int


class Reconcile(Strict):
    """Which records to resolve anew: all of them, or those of some sources, of some brands, or of both."""

    sources: list[Name] = Field([], max_length=200, description="Only these, and whoever hangs together with them.")
    brands: list[Name] = Field([], max_length=200, description="Only these, and whoever hangs together with them.")
    dry_run: bool = Field(False, description="Only say what would change.")
