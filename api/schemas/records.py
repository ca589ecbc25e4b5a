"""What the record routes take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.schemas.golden import Key, Name, Resolution, Strict
from mdm.incoming import LARGEST_VERSION

SourceName = Annotated[Name, Path(description="A source of the policy.", examples=["pos"])]
Version = Annotated[int, Field(ge=-LARGEST_VERSION, le=LARGEST_VERSION)]
WaitSeconds = Annotated[
    float, Query(ge=0, le=30, allow_inf_nan=False, description="Wait at most so long for a worker to resolve the record.")
]


class Note(BaseModel):
    """Something the sender should know, or why the record was refused. Never a value."""

    code: str
    field: str
    detail: str


class RecordAnswer(BaseModel):
    """What became of one delivery, and where the record stands."""

    record_id: UUID
    status: Literal["created", "changed", "same", "superseded", "deleted"] = Field(
        description="`superseded`: a newer version was here already; this one is kept in the log."
    )
    version_no: int
    resolution: Resolution
    golden_id: UUID | None = Field(None, description="The golden id so far; a pending record may have one from before.")
    notes: list[Note] = Field(default_factory=list)


class AttributeQuality(BaseModel):
    """How one attribute of a record stands: all of it sound, some of it, none of it; and the codes that say why."""

    state: Literal["good", "faulty", "refused"] | None
    codes: list[str]


class RecordQuality(BaseModel):
    """The quality of one record: each attribute that it speaks of, and the fields that no rule of its source reads."""

    fields: dict[str, AttributeQuality]
    unmapped: list[str]


class Record(BaseModel):
    """A source record as it stands: what was received, how it was read, and where it belongs."""

    record_id: UUID
    source: str
    version_no: int
    is_deleted: bool
    source_version: int | None
    source_updated_at: datetime | None
    received_at: datetime
    resolution: Resolution
    golden_id: UUID | None
    payload: dict[str, Any] | None = Field(description="As received, except what the policy never stores; null when deleted.")
    standard: dict[str, Any] | None = Field(description="The record after standardization; null when deleted.")
    quality: RecordQuality | None = Field(description="Null when deleted, and of a record stored before there were appraisals.")


class BatchLine(Strict):
    """One line of a batch: a record as its source has it now, or its deletion."""

    source: Name
    key: str | None
    record: Any = None
    delete: bool = False
    source_version: int | None = None
    source_updated_at: datetime | None = None


class BatchResult(BaseModel):
    """The answer for one line. The last line of the answer is a `BatchSummary`."""

    line: int = Field(description="The line's number, from 1; keys are not repeated.")
    status: Literal["created", "changed", "same", "superseded", "deleted", "rejected", "failed"]
    record_id: UUID | None = None
    version_no: int | None = None
    problem: dict[str, Any] | None = None
    notes: list[Note] = Field(default_factory=list)


class BatchSummary(BaseModel):
    """How many lines became what: every line is counted once. Of a batch that holds too many also where reading ended."""

    summary: dict[str, int | str]


class Rekey(Strict):
    """The key that the record has from now on."""

    new_key: Key = Field(examples=["example-4"])


class RekeyAnswer(BaseModel):
    """The record that bears the new key; its golden id stays."""

    record_id: UUID
