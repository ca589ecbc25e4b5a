"""Lets go of records whose time is over: they stay as tombstones, and nothing of what they said, nor of their past.

What a source deleted goes by `deleted_kept_days`; whatever it said of customers of whom nothing was heard, by `kept_days` of it
or of what it serves. Nobody is remembered as erased: a record that is sent again is a new one. A job, some records a step;
killed anywhere, the next goes on.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from kernel import audit, clock, jobs
from kernel.jobs import Claim
from mdm import erasing, kept_days, sql
from mdm import policy as policies
from mdm.chunks import Kind
from mdm.incoming import TOMBSTONE
from mdm.steps import Steps, insist
from stewardship import privacy_catalogue, privacy_values
from stewardship.privacy_erasure import ACTOR, HANDLERS
from stewardship.privacy_values import Key

KIND = "privacy_retention"
STEP_RECORDS = 200
# What holds something of a record that is gone. Exported files and kept answers end by their own age; rejects speak of no record.
NEEDED = ("records", "goldens", "decisions", "overrides", "consents", "deliveries")
_DUE = f"""
FROM source_record r JOIN unnest(%(sources)s::text[], %(before)s::timestamptz[]) AS p (source, before) USING (source)
WHERE r.is_deleted AND r.rekeyed_to IS NULL AND r.received_at < p.before AND r.source_key <> %(tombstone)s || r.record_id
  AND NOT {privacy_values.SPOKEN_FOR}"""


# Of a source that keeps nothing of customers of whom nothing was heard: whatever it said of them, deleted or not.
_OVER = f"""
FROM source_record r JOIN crosswalk c USING (record_id)
JOIN unnest(%(unheard)s::text[], %(unheard_before)s::timestamptz[]) AS p (source, before) ON p.source = r.source
WHERE r.rekeyed_to IS NULL AND r.source_key <> %(tombstone)s || r.record_id AND {privacy_values.unheard("p.before")}
  AND NOT {privacy_values.SPOKEN_FOR}"""
_COUNTED = f"""
SELECT source, count(*) FROM (SELECT r.record_id, r.source {_DUE} UNION SELECT r.record_id, r.source {_OVER}) AS d
GROUP BY 1 ORDER BY 1"""
# Behind what this run has looked at already, as privacy_values does.
_NEXT = f"""SELECT r.record_id, r.source, r.source_key {{}} AND (r.source, r.source_key) > (%(source)s, %(key)s)
  ORDER BY r.source, r.source_key LIMIT {STEP_RECORDS} FOR UPDATE OF r"""


def due(session: Session) -> dict[str, int]:
    """Count the records whose time is over, by source. Changes nothing."""
    found = sql.rows(session, _COUNTED, _limits(session))
    return {source: number for source, number in found}


def _limits(session: Session) -> Mapping[str, object]:
    now, policy = clock.now(), policies.current(session)
    deleted = {name: one.deleted_kept_days for name, one in policy.sources.items() if one.deleted_kept_days is not None}
    unheard = {name: kept for name, one in policy.sources.items() if (kept := kept_days.days(policy, one)) is not None}
    return {
        "sources": list(deleted), "before": [now - timedelta(days=one) for one in deleted.values()],
        "unheard": list(unheard), "unheard_before": [now - timedelta(days=one) for one in unheard.values()],
        "tombstone": TOMBSTONE,
    }  # fmt: skip


def run(steps: Steps) -> int:
    """Let go of all that is due; how many records. Each step may be done again."""
    gone = 0
    for over in (_DUE, _OVER):
        reached = privacy_values.FIRST
        while done := insist(steps, partial(_step, over=over, reached=reached)):
            number, reached = done
            gone += number
    return gone


def _step(session: Session, over: str, reached: Key) -> tuple[int, Key] | None:
    """Let go of some records behind a key, in the order of keys; how many and up to which, None when there are no more."""
    chosen = sql.rows(session, _NEXT.format(over), {**_limits(session), "source": reached[0], "key": reached[1]})
    if not chosen:
        return None
    _let_go(session, [row[0] for row in chosen])
    return len(chosen), (chosen[-1][1], chosen[-1][2])


def _let_go(session: Session, record_ids: Sequence[uuid.UUID]) -> None:
    of = erasing.subject(session, record_ids)
    of = erasing.Subject(of.records, of.keys, ())  # Their golden ids stay, and end with their last record.
    catalogue = privacy_catalogue.understood(session, HANDLERS)
    erasing.lock(session, of)
    for _, statement in catalogue.statements():
        sql.run(session, statement, privacy_catalogue.parameters(of))
    for name in NEEDED:
        HANDLERS[name](session, of, frozenset())
    erasing.ask_again(session, of)
    audit.record(session, ACTOR, "privacy.retention", "record", "", detail={"records": len(record_ids)})


def _work(steps: Steps, claim: Claim) -> None:
    gone, values = run(steps), privacy_values.run(steps)
    with steps() as session:
        jobs.finish_chunk(session, claim)
        jobs.finish_job(session, claim.job_id, result={"records": gone, "values": values})


# A first run may find most of what there is; killed or given up, it goes on where it was.
CHUNKS = Kind(KIND, _work, lambda _: 0, longest_seconds=6 * 3_600.0)
