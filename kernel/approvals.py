"""Two persons for one act: what is large is done when a second person asks for the same thing, or approves what was asked.

The subject stands for exactly what would be done: when that changes, so does the subject, and nobody seconds what they have not
seen. A proposal is used once, in the transaction of the act.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from kernel import audit, clock
from kernel.errors import Conflict, Forbidden, MdmError, NotFound

HOLDS_FOR = timedelta(days=7)
LISTED_FOR = timedelta(days=365)
NEEDED = "second_person_needed"
OPEN, APPROVED, USED, REJECTED, EXPIRED = "open", "approved", "used", "rejected", "expired"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act that waits for a second person, or did. `about` holds counts and ids, never values."""

    approval_id: UUID
    kind: str
    about: Mapping[str, Any]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: str
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


_SELECT = """
SELECT approval_id, kind, about, asked_by, asked_at, expires_at,
  CASE WHEN state IN ('open', 'approved') AND expires_at <= :now THEN 'expired' ELSE state END AS state,
  decided_by, decided_at, reason
FROM approval """
# Two who ask at once come one after the other, else one may find what was proposed used up and nothing of its own kept.
_TURN = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('approval:' || :kind || ':' || :subject, 0))")
_EXPIRE = sa.text("""
UPDATE approval SET state = 'expired'
WHERE kind = :kind AND subject = :subject AND state IN ('open', 'approved') AND expires_at <= :now""")
_ASK = sa.text("""
INSERT INTO approval (approval_id, kind, subject, about, brands, regions, asked_by, asked_at, expires_at, state)
VALUES (:id, :kind, :subject, CAST(:about AS jsonb), :brands, :regions, :by, :now, :until, 'open')
ON CONFLICT (kind, subject) WHERE state IN ('open', 'approved') DO NOTHING""")
_FIND = sa.text(_SELECT + "WHERE kind = :kind AND subject = :subject AND state IN ('open', 'approved') FOR UPDATE")
_USE = sa.text("""
UPDATE approval SET state = 'used', decided_by = coalesce(decided_by, :by), decided_at = coalesce(decided_at, :now)
WHERE approval_id = :id""")
_ONE = sa.text(_SELECT + "WHERE approval_id = :id")
_LOCK = sa.text(_SELECT + "WHERE approval_id = :id FOR UPDATE")
_LIST = sa.text(_SELECT + "WHERE asked_at >= :since ORDER BY asked_at DESC, approval_id")
_DECIDE = sa.text("""
UPDATE approval SET state = :state, decided_by = :by, decided_at = :now, reason = :reason WHERE approval_id = :id""")


def propose(
    session: Session,
    kind: str,
    subject: str,
    by: str,
    about: Mapping[str, Any],
    brands: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
) -> Proposal:
    """Keep an act as a proposal, or find it as one that waits already. Never wants it a second time. Locks the proposal.

    `brands` and `regions`: who may see that it waits (None: whoever may see all).
    """
    now = clock.now()
    for statement in (_TURN, _EXPIRE):
        session.connection().execute(statement, {"kind": kind, "subject": subject, "now": now})
    given = {
        "id": clock.uuid7(), "kind": kind, "subject": subject, "about": json.dumps(dict(about)), "by": by, "now": now,
        "until": now + HOLDS_FOR, "brands": None if brands is None else list(brands),
        "regions": None if regions is None else list(regions),
    }  # fmt: skip
    asked, row = _ask(session, given)
    if row is None:  # It was rejected while this waited to read it.
        asked, row = _ask(session, given)
    found = _proposal(row or ())
    if asked:
        audit.record(session, by, "approval.asked", "approval", str(found.approval_id), detail={"kind": kind})
    return found


def second(
    session: Session,
    kind: str,
    subject: str,
    by: str,
    about: Mapping[str, Any],
    brands: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
) -> Proposal | None:
    """Say whether two persons want this act: None when they do, and what was proposed is used up; else what waits for the second.

    Commit either way. As `propose` besides.
    """
    found = propose(session, kind, subject, by, about, brands, regions)
    if found.state == OPEN and found.asked_by == by:
        return found
    _use(session, found, kind, by)
    return None


def fulfil(session: Session, kind: str, subject: str, by: str) -> None:
    """Use up what somebody else has proposed and this caller does now, where there is such a proposal."""
    asked = {"kind": kind, "subject": subject, "now": clock.now()}
    session.connection().execute(_TURN, asked)
    row = session.connection().execute(_FIND, asked).one_or_none()
    if row is not None and (found := _proposal(row)).state in {OPEN, APPROVED} and found.asked_by != by:
        _use(session, found, kind, by)


def _use(session: Session, found: Proposal, kind: str, by: str) -> None:
    session.connection().execute(_USE, {"id": found.approval_id, "by": by, "now": clock.now()})
    audit.record(session, by, "approval.used", "approval", str(found.approval_id), detail={"kind": kind})


def _ask(session: Session, given: Mapping[str, Any]) -> tuple[bool, Sequence[Any] | None]:
    """Propose it unless it waits already: whether that was new, and what waits."""
    asked = session.connection().execute(_ASK, given).rowcount
    return bool(asked), session.connection().execute(_FIND, given).one_or_none()


def needed(waiting: Proposal) -> MdmError:
    """The refusal that tells of a proposal which waits; raise it once the transaction that keeps it has committed."""
    detail = "It is kept as a proposal and nothing was changed: it is done once another person asks for exactly the same."
    extra = {"approval_id": str(waiting.approval_id), "asked_by": waiting.asked_by, "expires_at": waiting.expires_at.isoformat()}
    return Conflict("This takes a second person", code=NEEDED, detail=detail, extra=extra)


def listed(session: Session, state: str | None = OPEN, limit: int = 100) -> list[Proposal]:
    """List the proposals of a year, the newest first, within the session's row scope; one whose time is over shows as expired."""
    found = session.connection().execute(_LIST, {"now": clock.now(), "since": clock.now() - LISTED_FOR})
    shown = (_proposal(row) for row in found)
    return list(islice((one for one in shown if state in {None, one.state}), limit))


def one(session: Session, approval_id: UUID) -> Proposal | None:
    """Read a proposal within the session's row scope."""
    found = session.connection().execute(_ONE, {"id": approval_id, "now": clock.now()}).one_or_none()
    return None if found is None else _proposal(found)


def decide(
    session: Session, approval_id: UUID, by: str, state: str, reason: str, approvable: frozenset[str] = frozenset()
) -> Proposal:
    """Approve or reject a proposal that is open. Rejecting one's own takes it back.

    Raises: NotFound; Conflict when it is not open, or of a kind that is seconded by asking for the same; Forbidden to approve
    what one has asked for.
    """
    now = clock.now()
    row = session.connection().execute(_LOCK, {"id": approval_id, "now": now}).one_or_none()
    if row is None:
        raise NotFound("There is no such proposal", code="unknown_approval")
    found = _proposal(row)
    if found.state != OPEN:
        raise Conflict("The proposal is not open", code="approval_not_open", extra={"state": found.state})
    if state == APPROVED:
        _refuse_approval(found, by, approvable)
    session.connection().execute(_DECIDE, {"id": approval_id, "state": state, "by": by, "now": now, "reason": reason})
    audit.record(session, by, f"approval.{state}", "approval", str(approval_id), after=reason)
    return replace(found, state=state, decided_by=by, decided_at=now, reason=reason)


def _refuse_approval(found: Proposal, by: str, approvable: frozenset[str]) -> None:
    if found.kind not in approvable:
        detail = "Look at it yourself and ask for the same: that makes you the second person."
        raise Conflict("This is not approved unseen", code="ask_for_the_same", detail=detail, extra={"kind": found.kind})
    if found.asked_by == by:
        raise Forbidden("Nobody approves what they have asked for", code="same_person")


def _proposal(row: Sequence[Any]) -> Proposal:
    return Proposal(*row)
