"""What callers did that they do not usually do: read many customers, merge many, second or answer everything. Told until seen.

Unusual is what passes a floor of the settings and several times the most of the same caller's earlier hours. An hour that was
unusual counts as usual only once somebody else has said that it was: nobody gets others used to it by going on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from kernel import audit, clock, log
from kernel.errors import Conflict, Forbidden, NotFound
from kernel.settings import Settings, settings
from mdm import sql
from stewardship import access_counts

logger = log.get_logger()
READS, MERGES, ALL_MERGES, USED_UP, SECONDS, ANSWERS = "reads", "merges", "all_merges", "used_up", "approvals", "answers"
LOOKS_BACK = timedelta(hours=3)  # What is older came to be counted late, and is history.
REMEMBERS = timedelta(days=28)
ONE_SHARE = 0.9  # Of what was seconded by anybody.
YES_SHARE = 0.98
SECONDS_DAYS, ANSWERS_DAYS = timedelta(days=30), timedelta(days=7)
SENTENCES = {
    READS: "{actor} read {number:,} customers within an hour; their most before was {usual:,}.",
    MERGES: "{actor} said of {number:,} pairs within an hour that they are one customer; their most before was {usual:,}.",
    ALL_MERGES: "{number:,} customers were merged within an hour, loads apart; the most before was {usual:,}.",
    USED_UP: "{actor} asked for more different customers in an hour than its limit allows.",
    SECONDS: "{actor} was the second person of {number:,} of the {of:,} acts that took two in {days} days.",
    ANSWERS: "{actor} answered {number:,} of {of:,} questions in {days} days alike: one customer.",
}
_UNUSUAL = """
SELECT h.actor, h.hour, h.number, usual.most FROM access_hour h CROSS JOIN LATERAL (
  SELECT coalesce(max(u.number), 0) AS most FROM access_hour u
  WHERE u.what = h.what AND u.actor = h.actor AND u.hour < h.hour AND u.hour >= h.hour - %(remembers)s
    AND NOT EXISTS (SELECT FROM access_alert a
                    WHERE a.kind = u.what AND a.actor = u.actor AND a.since = u.hour AND a.is_usual IS NOT TRUE)) AS usual
WHERE h.what = %(what)s AND h.hour >= %(since)s AND h.number > %(floor)s AND h.number > usual.most * %(times)s"""
_SECONDED = """
SELECT decided_by, count(*), sum(count(*)) OVER ()::bigint FROM approval
WHERE state IN ('approved', 'used') AND decided_by IS NOT NULL AND decided_at >= %(since)s GROUP BY 1"""
_ANSWERED = """
SELECT settled_by, count(*) FILTER (WHERE verdict = 'match'), count(*) FROM task_desk
WHERE settled_at >= %(since)s AND settled_by IS NOT NULL AND verdict IN ('match', 'no_match') GROUP BY 1"""
# An hour goes on: what is not seen yet grows. Of days, one told of counts until they are over, seen or not.
_TELL = """
INSERT INTO access_alert (alert_id, kind, actor, since, opened_at, figures)
SELECT %(id)s, %(kind)s, %(actor)s, %(since)s, %(now)s, %(figures)s::jsonb
WHERE NOT EXISTS (SELECT FROM access_alert
                  WHERE kind = %(kind)s AND actor = %(actor)s AND since < %(since)s AND since > %(quiet)s)
ON CONFLICT (kind, actor, since) DO UPDATE SET figures = EXCLUDED.figures WHERE access_alert.seen_at IS NULL
RETURNING alert_id"""
_READ = "SELECT alert_id, kind, actor, since, opened_at, figures, seen_at, seen_by, is_usual, reason FROM access_alert"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something unusual: who, since when, by which figures; and what somebody said who looked at it."""

    alert_id: UUID
    kind: str
    actor: str
    since: datetime
    opened_at: datetime
    figures: Mapping[str, Any]
    seen_at: datetime | None = None
    seen_by: str | None = None
    is_usual: bool | None = None
    reason: str | None = None

    @property
    def sentence(self) -> str:
        """Say it in a sentence."""
        return SENTENCES[self.kind].format(actor=self.actor, **self.figures)


Found = tuple[str, str, datetime, Mapping[str, Any]]


def run(session: Session) -> int:
    """Count what came, and tell of what is unusual; how many alerts are new. Idempotent."""
    now, chosen = clock.now(), settings()
    access_counts.count(session, now)
    return sum(_tell(session, now, one) for one in (*_by_hour(session, now, chosen), *_by_days(session, now, chosen)))


def _by_hour(session: Session, now: datetime, chosen: Settings) -> Iterator[Found]:
    floors = {READS: chosen.alert_reads, MERGES: chosen.alert_merges, ALL_MERGES: chosen.alert_all_merges, USED_UP: 0}
    for what, floor in floors.items():
        times = 0 if what == USED_UP else chosen.alert_times_usual
        asked = {"what": what, "floor": floor, "times": times, "since": now - LOOKS_BACK, "remembers": REMEMBERS}
        for actor, hour, number, usual in sql.rows(session, _UNUSUAL, asked):
            yield what, actor, hour, {"number": number, "usual": usual}


def _by_days(session: Session, now: datetime, chosen: Settings) -> Iterator[Found]:
    kinds = (
        (SECONDS, _SECONDED, SECONDS_DAYS, chosen.alert_approvals, ONE_SHARE),
        (ANSWERS, _ANSWERED, ANSWERS_DAYS, chosen.alert_answers, YES_SHARE),
    )
    for kind, statement, days, least, share in kinds:
        since = now.replace(hour=0, minute=0, second=0, microsecond=0) - days
        for actor, number, of in sql.rows(session, statement, {"since": since}):
            if of >= least and number >= share * of:
                yield kind, actor, since, {"number": number, "of": of, "days": days.days}


def _tell(session: Session, now: datetime, found: Found) -> bool:
    kind, actor, since, figures = found
    quiet = since - {SECONDS: SECONDS_DAYS, ANSWERS: ANSWERS_DAYS}.get(kind, timedelta(0))
    made = clock.uuid7()
    said = {"id": made, "kind": kind, "actor": actor, "since": since, "now": now, "quiet": quiet}
    rows = sql.rows(session, _TELL, {**said, "figures": json.dumps(dict(figures))})
    is_new = bool(rows) and rows[0][0] == made
    if is_new:
        logger.warning("access_unusual", kind=kind, actor=actor, **figures)
    return is_new


def unseen(session: Session) -> list[Alert]:
    """What nobody has looked at yet, the latest first."""
    return [Alert(*row) for row in sql.rows(session, f"{_READ} WHERE seen_at IS NULL ORDER BY opened_at DESC, alert_id")]


def listed(session: Session, most: int) -> list[Alert]:
    """The latest, what nobody has looked at before what somebody has."""
    order = "ORDER BY seen_at IS NOT NULL, opened_at DESC, alert_id LIMIT %s"
    return [Alert(*row) for row in sql.rows(session, f"{_READ} {order}", [most])]


def see(session: Session, alert_id: UUID, by: str, reason: str, *, is_usual: bool) -> Alert:
    """Say that one has looked at it. `is_usual`: it was as it should be, and counts as usual from now on.

    Raises: NotFound; Conflict when somebody has said so already; Forbidden for whom it is about.
    """
    found = sql.rows(session, f"{_READ} WHERE alert_id = %s FOR UPDATE", [alert_id])
    if not found:
        raise NotFound("There is no such alert", code="unknown_alert")
    alert = Alert(*found[0])
    if alert.seen_at is not None:
        raise Conflict("Somebody has looked at this already", code="alert_seen", detail=f"It was {alert.seen_by}.")
    if alert.actor == by:
        raise Forbidden("It is about you", code="own_alert", detail="Another person looks at what you did.")
    said = (clock.now(), by, is_usual, reason)
    sql.run(
        session,
        "UPDATE access_alert SET seen_at = %s, seen_by = %s, is_usual = %s, reason = %s WHERE alert_id = %s",
        [*said, alert_id],
    )
    audit.record(session, by, "alert.seen", "alert", str(alert_id), detail={"kind": alert.kind, "usual": is_usual}, after=reason)
    return replace(alert, seen_at=said[0], seen_by=by, is_usual=is_usual, reason=reason)
