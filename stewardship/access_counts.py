"""Counts by the hour who read how many customers, and how many were merged by whom: from the audit log and the log of events.

Each sealed audit row and each numbered event is counted once, in the transaction that moves the mark; killed anywhere, the next
run counts the same. What is not sealed or numbered yet is counted when it is.
"""

from datetime import datetime, timedelta

from sqlmodel import Session

from mdm import sql

AT_ONCE = 100_000  # About a second's work; more waits for the next run.
KEPT = timedelta(days=60)
EVERYBODY = "all"
# An act that hands out several says how many; one that says none handed out one. Changes of customers are no reads.
_AUDITED = """
INSERT INTO access_hour (what, actor, hour, number)
SELECT what, actor, date_trunc('hour', at), sum(number)::bigint FROM (
  SELECT a.actor, a.at,
    CASE WHEN a.action = 'decision.match' THEN 'merges' WHEN a.action = 'quota.identifiers_used_up' THEN 'used_up'
         WHEN a.action IN ('golden.erased', 'record.rekeyed', 'override.set', 'export.begun', 'export.made') THEN NULL
         WHEN a.action LIKE 'privacy.%%' AND a.action <> 'privacy.exported' THEN NULL
         WHEN a.object_type IN ('golden', 'record', 'lookup', 'match', 'crosswalk', 'override', 'export')
           OR a.action = 'privacy.exported' THEN 'reads' END AS what,
    CASE WHEN a.action IN ('decision.match', 'quota.identifiers_used_up') THEN 1
         ELSE coalesce(CASE WHEN jsonb_typeof(a.detail -> 'rows') = 'number' THEN (a.detail ->> 'rows')::numeric END,
                       CASE WHEN jsonb_typeof(a.detail -> 'goldens') = 'number' THEN (a.detail ->> 'goldens')::numeric END,
                       CASE WHEN jsonb_typeof(a.detail -> 'found') = 'number' THEN (a.detail ->> 'found')::numeric END, 1)
         END AS number
  FROM audit_seal s JOIN audit a USING (audit_id)
  WHERE s.seq > %(after)s AND s.seq <= %(last)s AND a.audit_id BETWEEN %(least)s AND %(most)s) AS told
WHERE what IS NOT NULL AND number > 0 GROUP BY 1, 2, 3
ON CONFLICT (what, actor, hour) DO UPDATE SET number = access_hour.number + EXCLUDED.number"""
# By their span each month of the log is looked into once, and not once for every row.
_SPAN = "SELECT min(audit_id), max(audit_id) FROM audit_seal WHERE seq > %s AND seq <= %s"
_MERGED = """
INSERT INTO access_hour (what, actor, hour, number)
SELECT 'all_merges', %(everybody)s, date_trunc('hour', occurred_at), count(*) FROM event
WHERE seq > %(after)s AND seq <= %(last)s AND type = 'golden.merged' AND load_id IS NULL GROUP BY 3
ON CONFLICT (what, actor, hour) DO UPDATE SET number = access_hour.number + EXCLUDED.number"""


def count(session: Session, now: datetime) -> bool:
    """Count what came since the last time, at most AT_ONCE of each; whether this is all. Another that counts has its turn."""
    if not sql.rows(session, "SELECT FROM access_counted"):
        sql.run(session, "INSERT INTO access_counted DEFAULT VALUES ON CONFLICT DO NOTHING")
    turn = sql.rows(session, "SELECT audit_seq, event_seq FROM access_counted FOR UPDATE SKIP LOCKED")
    if not turn:
        return False
    audit_seq, event_seq = turn[0]
    ends = sql.rows(
        session,
        """SELECT coalesce((SELECT max(seq) FROM audit_seal WHERE seq > %s), 0),
                  coalesce((SELECT last_seq FROM event_counter), 0)""",
        [audit_seq],
    )
    last_audit, last_event = (min(end, mark + AT_ONCE) for end, mark in zip(ends[0], turn[0], strict=True))
    if last_audit > audit_seq:
        least, most = sql.rows(session, _SPAN, [audit_seq, last_audit])[0]
        sql.run(session, _AUDITED, {"after": audit_seq, "last": last_audit, "least": least, "most": most})
    if last_event > event_seq:
        sql.run(session, _MERGED, {"after": event_seq, "last": last_event, "everybody": EVERYBODY})
    marks = [max(audit_seq, last_audit), max(event_seq, last_event)]
    sql.run(session, "UPDATE access_counted SET audit_seq = %s, event_seq = %s", marks)
    sql.run(session, "DELETE FROM access_hour WHERE hour < %s", [now - KEPT])
    return marks == [max(end, mark) for end, mark in zip(ends[0], turn[0], strict=True)]
