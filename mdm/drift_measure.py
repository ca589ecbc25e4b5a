"""Measures drift: takes a snapshot when a model first rules every record, and holds each day's last week against it.

The snapshot is of all pairs and records that stand under the model then. Figures are sums, codes and names of sources and
attributes; no value. A measurement that was killed or made twice comes to the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from kernel import clock, log
from matching.appraisal import APPRAISED
from mdm import drift, pending, policy, sql, versions
from mdm.drift import Moved, Part, Picture
from mdm.quality import NOTHING, Counts, Figure
from mdm.steps import Steps

WEEK = timedelta(days=7)
KEPT = timedelta(days=400)
LEAST_SNAPSHOT_PAIRS = 1_000
logger = log.get_logger()
_PAIRS = """
SELECT width_bucket(d.weight, %(edges)s::float8[]) AS band, d.verdict = 'review' AS is_review, count(*) FROM decision d
JOIN version_set v USING (version_set_id)
WHERE d.superseded_at IS NULL AND d.author = 'model' AND d.weight IS NOT NULL AND v.model = %(model)s
  AND (%(since)s::timestamptz IS NULL OR d.created_at >= %(since)s) GROUP BY 1, 2"""
_RECOGNISED = """
SELECT c.source, count(*) FILTER (WHERE EXISTS (
         SELECT FROM crosswalk o
         WHERE o.golden_id = c.golden_id AND o.record_id <> c.record_id AND o.state = 'resolved')), count(*)
FROM crosswalk c JOIN source_record r USING (record_id)
WHERE c.state = 'resolved' AND (%(since)s::timestamptz IS NULL OR r.received_at >= %(since)s) GROUP BY 1"""
_QUALITY = "SELECT DISTINCT ON (source) source, body FROM quality_day WHERE day <= %(day)s ORDER BY source, day DESC"
_WEEK = "SELECT source, body FROM quality_day WHERE day > %(day)s::date - 7 AND day <= %(day)s"


def run(steps: Steps) -> int:
    """Measure once and keep the day's figures; how many are too far. 0 while a snapshot is still to be taken."""
    with steps() as session:
        now, model = clock.now(), _ruling(session)
        if model is None:
            return 0
        before = _snapshot(session, model)
        if before is None:
            _take(session, model, now)
            return 0
        found = list(drift.moved(before, picture(session, model, now, WEEK)))
        return _keep(session, model, now, found)


def latest(session: Session) -> list[Moved]:
    """The figures of the last day that was measured, what is too far first, then by name."""
    found = sql.rows(
        session,
        """SELECT what, name, before, now, distance, counted, is_beyond FROM drift_day
           WHERE day = (SELECT max(day) FROM drift_day) ORDER BY NOT is_beyond, what, name""",
    )
    return [Moved(*row) for row in found]


@dataclass(frozen=True, slots=True)
class Standing:
    """The model that rules, when its snapshot was taken (None: not yet), and what was last held against it."""

    model: str
    taken_at: datetime | None
    moved: Sequence[Moved]


def standing(session: Session) -> Standing | None:
    """The model that rules, and how far what comes has moved from it as last measured; None before one rules."""
    found = sql.rows(
        session,
        "SELECT v.model, s.taken_at FROM version_set v LEFT JOIN drift_snapshot s ON s.model = v.model WHERE v.is_current",
    )
    if not found:
        return None
    of_it = sql.rows(session, "SELECT FROM drift_day WHERE model = %s AND day = (SELECT max(day) FROM drift_day)", [found[0][0]])
    ((model, taken_at),) = found
    return Standing(model, taken_at, latest(session) if of_it else [])


def measured_on(session: Session) -> date | None:
    """The day of the latest figures; None while there are none."""
    found: date | None = sql.rows(session, "SELECT max(day) FROM drift_day")[0][0]
    return found


def picture(session: Session, model: str, now: datetime, span: timedelta | None) -> Picture:
    """Count what stands now: all of it, or what came within a span."""
    since = None if span is None else now - span
    bands, reviews, pairs = [0] * (len(drift.EDGES) + 1), 0, 0
    for band, is_review, count in sql.rows(session, _PAIRS, {"edges": list(drift.EDGES), "model": model, "since": since}):
        bands[band] += count
        pairs += count
        reviews += count * is_review
    recognised = {source: (part, whole) for source, part, whole in sql.rows(session, _RECOGNISED, {"since": since})}
    return Picture(tuple(bands), (reviews, pairs), _complete(session, now, since is not None), recognised)


def _complete(session: Session, now: datetime, of_week: bool) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for source, body in sql.rows(session, _WEEK if of_week else _QUALITY, {"day": now.date()}):
        counts = Counts.of(body["today" if of_week else "all"])
        for name in APPRAISED:
            part, whole = counts.fields.get(name, NOTHING).counted(Figure.COMPLETE, counts.records)
            had = found.get(f"{source}.{name}", (0, 0))
            found[f"{source}.{name}"] = (had[0] + part, had[1] + whole)
    return found


def _ruling(session: Session) -> str | None:
    """The model that rules, once it rules every record: while some still wait for it, figures are of two."""
    if policy.in_force(session) is None:
        return None
    found = versions.stored(session)
    owed = pending.backlog(session)
    return None if found is None or owed.open else found.model.fingerprint


def _snapshot(session: Session, model: str) -> Picture | None:
    found = sql.rows(session, "SELECT body FROM drift_snapshot WHERE model = %s", [model])
    return Picture.of(found[0][0]) if found else None


def _take(session: Session, model: str, now: datetime) -> None:
    taken = picture(session, model, now, None)
    if sum(taken.bands) < LEAST_SNAPSHOT_PAIRS:
        return
    sql.run(
        session,
        "INSERT INTO drift_snapshot (model, taken_at, body) VALUES (%s, %s, %s::jsonb) ON CONFLICT DO NOTHING",
        [model, now, json.dumps(taken.body())],
    )
    logger.info("drift_snapshot_taken", model=model[:12], pairs=sum(taken.bands))


def _keep(session: Session, model: str, now: datetime, found: list[Moved]) -> int:
    sql.run(session, "DELETE FROM drift_day WHERE day = %s OR day < %s", [now.date(), (now - KEPT).date()])
    for one in found:
        sql.run(
            session,
            """INSERT INTO drift_day (day, what, name, model, before, now, distance, counted, is_beyond)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            [now.date(), one.what, one.name, model, one.before, one.now, one.distance, one.counted, one.is_beyond],
        )
        if one.is_beyond:
            logger.warning("drift", what=one.what, name=one.name, distance=round(one.distance, 3), counted=one.counted)
    return sum(one.is_beyond for one in found)
