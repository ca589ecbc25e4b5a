"""What certificates of sources look like on the wire."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.decisions import Reason
from api.schemas.golden import Strict


class Extract(BaseModel):
    """What the extract was. A key that stands twice counts as its latest row says."""

    rows: int
    keys: int
    duplicates: int = Field(description="Rows beyond the first of a key.")
    rejected: dict[str, int] = Field(description="Rows that say nothing usable, by reason.")
    flagged_deleted: int
    flagged_merged: int


class Counts(BaseModel):
    """How many keys of each finding."""

    missing: int = Field(description="In the extract, not here: the source must send them again.")
    ghost: int = Field(description="Here, not in the extract, and not changed since it was taken.")
    stale: int = Field(description="Here as an older version than the extract's.")
    merged_natively: int = Field(description="Merged in the source, apart here.")
    matched: int
    later: int = Field(description="Came or went here after the extract was taken: no finding.")
    ahead: int = Field(description="Here as a newer version than the extract's, though it was here when that was taken.")
    not_compared: int = Field(description="On both sides, without versions or times on both.")
    agreed: int = Field(description="Said to be deleted or merged, and deleted or unknown here.")
    merged_away: int = Field(description="Here, and merged into another key in the source.")
    merge_undecided: int = Field(description="Merged in the source; one of the two is not resolved yet.")


class Lists(BaseModel):
    """The full lists, an NDJSON file: `GET …/lists`."""

    rows: int
    sha256: str


class Report(BaseModel):
    """What was found. The signature is over this object as canonical JSON: members sorted, no white space, UTF-8."""

    certificate_id: UUID
    source: str
    taken_at: str
    judged_at: str
    timeline_id: UUID
    seq: int = Field(description="The last event that was numbered when it was judged.")
    extract: Extract
    counts: Counts
    is_clean: bool = Field(description="Nothing is missing, a ghost, stale or merged natively, and no row was rejected.")
    examples: dict[str, list[str]] = Field(
        description="The first keys of each finding; none when the source's keys are personal."
    )
    lists: Lists


class Signature(BaseModel):
    """Ed25519 (RFC 8032) over the report. The public key stays the same as long as the service's secret: pin it."""

    algorithm: Literal["Ed25519"]
    public_key: str = Field(description="32 bytes in base64.")
    value: str = Field(description="64 bytes in base64.")


class Certificate(BaseModel):
    """A certificate; report and signature stand here once it is made."""

    certificate_id: UUID = Field(description="Also the id of its job.")
    source: str
    taken_at: datetime
    state: Literal["queued", "running", "paused", "finished", "failed", "cancelled"] = Field(description="Of its job.")
    error: str | None = Field(description="A stable code.")
    created_by: str
    report: Report | None
    signature: Signature | None


class Heal(Strict):
    """Why it is healed; `confirm` what would delete much, or what an extract with rejected rows says."""

    reason: Reason
    confirm: bool = False


class HealPlan(BaseModel):
    """What a heal does: deletes ghosts, decides native merges. What is missing or stale the source must send again."""

    certificate_id: UUID
    deletes: int
    decides: int
    source_must_send: int = Field(description="Missing and stale keys; `GET …/lists` names them.")
    records: int = Field(description="Of the source, living here.")
    needs_confirmation: list[Literal["deletes_much", "rows_rejected", "extract_is_empty", "imported_since"]]
    job_id: UUID | None = Field(None, description="The job of the heal; null for a dry run.")
