"""Measures every source: sums the appraisals of its records up and keeps the figures of the day.

Set-based and from what is stored, so that a measurement that was killed, or made twice, or by two processes at once, comes to the
same: the later one of a day stands, and a past day's never changes. Reads all standard records, ids and codes only.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from kernel import clock
from mdm import policy as policies
from mdm import program, sql
from mdm.policy import Policy
from mdm.quality import Counts, Measured, Timeliness, counts
from mdm.steps import Steps, snapshot

TOTALS = """
SELECT s.source, count(*), count(*) FILTER (WHERE r.received_at >= %(midnight)s), count(*) FILTER (WHERE s.appraisal IS NULL),
  count(*) FILTER (WHERE (coalesce(s.refused_standardizer, s.standardizer), coalesce(s.refused_policy, s.policy_version))
                         <> (%(standardizer)s, %(policy)s)),
  max(s.brand), array_agg(DISTINCT s.region), max(r.received_at),
  CASE WHEN bool_and(f.since IS NOT NULL) THEN count(*) FILTER (WHERE s.observed_at >= f.since) END,
  count(r.source_updated_at) FILTER (WHERE r.received_at >= %(midnight)s),
  percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY greatest(0, extract(epoch FROM r.received_at - r.source_updated_at)))
    FILTER (WHERE r.received_at >= %(midnight)s AND r.source_updated_at IS NOT NULL)
FROM standard_record s JOIN source_record r USING (record_id)
LEFT JOIN unnest(%(sources)s::text[], %(since)s::timestamptz[]) AS f (source, since) ON f.source = s.source
GROUP BY s.source"""
APPRAISALS = """
SELECT s.source, a.said, count(*), count(*) FILTER (WHERE r.received_at >= %(midnight)s)
FROM standard_record s JOIN source_record r USING (record_id) CROSS JOIN LATERAL unnest(s.appraisal) AS a (said)
GROUP BY s.source, a.said"""
# Within one record no key stands twice, so that rows of a key are records of it.
KEYS = """
SELECT source, attribute, count(DISTINCT record_id), count(DISTINCT record_id) FILTER (WHERE holders > 1)
FROM (SELECT s.source, a.attribute, s.record_id,
        count(*) OVER (PARTITION BY s.source, a.attribute,
                       concat_ws('|', one ->> 'type', one ->> 'issuer', one ->> 'programme', one ->> 'key')) AS holders
      FROM standard_record s
      CROSS JOIN LATERAL (VALUES ('emails', s.body -> 'emails'), ('phones', s.body -> 'phones'),
                                 ('identifiers', s.body -> 'identifiers'), ('loyalty_accounts', s.body -> 'loyalty_accounts'))
        AS a (attribute, items)
      CROSS JOIN LATERAL jsonb_array_elements(a.items) AS one WHERE one ? 'key') AS keyed
GROUP BY source, attribute"""
COPIES = """
SELECT source, sum(records)::bigint FROM (
  SELECT source, count(*) AS records FROM standard_record GROUP BY source, form_hash HAVING count(*) > 1) AS alike
GROUP BY source"""
REJECTS = (
    "SELECT source, code, count(*) FROM reject WHERE rejected_at >= %(midnight)s AND source IS NOT NULL GROUP BY source, code"
)
REFUSED = """
SELECT source, refusal, count(*) FROM standard_record
WHERE refusal IS NOT NULL AND (refused_standardizer, refused_policy) = (%(standardizer)s, %(policy)s) GROUP BY source, refusal"""
KEEP = """
INSERT INTO quality_day AS q (source, day, brand, regions, measured_at, standardizer, policy_version, body)
VALUES (%(source)s, %(day)s, %(brand)s, %(regions)s, %(at)s, %(standardizer)s, %(policy)s, %(body)s::jsonb)
ON CONFLICT (source, day) DO UPDATE SET brand = EXCLUDED.brand, regions = EXCLUDED.regions, measured_at = EXCLUDED.measured_at,
  standardizer = EXCLUDED.standardizer, policy_version = EXCLUDED.policy_version, body = EXCLUDED.body
WHERE q.measured_at < EXCLUDED.measured_at"""
# After midnight a later measurement stands in another row.
OVERTAKEN = "SELECT FROM quality_day WHERE source = %(source)s AND measured_at > %(at)s LIMIT 1"


@dataclass(slots=True)
class _Found:
    """The rows of one source."""

    totals: sql.Row = ()
    appraisals: list[tuple[str, int, int]] = field(default_factory=list)
    keyed: dict[str, tuple[int, int]] = field(default_factory=dict)
    copies: int = 0
    rejects: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


def measure(steps: Steps) -> tuple[Policy, list[Measured]]:
    """Measure all sources in one snapshot, by the policy in force. Writes nothing."""
    now = clock.now()
    with snapshot(steps) as session:
        ruling = policies.current(session)
        found = _read(session, ruling, now)
    return ruling, [_measured(source, rows, ruling, now) for source, rows in sorted(found.items())]


def keep(session: Session, ruling: Policy, measured: Sequence[Measured]) -> bool:
    """Keep the figures of the day; those of a later measurement of it stay. Whether all of these are the latest, of any day."""
    latest = 0
    for one in measured:
        row = {
            "source": one.source,
            "day": one.day,
            "brand": one.brand,
            "regions": list(one.regions),
            "at": one.measured_at,
            "standardizer": program.stamp(),
            "policy": ruling.version,
            "body": json.dumps(one.body()),
        }
        latest += sql.run(session, KEEP, row) and not sql.rows(session, OVERTAKEN, row)
    return latest == len(measured)


def _read(session: Session, ruling: Policy, now: datetime) -> dict[str, _Found]:
    found: dict[str, _Found] = defaultdict(_Found)
    params = _params(ruling, now)
    for source, *totals in sql.rows(session, TOTALS, params):
        found[source].totals = tuple(totals)
    for source, said, number, of_day in sql.rows(session, APPRAISALS, params):
        found[source].appraisals.append((said, number, of_day))
    for source, attribute, keyed, shared in sql.rows(session, KEYS):
        found[source].keyed[attribute] = (keyed, shared)
    for source, copies in sql.rows(session, COPIES):
        found[source].copies = copies
    for (source,) in sql.rows(session, "SELECT DISTINCT source FROM quality_day"):
        if source in ruling.sources:  # Of one that lost its last record it is told that it has none, not what it had.
            found.setdefault(source, _Found())
    for source, code, number in sql.rows(session, REJECTS, params):
        found[source].rejects[code] = number
    for source, refusal, number in sql.rows(session, REFUSED, params):
        found[source].refused[refusal] = number
    return found


def _params(ruling: Policy, now: datetime) -> dict[str, Any]:
    declared = {name: source.fresh_within for name, source in ruling.sources.items()}
    return {
        "midnight": midnight(now),
        "standardizer": program.stamp(),
        "policy": ruling.version,
        "sources": list(declared),
        "since": [_since(now, within) for within in declared.values()],
    }


def midnight(now: datetime) -> datetime:
    """When the day began; days are UTC's, whatever the server's zone."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _since(now: datetime, within: timedelta | None) -> datetime | None:
    return None if within is None else now - within


def _measured(source: str, found: _Found, ruling: Policy, now: datetime) -> Measured:
    declared = ruling.sources.get(source)
    records, of_day, unappraised, stale, brand, regions, last, fresh, timed, latency = found.totals or _NO_RECORDS
    median, p95 = latency or (None, None)
    times = Timeliness(last.isoformat() if last else None, fresh, timed, median, p95)
    return Measured(
        source, declared.brand if declared else brand, tuple(regions) or (declared.region if declared else "",),
        midnight(now).date(), now, _counts(records, found, 1, found.keyed), _counts(of_day, found, 2, {}),
        unappraised, stale, found.copies, found.rejects, times, found.refused,
    )  # fmt: skip


_NO_RECORDS = (0, 0, 0, 0, "", (), None, None, 0, None)


def _counts(records: int, found: _Found, column: int, keyed: dict[str, tuple[int, int]]) -> Counts:
    said: Iterable[tuple[str, int]] = ((row[0], int(row[column])) for row in found.appraisals)
    return counts(records, said, keyed)
