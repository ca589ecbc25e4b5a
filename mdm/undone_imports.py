"""Which undone imports changed what some records say within a time: file, source, who undid it and why. Only reads."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from mdm import sql


@dataclass(frozen=True, slots=True)
class UndoneImport:
    """An import that was undone. `records`: of how many of those asked about it changed what they say."""

    import_id: uuid.UUID
    file: str
    source: str
    author: str
    reason: str
    undone_at: datetime
    records: int


_BETWEEN = """
SELECT w.job_id, coalesce(i.params ->> 'file', ''), coalesce(i.params ->> 'source', ''), u.created_by, u.params ->> 'reason',
  max(w.withdrawn_at), count(*)
FROM record_withdrawal w JOIN job u ON u.job_id = w.undo_job_id LEFT JOIN job i ON i.job_id = w.job_id
WHERE w.record_id = ANY(%s) AND w.has_changed AND w.withdrawn_at > %s AND w.withdrawn_at <= %s
GROUP BY 1, 2, 3, 4, 5 ORDER BY 6, 1"""


def between(session: Session, record_ids: Collection[uuid.UUID], since: datetime, until: datetime) -> tuple[UndoneImport, ...]:
    """Name the imports that were undone for some records after one time and no later than another."""
    return tuple(UndoneImport(*row) for row in sql.rows(session, _BETWEEN, [sorted(record_ids), since, until]))
