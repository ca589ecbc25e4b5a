"""Reads what hangs on questions: the activities of their records, and the loyalty accounts of their golden records."""

from collections.abc import Sequence

from sqlmodel import Session

from mdm import sql
from mdm.questions import Question
from stewardship.priority import Stake

_READ = """
SELECT n.place, count(a.*), coalesce(max(g.accounts), 0)
FROM unnest(%s::int[], %s::uuid[]) AS n (place, record_id) JOIN crosswalk c USING (record_id)
LEFT JOIN activity a ON a.source = c.source AND a.record_key = c.source_key AND a.occurred_at > now() - interval '2 years'
LEFT JOIN LATERAL (
  SELECT jsonb_array_length(coalesce(body #> '{values,loyalty_accounts,value}', '[]')) AS accounts FROM golden
  WHERE golden_id = c.golden_id) AS g ON true
GROUP BY 1
"""


def read(session: Session, questions: Sequence[Question]) -> list[Stake]:
    """Read what hangs on each question, in their order. One statement."""
    asked = [(place, record_id) for place, one in enumerate(questions) for record_id in one.record_ids]
    found = sql.rows(session, _READ, [[place for place, _ in asked], [record_id for _, record_id in asked]])
    stakes = {place: Stake(activities, accounts) for place, activities, accounts in found}
    return [stakes.get(place, Stake()) for place in range(len(questions))]
