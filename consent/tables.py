"""Row classes of the consent ledger (schema: alembic 0033). Private to `consent`: other packages call services.

They document the columns; the ledger is read and written by set-based functions of the database.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlmodel import Field, SQLModel


def _time(nullable: bool = False, **more: Any) -> Any:
    return Field(default=None, sa_column=Column(TIMESTAMP(timezone=True), nullable=nullable, **more))


def _bytes() -> Any:
    return Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class ConsentEntry(SQLModel, table=True):
    """One entry of the ledger; append-only. `contact` is a keyed hash, `brought_by` the record that a source's word came with."""

    __tablename__ = "consent_entry"
    entry_no: int | None = None
    entry_id: uuid.UUID = Field(primary_key=True)
    state: str
    recorded_at: datetime = _time()
    occurred_at: datetime | None = _time(nullable=True)
    contact: bytes | None = _bytes()
    contact_kind: str | None = None
    channel: str | None = None
    purpose: str | None = None
    brand: str | None = None
    jurisdiction: str | None = None
    basis: str
    origin: str
    strength: str
    method: str
    is_evidenced: bool
    suppression: str | None = None
    implied_by: str | None = None
    asked_at: datetime | None = _time(nullable=True)
    expires_at: datetime | None = _time(nullable=True)
    lifts: uuid.UUID | None = None
    notice: str | None = None
    evidence_hash: bytes | None = _bytes()
    source: str | None = None
    brought_by: uuid.UUID | None = None
    version_no: int | None = None
    golden_id: uuid.UUID | None = None
    recorded_by: str


class ConsentAnchor(SQLModel, table=True):
    """A record that an entry may speak of, and since when that is known; append-only."""

    __tablename__ = "consent_anchor"
    record_id: uuid.UUID = Field(primary_key=True)
    entry_id: uuid.UUID = Field(primary_key=True)
    since: datetime = _time()


class ConsentParting(SQLModel, table=True):
    """A consent of several records counts for none of them any more; append-only."""

    __tablename__ = "consent_parting"
    entry_id: uuid.UUID = Field(primary_key=True)
    parted_at: datetime = _time()


class ConsentDetail(SQLModel, table=True):
    """What of an entry is personal: the contact point, the evidence, a reason in words. Erased with the person."""

    __tablename__ = "consent_detail"
    entry_id: uuid.UUID = Field(primary_key=True)
    contact_point: str | None = None
    evidence: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    reason: str | None = None
