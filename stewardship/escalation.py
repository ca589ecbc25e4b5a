"""Tasks whose time has passed: told of once, moved up once. A task that is overdue and put off is overdue all the same.

Its place in the queue was fixed when it opened; being overdue doubles it, and the task says so.
"""

from sqlmodel import Session

from kernel import clock, log, outbox
from mdm import sql
from stewardship import notes, priority, tasks

MOST_AT_ONCE = 500
FACTOR = 2.0
logger = log.get_logger()


def sweep(session: Session) -> int:
    """Escalate the tasks that became overdue; how many. Several may sweep at once."""
    found = sql.rows(
        session,
        """WITH due AS (
             SELECT task_id FROM task WHERE state = 'open' AND escalated_at IS NULL AND due_at < %(now)s
             ORDER BY due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED)
           UPDATE task t SET escalated_at = %(now)s, priority = least(%(urgent)s, t.priority * %(factor)s),
             priority_parts = t.priority_parts || jsonb_build_object('overdue', %(factor)s)
           FROM due WHERE t.task_id = due.task_id
           RETURNING t.task_id, t.kind, t.golden_ids, t.brands, t.regions, t.reason_code""",
        {"now": clock.now(), "most": MOST_AT_ONCE, "urgent": priority.MOST_URGENT, "factor": FACTOR},
    )
    if found:
        notes.append(session, [row[0] for row in found], notes.Act.ESCALATED, notes.SERVICE)
        outbox.emit_all(session, [tasks.event("task.overdue", tasks.OVERDUE_VERSION, row) for row in found])
        logger.info("tasks_overdue", tasks=len(found))
    return len(found)
