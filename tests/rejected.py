"""Counts of what was refused, as tests ask for them."""

import uuid

from sqlmodel import Session

from mdm import sql


def rejected_by_code(session: Session, job_id: uuid.UUID | None = None, source: str | None = None) -> dict[str, int]:
    """Count rejects by code, of a job, of a source, or all."""
    found = sql.rows(
        session,
        """SELECT code, count(*) FROM reject
           WHERE (%(job)s::uuid IS NULL OR job_id = %(job)s) AND (%(source)s::text IS NULL OR source = %(source)s)
           GROUP BY code ORDER BY code""",
        {"job": job_id, "source": source},
    )
    return {code: count for code, count in found}
