"""What a service's database says of work done twice, of events lost or doubled, and of what is owed since a moment.

Leases that are taken, and leases that were lost, are counted by triggers of the soak's own in its own database.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from kernel import db
from mdm import sql
from tests.resolution import query

CHUNK_UNITS = 400  # A chunk of an upload counts as the rows that the soak puts into one; the trigger below says so too.
PATIENCE_SECONDS = 60.0
OPEN = """
CREATE TABLE IF NOT EXISTS soak_lease (taken integer NOT NULL, lost integer NOT NULL);
CREATE OR REPLACE FUNCTION soak_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO soak_lease VALUES (
    TG_ARGV[0]::integer * (NEW.lease_owner IS NOT NULL AND NEW.lease_owner IS DISTINCT FROM OLD.lease_owner)::integer,
    TG_ARGV[0]::integer * (NEW.lost_leases + NEW.attempts > OLD.lost_leases + OLD.attempts)::integer);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER soak_note AFTER UPDATE ON pending_record FOR EACH ROW
  WHEN (NEW.lease_owner IS DISTINCT FROM OLD.lease_owner OR NEW.lost_leases + NEW.attempts > OLD.lost_leases + OLD.attempts)
  EXECUTE FUNCTION soak_note(1);
CREATE OR REPLACE TRIGGER soak_note AFTER UPDATE ON job_chunk FOR EACH ROW
  WHEN (NEW.lease_owner IS DISTINCT FROM OLD.lease_owner OR NEW.lost_leases + NEW.attempts > OLD.lost_leases + OLD.attempts)
  EXECUTE FUNCTION soak_note(400);
"""
# One statement each; every one counts.
COUNTS = {
    "taken": "SELECT coalesce(sum(taken), 0) FROM soak_lease",
    "lost_leases": "SELECT coalesce(sum(lost), 0) FROM soak_lease",
    "missing_events": """
        SELECT (SELECT count(*) FROM golden_version v WHERE v.status IN ('live', 'ended') AND NOT EXISTS (
                  SELECT FROM event e WHERE e.subject_id = v.golden_id AND e.subject_version = v.version
                    AND e.type LIKE 'golden.%%'))
             + (SELECT count(*) FROM source_record r WHERE r.rekeyed_to IS NULL AND NOT EXISTS (
                  SELECT FROM event e WHERE e.subject_id = r.record_id AND e.subject_version = r.version_no
                    AND e.type = 'record.received'))
             + (SELECT last_seq - (SELECT count(*) FROM event) FROM event_counter)""",
    "doubled_events": """
        SELECT count(*) FROM (SELECT FROM event WHERE type LIKE 'golden.%%' OR type = 'record.received'
                              GROUP BY type, subject_id, subject_version HAVING count(*) > 1) AS doubled""",
    "doubled_versions": """
        SELECT count(*) FROM (SELECT FROM record_version WHERE source_version IS NOT NULL
                              GROUP BY record_id, source_version, is_deleted, payload_hash HAVING count(*) > 1) AS doubled""",
}
OWED = """
SELECT EXISTS (SELECT FROM pending_record WHERE quarantined_at IS NULL AND requested_at <= %(at)s)
  OR EXISTS (SELECT FROM outbox WHERE occurred_at <= %(at)s)
  OR EXISTS (SELECT FROM job WHERE state IN ('queued', 'running') AND created_at <= %(at)s)
  OR EXISTS (SELECT FROM webhook_delivery d JOIN event e USING (seq)
             WHERE d.state = 'due' AND e.occurred_at <= %(at)s AND d.endpoint_id::text = ANY(%(endpoints)s))
  OR EXISTS (SELECT FROM webhook_endpoint w JOIN event e ON e.seq = w.reached_seq + 1
             WHERE e.occurred_at <= %(at)s AND w.endpoint_id::text = ANY(%(endpoints)s))"""


@dataclass(frozen=True, slots=True)
class Books:
    """What was counted up to a moment."""

    taken: int
    lost_leases: int
    missing_events: int
    doubled_events: int
    doubled_versions: int

    def since(self, before: "Books") -> "Books":
        """What came since."""
        return Books(*(getattr(self, one.name) - getattr(before, one.name) for one in fields(self)))


def begin() -> None:
    """Count from now on."""
    query(OPEN, role=db.Role.OWNER)


def read() -> Books:
    """Count; a database that was struck a moment ago is waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with db.read_only(db.Role.OWNER) as session:
                return Books(**{name: int(sql.rows(session, statement, {})[0][0]) for name, statement in COUNTS.items()})
        except db.UNAVAILABLE:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def is_owed(at: datetime, endpoints: Collection[str] = ()) -> bool:
    """Whether anything is still to be done that was there at a moment; of webhooks, for these endpoints."""
    with db.read_only() as session:
        return bool(sql.rows(session, OWED, {"at": at, "endpoints": list(endpoints)})[0][0])
