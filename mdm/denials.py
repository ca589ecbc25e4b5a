"""Whom to drop since an event: for whoever sends by a list that they took before. Only reads, and never says more than a check.

Whatever may have taken a permission away leaves an event: a change of consent, a merge or a split, a contact point that is held
no more, an erasure; and a restriction of use, which is looked up. Who is named by one is asked again as of now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from consent.entries import Channel
from consent.purposes import Rules
from mdm import consent_checks, golden_events, sql
from mdm import policy as policies
from mdm.consent_changes import NARROWED
from mdm.consent_checks import Check, Checked
from webhooks import feed

# What was created has no permission that could have gone.
TYPES = (
    NARROWED, golden_events.UPDATED, golden_events.MERGED, golden_events.SPLIT, golden_events.RESTORED, golden_events.REVIVED,
    golden_events.ENDED, golden_events.REDIRECTED, golden_events.ERASED,
)  # fmt: skip
LIMIT = 1_000
_RESTRICTED = """
SELECT DISTINCT c.golden_id FROM restriction r JOIN crosswalk c USING (record_id)
WHERE c.golden_id IS NOT NULL AND r.since >= coalesce((SELECT occurred_at FROM event WHERE seq = %s), '-infinity')"""


@dataclass(frozen=True, slots=True)
class Named:
    """A golden id that an event named, and how it stands now. No `seq`: the use of its data was restricted."""

    golden_id: UUID
    now: Checked
    seq: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Who was named behind a cursor, in the order of the events; where to go on, and whether at once."""

    named: Sequence[Named]
    next: str
    has_more: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """What is sent: for which purpose, by which channel, in whose name."""

    purpose: str
    channel: Channel | None = None
    brand: str | None = None


def since(session: Session, rules: Rules, sending: Sending, after: str, at: datetime, limit: int = LIMIT) -> Page:
    """Ask again about everybody whom an event behind a cursor names, within the row scope of the session.

    Raises: what `feed.place` raises for the cursor.
    """
    log = feed.log(session)
    begin = feed.place(log, after)
    page = feed.read(session, log, begin, TYPES, limit)
    seqs: dict[UUID, int | None] = {row[0]: None for row in sql.rows(session, _RESTRICTED, [begin])}
    for event in page.events:
        seqs |= dict.fromkeys([event.subject_id, *_retired(event.body.get("retired_ids", ()))], event.seq)
    asked = [Check(sending.purpose, sending.channel, sending.brand, golden_id) for golden_id in seqs]
    limits_of = consent_checks.limits_by(policies.in_force(session))
    found = consent_checks.check_in(session, rules, asked, at, limits_of) if asked else []
    named = [Named(golden_id, now, seq) for (golden_id, seq), now in zip(seqs.items(), found, strict=True)]
    return Page(named, log.cursor(page.reached), page.has_more)


def _retired(ids: Iterable[str]) -> list[UUID]:
    return [UUID(one) for one in ids]
