"""Lets go of what sources deleted long ago: the records stay as tombstones, and nothing of what they said, nor of their past.

How long is what the policy says of each source (`deleted_kept_days`); without it, deleted records are kept. Nobody
is remembered as erased: a record that is sent again is a new one. A job, some records a step; killed anywhere, the next goes on.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta

from sqlmodel import Session

from kernel import audit, clock, jobs
from kernel.jobs import Claim
from mdm import erasing, sql
from mdm import policy as policies
from mdm.chunks import Kind
from mdm.incoming import TOMBSTONE
from mdm.steps import Steps, insist
from stewardship import privacy_catalogue, privacy_values
from stewardship.privacy_erasure import ACTOR, HANDLERS

KIND = "privacy_retention"
STEP_RECORDS = 200
# What holds something of a record that is gone. Exported files and kept answers end by their own age; rejects speak of no record.
NEEDED = ("records", "goldens", "decisions", "overrides", "consents", "deliveries")
_DUE = """
FROM source_record r JOIN unnest(%(sources)s::text[], %(before)s::timestamptz[]) AS p (source, before) USING (source)
WHERE r.is_deleted AND r.rekeyed_to IS NULL AND r.received_at < p.before AND r.source_key <> %(tombstone)s || r.record_id"""


def due(session: Session) -> dict[str, int]:
    """Count the records whose time is over, by source. Changes nothing."""
    found = sql.rows(session, f"SELECT r.source, count(*) {_DUE} GROUP BY 1 ORDER BY 1", _limits(session))
    return {source: number for source, number in found}


def _limits(session: Session) -> Mapping[str, object]:
    now = clock.now()
    kept = {
        name: one.deleted_kept_days
        for name, one in policies.current(session).sources.items()
        if one.deleted_kept_days is not None
    }
    before = [now - timedelta(days=days) for days in kept.values()]
    return {"sources": list(kept), "before": before, "tombstone": TOMBSTONE}


def run(steps: Steps) -> int:
    """Let go of all that is due; how many records. Each step may be done again."""
    gone = 0
    while done := insist(steps, _step):
        gone += done
    return gone


def _step(session: Session) -> int:
    chosen = f"SELECT r.record_id {_DUE} ORDER BY r.source, r.source_key LIMIT {STEP_RECORDS} FOR UPDATE OF r"
    record_ids: list[uuid.UUID] = [row[0] for row in sql.rows(session, chosen, _limits(session))]
    if not record_ids:
        return 0
    of = erasing.subject(session, record_ids)
    of = erasing.Subject(of.records, of.keys, ())  # Their golden ids stay as they are: ended.
    catalogue = privacy_catalogue.understood(session, HANDLERS)
    erasing.lock(session, of)
    for _, statement in catalogue.statements():
        sql.run(session, statement, privacy_catalogue.parameters(of))
    for name in NEEDED:
        HANDLERS[name](session, of, frozenset())
    erasing.ask_again(session, of)
    audit.record(session, ACTOR, "privacy.retention", "record", "", detail={"records": len(record_ids)})
    return len(record_ids)


def _work(steps: Steps, claim: Claim) -> None:
    gone, values = run(steps), privacy_values.run(steps)
    with steps() as session:
        jobs.finish_chunk(session, claim)
        jobs.finish_job(session, claim.job_id, result={"records": gone, "values": values})


# A first run may find most of what there is; killed or given up, it goes on where it was.
CHUNKS = Kind(KIND, _work, lambda _: 0, longest_seconds=6 * 3_600.0)
