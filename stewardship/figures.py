"""What the database tells of how the service fares: what waits, for how long, and what was given up. Only reads.

Names and labels hold kinds, sources and states, never a value of a customer. Each figure is asked for by itself, so that one that
takes too long costs no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from sqlmodel import Session

from mdm import sql
from mdm.steps import Steps

LONGEST = "5s"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its name, what it tells, the names of its labels, and the statement that gives labels and value, row by row."""

    name: str
    tells: str
    labels: tuple[str, ...]
    statement: str


def _age(column: str) -> str:
    return f"coalesce(greatest(extract(epoch FROM clock_timestamp() - min({column})), 0), 0)::float"


_UNSEALED = """FROM audit a WHERE a.audit_id > coalesce((SELECT settled_id FROM audit_chain), 0)
  AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.audit_id = a.audit_id)"""
_PENDING = """FROM pending_record p JOIN source_record r USING (record_id)
WHERE p.quarantined_at IS NULL AND p.available_at < 'infinity' GROUP BY 1"""
_CHUNKS = "FROM job_chunk c JOIN job j USING (job_id) WHERE c.state IN ('queued', 'leased') AND j.paused_at IS NULL GROUP BY 1"
FIGURES = (
    Figure("mdm_pending_records", "Records that wait to be resolved.", ("source",), f"SELECT r.source, count(*) {_PENDING}"),
    Figure(
        "mdm_pending_oldest_seconds", "For how long the oldest record of a source has waited to be resolved.", ("source",),
        f"SELECT r.source, {_age('p.requested_at')} {_PENDING}",
    ),
    Figure(
        "mdm_quarantined_records", "Records that failed again and again.", (),
        "SELECT count(*) FROM pending_record WHERE quarantined_at IS NOT NULL",
    ),
    Figure(
        "mdm_merge_holds", "Holds of automatic merging in force.", (),
        "SELECT count(*) FROM merge_hold WHERE ended_at IS NULL",
    ),
    Figure(
        "mdm_held_records", "Records that wait for automatic merging to go on.", (),
        "SELECT count(*) FROM pending_record WHERE available_at = 'infinity'",
    ),
    Figure(
        "mdm_expired_leases", "Leases of records and chunks that ended without an answer.", ("of",),
        """SELECT 'record', count(*) FROM pending_record WHERE lease_until < now()
           UNION ALL SELECT 'chunk', count(*) FROM job_chunk WHERE state = 'leased' AND lease_until < now()""",
    ),
    Figure("mdm_open_chunks", "Chunks of jobs that wait or are being done.", ("kind",), f"SELECT j.kind, count(*) {_CHUNKS}"),
    Figure(
        "mdm_oldest_chunk_seconds", "For how long the job of the oldest such chunk has been open.", ("kind",),
        f"SELECT j.kind, {_age('j.created_at')} {_CHUNKS}",
    ),
    Figure(
        "mdm_quarantined_chunks", "Chunks that were given up, of jobs of the last week.", ("kind",),
        """SELECT j.kind, count(*) FROM job_chunk c JOIN job j USING (job_id)
           WHERE c.state = 'quarantined' AND j.created_at > now() - interval '7 days' GROUP BY 1""",
    ),
    Figure("mdm_outbox_events", "Events that wait for their numbers.", (), "SELECT count(*) FROM outbox"),
    Figure(
        "mdm_outbox_oldest_seconds", "For how long the oldest of them has waited (the sequencer's lag).", (),
        f"SELECT {_age('occurred_at')} FROM outbox",
    ),
    Figure(
        "mdm_due_deliveries", "Deliveries that are due and not made.", (),
        "SELECT count(*) FROM webhook_delivery WHERE state = 'due' AND due_at < now()",
    ),
    Figure(
        "mdm_due_deliveries_oldest_seconds", "For how long the oldest of them has been due.", (),
        f"SELECT {_age('due_at')} FROM webhook_delivery WHERE state = 'due' AND due_at < now()",
    ),
    Figure(
        "mdm_dead_deliveries", "Deliveries that were given up and can be made again.", (),
        "SELECT count(*) FROM webhook_delivery WHERE state = 'dead'",
    ),
    Figure(
        "mdm_overdue_endpoints", "Endpoints overdue with merges, erasures or changes of consent.", (),
        "SELECT count(*) FROM webhook_endpoint WHERE overdue_since IS NOT NULL",
    ),
    Figure("mdm_hot_keys", "Blocking keys that too many records share.", (), "SELECT count(*) FROM hot_key"),
    Figure(
        "mdm_open_tasks", "Tasks that wait for a steward.", ("kind",),
        "SELECT kind, count(*) FROM task WHERE state = 'open' GROUP BY 1",
    ),
    Figure(
        "mdm_open_tasks_oldest_seconds", "For how long the oldest of them has waited.", ("kind",),
        f"SELECT kind, {_age('opened_at')} FROM task WHERE state = 'open' GROUP BY 1",
    ),
    Figure(
        "mdm_second_looks", "Answers that another steward is to give again, and those that differ.", ("state",),
        """SELECT CASE WHEN second_by IS NULL THEN 'waiting' ELSE 'differs' END, count(*)
           FROM second_look l JOIN decision d ON d.decision_id = l.decision_id AND d.superseded_at IS NULL
           WHERE kept_at IS NULL AND second_verdict IS DISTINCT FROM first_verdict GROUP BY 1""",
    ),
    Figure("mdm_unsealed_audit_rows", "Audit rows that are not in the chain yet.", (), f"SELECT count(*) {_UNSEALED}"),
    Figure(
        "mdm_unsealed_audit_oldest_seconds", "For how long the oldest of them has stood so.", (),
        f"SELECT {_age('a.at')} {_UNSEALED}",
    ),
    Figure(
        "mdm_quality_breaches", "Figures of quality below what the policy asks.", ("source",),
        "SELECT source, count(*) FROM quality_breach WHERE ended_at IS NULL GROUP BY 1",
    ),
    Figure(
        "mdm_access_alerts", "Unusual reads, merges and answers that nobody has looked at.", ("kind",),
        "SELECT kind, count(*) FROM access_alert WHERE seen_at IS NULL GROUP BY 1",
    ),
    Figure(
        "mdm_drift", "How far a figure has moved from the model's snapshot: an index of weights, else a difference of shares.",
        ("what", "name"), "SELECT what, name, distance FROM drift_day WHERE day = (SELECT max(day) FROM drift_day)",
    ),
    Figure(
        "mdm_drift_beyond", "Figures that have moved too far from the model's snapshot.", ("what",),
        "SELECT what, count(*) FROM drift_day WHERE is_beyond AND day = (SELECT max(day) FROM drift_day) GROUP BY 1",
    ),
    Figure(
        "mdm_oldest_transaction_seconds", "For how long the oldest transaction of this database has been open.", (),
        f"SELECT {_age('xact_start')} FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'",
    ),
    Figure(
        "mdm_database_connections", "Connections to this database.", (),
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()",
    ),
)  # fmt: skip
Read = tuple[Figure, list[tuple[tuple[str, ...], float]]]


def read(steps: Steps) -> Iterator[Read]:
    """Read every figure, each in a step of its own; one that takes longer than LONGEST is left out."""
    for figure in FIGURES:
        try:
            with steps() as session:
                found = _rows(session, figure)
        except psycopg.errors.QueryCanceled:
            continue
        yield figure, found


def _rows(session: Session, figure: Figure) -> list[tuple[tuple[str, ...], float]]:
    sql.run(session, f"SET LOCAL statement_timeout = '{LONGEST}'")
    return [(tuple(map(str, labels)), float(value)) for *labels, value in sql.rows(session, figure.statement)]
