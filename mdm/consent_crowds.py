"""Tells who holds a crowd's contact point of what was said against it, some hundred golden records a step, as a job.

A phone that a hundred thousand customers hold is denied to all of them by one withdrawal. That counts in the next check; to tell
of it is work for each holder, which no request and no import waits for. What comes while a job waits is told by that one.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlmodel import Session

from consent.purposes import shipped
from kernel import clock, jobs, outbox
from kernel.clock import uuid7
from kernel.jobs import Claim
from mdm import consent_changes, contact_points, sql
from mdm.chunks import Kind
from mdm.steps import Steps

KIND = "consent_crowd"
PAGE = 200
LONGEST_SECONDS = 6 * 3_600.0  # A hundred thousand holders take a minute or two of a core.
# A contact point in words, as long as those of any entry that speaks of it are kept.
_WORDS = """
SELECT e.contact_kind, d.contact_point FROM consent_entry e JOIN consent_detail d USING (entry_id)
WHERE e.contact = %s AND d.contact_point IS NOT NULL LIMIT 1"""
_HOLDERS = """
SELECT DISTINCT c.golden_id FROM search_term t JOIN crosswalk c USING (record_id)
WHERE t.term = %s AND c.golden_id > %s ORDER BY c.golden_id"""
_FIRST = UUID(int=0)


def later(session: Session, contacts: Collection[str], since: datetime) -> None:
    """Have the holders of contact points told of what is said against these from a time on. In any row scope."""
    for contact in sorted(contacts):
        sql.run(session, "SELECT consent_tell_later(%s, %s, %s, %s)", [bytes.fromhex(contact), since, uuid7(), uuid7()])


def _work(steps: Steps, claim: Claim) -> None:
    contact, since = claim.params["contact"], datetime.fromisoformat(claim.params["since"])
    with steps() as session:
        before = jobs.status(session, claim.job_id).checkpoint or {}
        until = datetime.fromisoformat(before["until"]) if before else clock.now()
        left = _holders(session, contact, UUID(before["after"]) if before else _FIRST)
    done, told = before.get("done", 0), before.get("told", 0)
    for begin in range(0, len(left), PAGE):
        page = left[begin : begin + PAGE]
        with steps() as session:
            jobs.heartbeat(session, claim)  # Locks the chunk: of two who believe to have it one tells.
            events = consent_changes.said_against(session, shipped(), page, contact, since, until)
            outbox.emit_all(session, events)
            done, told = done + len(page), told + len({one.subject_id for one in events})
            reached = {"until": until.astimezone(UTC).isoformat(), "after": str(page[-1]), "done": done, "told": told}
            jobs.checkpoint(session, claim.job_id, reached, done_units=len(page))
    with steps() as session:
        jobs.finish_chunk(session, claim)
        jobs.finish_job(session, claim.job_id, result={"golden_records": done, "changed": told})


def _holders(session: Session, contact: str, after: UUID) -> list[UUID]:
    """The golden records that may hold a contact point, in their order."""
    for kind, words in sql.rows(session, _WORDS, [bytes.fromhex(contact)]):
        point = contact_points.read(kind, words)
        return [row[0] for row in sql.rows(session, _HOLDERS, [point.term, after])] if point else []
    return []


CHUNKS = Kind(KIND, _work, lambda _: 0, longest_seconds=LONGEST_SECONDS)
