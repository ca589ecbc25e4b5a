"""What was done about a task and said of it, by whom and when. Appended, never edited; the words are a steward's own."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from kernel import clock
from mdm import sql

SERVICE = "service"


class Act(StrEnum):
    """What was done."""

    CLAIMED = "claimed"
    RELEASED = "released"
    ASSIGNED = "assigned"
    DEFERRED = "deferred"
    COMMENTED = "commented"
    PROPOSED = "proposed"
    SETTLED = "settled"
    UNDONE = "undone"
    REBASED = "rebased"
    ASKED_AGAIN = "asked_again"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a task's story."""

    act: str
    author: str
    words: str | None
    at: datetime


def append(session: Session, task_ids: Sequence[uuid.UUID], act: Act, author: str, words: str | None = None) -> None:
    """Append the same note to tasks."""
    sql.run(
        session,
        """INSERT INTO task_note (note_id, task_id, act, author, words, noted_at)
           SELECT note_id, task_id, %s, %s, %s, %s FROM unnest(%s::uuid[], %s::uuid[]) AS n (note_id, task_id)""",
        [str(act), author, words, clock.now(), [clock.uuid7() for _ in task_ids], list(task_ids)],
    )


def of(session: Session, task_id: uuid.UUID) -> list[Note]:
    """Read the story of a task, the oldest first."""
    found = sql.rows(
        session, "SELECT act, author, words, noted_at FROM task_note WHERE task_id = %s ORDER BY noted_at, note_id", [task_id]
    )
    return [Note(*row) for row in found]
