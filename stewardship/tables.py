"""Row classes of the stewards' tasks (schema: alembic 0002). Private to `stewardship`."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID
from sqlmodel import Field, SQLModel


def _time(nullable: bool = False) -> Any:
    return Field(default=None, sa_column=Column(TIMESTAMP(timezone=True), nullable=nullable))


def _uuids() -> Any:
    return Field(default_factory=list, sa_column=Column(ARRAY(UUID(as_uuid=True)), nullable=False))


def _texts() -> Any:
    return Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))


class TaskRow(SQLModel, table=True):
    """A question that awaits a steward. One open row for each (kind, question_key)."""

    __tablename__ = "task"
    task_id: uuid.UUID = Field(primary_key=True)
    kind: str
    question_key: str
    golden_ids: list[uuid.UUID] = _uuids()
    record_ids: list[uuid.UUID] = _uuids()
    weight: float | None = None
    brands: list[str] = _texts()
    regions: list[str] = _texts()
    reason_code: str
    state: str
    opened_at: datetime = _time()
    closed_at: datetime | None = _time(nullable=True)
    closed_because: str | None = None
