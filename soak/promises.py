"""P4 as SQL: what must hold of golden ids at any moment, over all ids that were ever seen anywhere."""

import uuid
from collections.abc import Collection

from kernel import db
from mdm import sql
from tests.resolution import query

MOST_SHOWN = 5
# Each finds what must not be; the parameter is a list of ids that somebody was once told.
CHECKS = {
    "an id is lost": """
        SELECT golden_id FROM (
          SELECT unnest(%(told)s::uuid[]) AS golden_id UNION SELECT golden_id FROM golden_version
          UNION SELECT golden_id FROM founder UNION SELECT subject_id FROM outbox WHERE type LIKE 'golden.%%'
          UNION SELECT subject_id FROM event WHERE type LIKE 'golden.%%'
          UNION SELECT golden_id FROM crosswalk WHERE golden_id IS NOT NULL) AS ever
        WHERE NOT EXISTS (SELECT FROM golden g WHERE g.golden_id = ever.golden_id)""",
    "a merged id does not lead to a living one in one step": """
        SELECT g.golden_id FROM golden g LEFT JOIN golden t ON t.golden_id = g.redirect_to
        WHERE g.status = 'merged' AND t.status IS DISTINCT FROM 'live'""",
    "an id that is not merged redirects": "SELECT golden_id FROM golden WHERE status <> 'merged' AND redirect_to IS NOT NULL",
    "a record lives under an id that does not live": """
        SELECT c.record_id FROM crosswalk c JOIN golden g USING (golden_id) WHERE g.status <> 'live'""",
    "an id lives without a record": """
        SELECT golden_id FROM golden g
        WHERE status = 'live' AND NOT EXISTS (SELECT FROM crosswalk c WHERE c.golden_id = g.golden_id)""",
    "an id was issued twice": """
        SELECT subject_id FROM (SELECT subject_id, type FROM outbox UNION ALL SELECT subject_id, type FROM event) AS told
        WHERE type = 'golden.created' GROUP BY 1 HAVING count(*) > 1
        UNION SELECT golden_id FROM golden_version WHERE version = 1 GROUP BY 1 HAVING count(*) > 1""",
    "versions of an id are not counted one by one": """
        SELECT golden_id FROM golden JOIN golden_version v USING (golden_id)
        GROUP BY golden_id, golden.version HAVING count(*) <> golden.version OR max(v.version) <> golden.version""",
    "an id was issued without founders": """
        SELECT golden_id FROM golden g WHERE NOT EXISTS (SELECT FROM founder f WHERE f.golden_id = g.golden_id)""",
    "a record has versions twice": """
        SELECT v.record_id FROM record_version v
        WHERE NOT EXISTS (SELECT FROM record_withdrawal w WHERE w.record_id = v.record_id AND w.job_id = v.job_id)
        GROUP BY v.record_id, v.source_version, v.payload_hash, v.is_deleted HAVING count(*) > 1""",
}


def broken(told: Collection[uuid.UUID]) -> list[str]:
    """Name the promises that do not hold, with some ids. `told`: ids that were seen before."""
    with db.read_only() as session:
        found = {what: sql.rows(session, statement, {"told": list(told)}) for what, statement in CHECKS.items()}
    return [f"{what}: {len(rows)}, as {[str(row[0]) for row in rows[:MOST_SHOWN]]}" for what, rows in found.items() if rows]


def ids() -> set[uuid.UUID]:
    """All golden ids that there are."""
    return {row[0] for row in query("SELECT golden_id FROM golden")}
