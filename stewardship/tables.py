"""Rows of tasks, desks, notes, accounts, measures and released values (alembic 0002, 0029, 0030, 0035 to 0058). Private here."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Column, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID
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
    priority: float
    priority_parts: dict[str, float] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    due_at: datetime | None = _time(nullable=True)
    decision_id: uuid.UUID | None = None
    share: float | None = None
    escalated_at: datetime | None = _time(nullable=True)


class DeskRow(SQLModel, table=True):
    """Who works at a task, and who answered it by what. One row a task."""

    __tablename__ = "task_desk"
    task_id: uuid.UUID = Field(primary_key=True)
    version: int
    holder: str | None = None
    held_since: datetime | None = _time(nullable=True)
    held_until: datetime | None = _time(nullable=True)
    assignee: str | None = None
    deferred_until: datetime | None = _time(nullable=True)
    settled_by: str | None = None
    verdict: str | None = None
    decision_id: uuid.UUID | None = None
    set_id: uuid.UUID | None = None
    settled_at: datetime | None = _time(nullable=True)
    worked_seconds: float | None = None
    proposed_by: str | None = None


class NoteRow(SQLModel, table=True):
    """A line of a task's story; the words are a steward's own."""

    __tablename__ = "task_note"
    note_id: uuid.UUID = Field(primary_key=True)
    task_id: uuid.UUID
    act: str
    author: str
    words: str | None = None
    noted_at: datetime = _time()


class SecondLookRow(SQLModel, table=True):
    """An answer that is asked for a second time."""

    __tablename__ = "second_look"
    decision_id: uuid.UUID = Field(primary_key=True)
    task_id: uuid.UUID
    share: float
    first_by: str
    first_verdict: str
    drawn_at: datetime = _time()
    second_by: str | None = None
    second_verdict: str | None = None
    answered_at: datetime | None = _time(nullable=True)
    kept_by: str | None = None
    kept_at: datetime | None = _time(nullable=True)


class UserRow(SQLModel, table=True):
    """Somebody who may sign in to the console."""

    __tablename__ = "user_account"
    name: str = Field(primary_key=True)
    display_name: str
    password_hash: str
    scopes: list[str] = _texts()
    brands: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    regions: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    timezone: str
    created_at: datetime = _time()
    disabled_at: datetime | None = _time(nullable=True)
    failures: int
    locked_until: datetime | None = _time(nullable=True)
    role: str | None = None
    issuer: str | None = None


class SessionRow(SQLModel, table=True):
    """A session of theirs, by the hash of its token."""

    __tablename__ = "user_session"
    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    name: str
    begun_at: datetime = _time()
    seen_at: datetime = _time()


class KeptMeasureRow(SQLModel, table=True):
    """A measure of the report as it was last told: its rows, each a list in the order of the measure's columns."""

    __tablename__ = "kept_measure"
    name: str = Field(primary_key=True)
    measured_at: datetime = _time()
    rows: list[list[Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))


class KeptReportRow(SQLModel, table=True):
    """The report of a month as it was last told: each measure with its columns and rows."""

    __tablename__ = "kept_report"
    month: str = Field(primary_key=True)
    told_at: datetime = _time()
    measures: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))


class ReleaseRow(SQLModel, table=True):
    """An attribute of a record that was let go of, and when last."""

    __tablename__ = "value_release"
    record_id: uuid.UUID = Field(primary_key=True)
    attribute: str = Field(primary_key=True)
    released_at: datetime = _time()
