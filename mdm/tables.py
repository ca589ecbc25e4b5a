"""Row classes of the system of record (schema: alembic 0002). Private to `mdm`: other packages call services.

They document the columns of the tables that were there first; rows are read and written by set-based SQL (`mdm.sql`).
Constraints live in the database, invariants in the dataclasses of the pure modules.
"""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID
from sqlmodel import Field, SQLModel


def _time(nullable: bool = False, **more: Any) -> Any:
    return Field(default=None, sa_column=Column(TIMESTAMP(timezone=True), nullable=nullable, **more))


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))


def _uuids(nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(ARRAY(UUID(as_uuid=True)), nullable=nullable))


def _texts() -> Any:
    return Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))


def _bytes(nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(LargeBinary, nullable=nullable))


class PolicyVersion(SQLModel, table=True):
    """One stored version of the policy."""

    __tablename__ = "policy_version"
    policy_version: int | None = Field(default=None, primary_key=True)
    fingerprint: str
    body: dict[str, Any] = _json()
    source_text: str
    created_by: str
    created_at: datetime = _time(server_default="now()")


class PolicyWording(SQLModel, table=True):
    """How a stored policy was written when it was stored again in other words; append-only, the last one counts."""

    __tablename__ = "policy_wording"
    wording_no: int | None = Field(default=None, primary_key=True)
    policy_version: int
    source_text: str
    written_by: str
    written_at: datetime = _time(server_default="now()")


class ModelVersion(SQLModel, table=True):
    """One matching model, by its fingerprint."""

    __tablename__ = "model_version"
    fingerprint: str = Field(primary_key=True)
    name: str
    body: dict[str, Any] = _json()
    created_by: str
    created_at: datetime = _time(server_default="now()")


class VersionSet(SQLModel, table=True):
    """{standardizer, blocking, rules, model, policy}: it stands on every decision and golden version."""

    __tablename__ = "version_set"
    version_set_id: int | None = Field(default=None, primary_key=True)
    standardizer: str
    blocking: str
    rules: str = ""
    model: str
    policy_version: int
    created_at: datetime = _time(server_default="now()")
    is_current: bool = False


class SourceRecord(SQLModel, table=True):
    """A source record: its identity and which of its versions is current."""

    __tablename__ = "source_record"
    record_id: uuid.UUID = Field(primary_key=True)
    source: str
    source_key: str
    brand: str
    region: str = ""
    parent_source: str | None = None
    parent_key: str | None = None
    created_at: datetime = _time(server_default="now()")
    version_no: int
    is_deleted: bool
    source_version: int | None = None
    source_updated_at: datetime | None = _time(nullable=True)
    received_at: datetime = _time()
    payload_hash: bytes = _bytes()
    rekeyed_to: uuid.UUID | None = None


class RecordVersion(SQLModel, table=True):
    """One version of a source record with its sealed payload; append-only, partitioned by month."""

    __tablename__ = "record_version"
    record_id: uuid.UUID = Field(primary_key=True)
    version_no: int = Field(primary_key=True)
    received_at: datetime = _time(primary_key=True)
    source_version: int | None = None
    source_updated_at: datetime | None = _time(nullable=True)
    is_deleted: bool
    payload_hash: bytes = _bytes()
    sealed_payload: bytes | None = _bytes(nullable=True)
    received_by: str
    channel: str | None = None
    job_id: uuid.UUID | None = None


class RecordSighting(SQLModel, table=True):
    """A delivery of what a version says already, kept where it counts if an import is undone; append-only, by month."""

    __tablename__ = "record_sighting"
    record_id: uuid.UUID = Field(primary_key=True)
    sighting_no: int | None = Field(default=None, primary_key=True)
    seen_at: datetime = _time(primary_key=True)
    version_no: int
    after_no: int
    source_version: int | None = None
    source_updated_at: datetime | None = _time(nullable=True)
    job_id: uuid.UUID | None = None


class RecordWithdrawal(SQLModel, table=True):
    """What an import said of a record counts no longer, since when and by which undo; append-only."""

    __tablename__ = "record_withdrawal"
    record_id: uuid.UUID = Field(primary_key=True)
    job_id: uuid.UUID = Field(primary_key=True)
    withdrawn_at: datetime = _time()
    undo_job_id: uuid.UUID
    has_changed: bool


class StandardRecordRow(SQLModel, table=True):
    """The current version of a record after standardization; absent when the record is deleted.

    `standardizer` is the stamp of `mdm.program`: it names the blocking rules of the record's keys as well.
    """

    __tablename__ = "standard_record"
    record_id: uuid.UUID = Field(primary_key=True)
    version_no: int
    source: str
    source_key: str
    brand: str
    region: str = ""
    observed_at: datetime = _time()
    standardizer: str
    policy_version: int
    form_hash: bytes = _bytes()
    body: dict[str, Any] = _json()
    form: str | None = None
    asserted_golden_id: uuid.UUID | None = None
    appraisal: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    refusal: str | None = None
    refused_standardizer: str | None = None
    refused_policy: int | None = None


class PendingRecord(SQLModel, table=True):
    """What resolution still owes for one record; the row goes when the record is resolved."""

    __tablename__ = "pending_record"
    record_id: uuid.UUID = Field(primary_key=True)
    reason: str
    priority: int = Field(default=5, sa_type=SmallInteger)
    requested_at: datetime = _time(server_default="now()")
    request_no: int | None = None
    available_at: datetime = _time(server_default="now()")
    rung_at: datetime | None = _time(nullable=True)
    lease_owner: str | None = None
    lease_until: datetime | None = _time(nullable=True)
    attempts: int = Field(default=0, sa_type=SmallInteger)
    lost_leases: int = Field(default=0, sa_type=SmallInteger)
    quarantined_at: datetime | None = _time(nullable=True)
    error: str | None = None
    adoption: uuid.UUID | None = None
    trace_parent: str | None = None


class DecisionRow(SQLModel, table=True):
    """A verdict about a pair (model) or about two sets of records (steward); superseded, never edited."""

    __tablename__ = "decision"
    decision_id: uuid.UUID = Field(primary_key=True)
    author: str
    verdict: str
    record_a: uuid.UUID | None = None
    record_b: uuid.UUID | None = None
    version_a: int | None = None
    version_b: int | None = None
    left_records: list[uuid.UUID] | None = _uuids(nullable=True)
    right_records: list[uuid.UUID] | None = _uuids(nullable=True)
    weight: float | None = None
    levels: list[int] | None = Field(default=None, sa_column=Column(ARRAY(SmallInteger), nullable=True))
    reason_code: str
    reason: str | None = None
    version_set_id: int
    created_at: datetime = _time(server_default="now()")
    superseded_at: datetime | None = _time(nullable=True)
    superseded_because: str | None = None
    set_id: uuid.UUID | None = None
    across_blockers: list[str] = _texts()
    said_at: datetime | None = _time(nullable=True)
    yields: bool = False
    checksum: bytes = _bytes()


class StewardRecord(SQLModel, table=True):
    """A record of the reserved source `steward`: one value set by hand, sealed; tied to records by the decision of its id."""

    __tablename__ = "steward_record"
    record_id: uuid.UUID = Field(primary_key=True)
    attribute: str
    expires_at: datetime | None = _time(nullable=True)
    wrapped_key: bytes | None = _bytes(nullable=True)
    sealed_statement: bytes = _bytes()
    expiry_asked: int = Field(default=0, sa_type=SmallInteger)


class LapsingFact(SQLModel, table=True):
    """When what a record says of a merge blocker grows too old; how often the sweeper has asked for it since."""

    __tablename__ = "lapsing_fact"
    record_id: uuid.UUID = Field(primary_key=True)
    lapses_at: datetime = _time()
    asked: int = Field(default=0, sa_type=SmallInteger)


class GoldenRow(SQLModel, table=True):
    """A golden id and its current answer. Written by `mdm.golden` only."""

    __tablename__ = "golden"
    golden_id: uuid.UUID = Field(primary_key=True)
    issue_no: int | None = None
    issued_at: datetime = _time(server_default="now()")
    status: str
    redirect_to: uuid.UUID | None = None
    split_into: list[uuid.UUID] = _uuids()
    version: int
    brands: list[str] = _texts()
    regions: list[str] = _texts()
    body: dict[str, Any] = _json()
    content_hash: bytes = _bytes()
    version_set_id: int
    computed_at: datetime = _time()


class GoldenVersion(SQLModel, table=True):
    """One past answer of a golden id; append-only, partitioned by month."""

    __tablename__ = "golden_version"
    golden_id: uuid.UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    computed_at: datetime = _time(primary_key=True)
    status: str
    redirect_to: uuid.UUID | None = None
    members: list[uuid.UUID] = _uuids()
    body: dict[str, Any] = _json()
    content_hash: bytes = _bytes()
    version_set_id: int
    cause: str


class Founder(SQLModel, table=True):
    """A record that an id was issued to first; append-only, never moved."""

    __tablename__ = "founder"
    golden_id: uuid.UUID = Field(primary_key=True)
    record_id: uuid.UUID = Field(primary_key=True)
    founded_at: datetime = _time(server_default="now()")


class Crosswalk(SQLModel, table=True):
    """Record to golden id. `golden_id` and `state` are written by `mdm.golden` once ingest has made the row."""

    __tablename__ = "crosswalk"
    record_id: uuid.UUID = Field(primary_key=True)
    source: str
    source_key: str
    brand: str
    region: str = ""
    state: str
    golden_id: uuid.UUID | None = None
    version_no: int
    resolved_at: datetime | None = _time(nullable=True)
    rung: int = Field(default=0, sa_type=SmallInteger)


class CrosswalkVersion(SQLModel, table=True):
    """Since when a record belonged to which golden id, or to none; one row a change."""

    __tablename__ = "crosswalk_version"
    record_id: uuid.UUID = Field(primary_key=True)
    since: datetime = _time(primary_key=True)
    golden_id: uuid.UUID | None = None
    state: str


class QualityDay(SQLModel, table=True):
    """The figures of one source on one day, as last measured on it."""

    __tablename__ = "quality_day"
    source: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    brand: str
    regions: list[str] = _texts()
    measured_at: datetime = _time()
    standardizer: str
    policy_version: int
    body: dict[str, Any] = _json()


class QualityBreach(SQLModel, table=True):
    """A share that fell below what the policy asks of it, from when to when."""

    __tablename__ = "quality_breach"
    breach_id: uuid.UUID = Field(primary_key=True)
    source: str
    brand: str
    regions: list[str] = _texts()
    field: str
    figure: str
    floor: float
    share: float
    of_what: str
    records: int
    began_at: datetime = _time()
    ended_at: datetime | None = _time(nullable=True)
    set_policy_version: int | None = None
