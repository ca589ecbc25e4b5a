"""What exports look like on the wire."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.golden import Name, Strict
from consent.entries import Channel

MOST = 64
BrandName = Annotated[str, Field(min_length=1, max_length=MOST)]
Kind = Literal["crosswalk", "golden", "changed-since"]
Format = Literal["csv", "ndjson", "parquet"]
State = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]


class ReachIn(Strict):
    """How somebody is to be reached for the purpose of an export."""

    channel: Channel | None = Field(None, description="By which channel; none for a purpose that reaches nobody.")
    brand: BrandName | None = Field(None, description="In whose name. Without: consents that are for all brands.")


class ExportWish(Strict):
    """What is wanted, and of whom. Within the key's brands and regions; what is beyond them is in no file."""

    kind: Kind = Field(description="Which golden id each record has; live golden records; or those that changed after a cursor.")
    format: Format = Field("ndjson", description="CSV is made safe for spreadsheets; NDJSON and Parquet say values exactly.")
    fields: list[Name] | None = Field(
        None, max_length=MOST, description="Attributes of golden records, such as `emails`, `name.surname` or `extras.segment`."
    )
    brands: list[BrandName] | None = Field(None, min_length=1, max_length=MOST, description="Only of these brands.")
    sources: list[Name] | None = Field(
        None, min_length=1, max_length=MOST, description="Only records of these sources, or golden records that hold one."
    )
    after: str | None = Field(None, max_length=64, description="For `changed-since`: `cursor` of an export, or of the feed.")
    purpose: Name | None = Field(
        None, description="What the file is for: held to the limits of it. Without: the purpose of the key, if it has one."
    )
    consent: ReachIn | None = Field(
        None,
        description="Of golden records: each row says whether it may be reached so for `purpose` (`consent`: allowed, denied or"
        " unknown; `consent_reason`; `consent_contact_points`: those to use). Needs the scope `consents:check` as well.",
    )


class Export(BaseModel):
    """An export and its file. What the file is stands here once it is made."""

    export_id: UUID = Field(description="Also the id of its job.")
    kind: str
    format: str
    needs: str = Field(description="The scope that a key needs to have the file.")
    fields: list[str]
    sources: list[str] = Field(description="Empty: all.")
    brands: list[str] | None = Field(description="Null: all.")
    regions: list[str] | None = Field(description="Null: all.")
    after: str | None
    purpose: str | None = Field(description="What it was made for.")
    consent: ReachIn | None = Field(description="For which way of reaching people its rows tell of consent; null: they do not.")
    state: State = Field(description="Of its job.")
    error: str | None = Field(description="A stable code.")
    rows: int | None
    size_bytes: int | None
    sha256: str | None = Field(description="Of the file, in hexadecimal.")
    seq: int | None = Field(description="The number of the last event that the file contains.")
    cursor: str | None = Field(description="Follow the feed behind this cursor to keep what the file says up to date.")
    neutralised_cells: int | None = Field(
        description="Cells of a CSV file that got a quote in front: else a spreadsheet computes."
    )
    created_by: str
    created_at: datetime
    expires_at: datetime | None = Field(description="Until when the file is kept.")
    removed_at: datetime | None
