"""Lets go of attributes whose time is over: `kept_days` of them or of what they serve, since the customer was last heard of.

Heard of is a record of theirs that came or changed, or an activity. Noted by record and attribute, so that it is done once, and
again for what comes later. Some records a step; killed anywhere, the next goes on.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from kernel import audit, clock
from mdm import kept_days, letting_go, sql
from mdm import policy as policies
from mdm.steps import Steps, insist
from stewardship.privacy_erasure import ACTOR

STEP_RECORDS = 200
_HEARD = "coalesce({0}.source_updated_at, {0}.received_at) >= {1}"
# The records that are one customer with it (of a deleted or unresolved one: itself), with the keys that they gave up. Each
# look-up descends an index by itself (OFFSET 0).
_THEIRS = """
(SELECT c.record_id AS id UNION SELECT record_id FROM crosswalk WHERE golden_id = c.golden_id OFFSET 0) AS o
CROSS JOIN LATERAL (SELECT * FROM source_record WHERE record_id = o.id
  UNION ALL SELECT * FROM source_record WHERE rekeyed_to = o.id OFFSET 0) AS h"""
# What somebody has asked about is kept until that is closed, a legal hold above all; and what is kept for its owner unused
# (GDPR, Article 18) until that is lifted.
SPOKEN_FOR = """(EXISTS (SELECT FROM privacy_member m JOIN privacy_request q USING (request_id)
    WHERE m.record_id = r.record_id AND q.state IN ('open', 'confirmed'))
  OR EXISTS (SELECT FROM restriction x WHERE x.record_id = r.record_id))"""


def unheard(before: str) -> str:
    """The condition that nothing was heard of the customer of a record (`r`, in the crosswalk as `c`) since a time."""
    mine, theirs = _HEARD.format("r", before), _HEARD.format("h", before)
    return f"""NOT {mine} AND NOT EXISTS (SELECT FROM {_THEIRS} WHERE {theirs} OR EXISTS (
      SELECT FROM activity a WHERE a.source = h.source AND a.record_key = h.source_key AND a.occurred_at >= {before}))"""


_DUE = f"""
FROM source_record r JOIN crosswalk c USING (record_id)
WHERE {unheard("%(before)s")} AND NOT {SPOKEN_FOR}
  AND NOT EXISTS (SELECT FROM value_release v WHERE v.record_id = r.record_id AND v.attribute = %(attribute)s
    AND v.released_at >= r.received_at)
  AND EXISTS (SELECT FROM record_data_key k WHERE k.record_id = r.record_id)"""
# Behind what this run has done already, which would else be walked past at each step.
_NEXT = f"""SELECT r.record_id, r.source, r.source_key {_DUE} AND (r.source, r.source_key) > (%(source)s, %(key)s)
  ORDER BY r.source, r.source_key LIMIT {STEP_RECORDS} FOR UPDATE OF r"""
Key = tuple[str, str]
FIRST: Key = ("", "")
_NOTE = """
INSERT INTO value_release (record_id, attribute, released_at) SELECT r, %s, %s FROM unnest(%s::uuid[]) AS r
ON CONFLICT (record_id, attribute) DO UPDATE SET released_at = EXCLUDED.released_at"""


def rules(session: Session) -> Iterator[tuple[str, datetime]]:
    """Each attribute that is let go of, and since when nothing must have been heard of a customer."""
    now, policy = clock.now(), policies.current(session)
    for attribute, use in sorted(policy.attributes.items()):
        if (kept := kept_days.days(policy, use)) is not None:
            yield attribute, now - timedelta(days=kept)


def due(session: Session) -> dict[str, int]:
    """Count the records whose attributes are due, by attribute, whether or not they say anything of it. Changes nothing."""
    counted = {
        attribute: sql.rows(session, f"SELECT count(*) {_DUE}", {"attribute": attribute, "before": before})[0][0]
        for attribute, before in rules(session)
    }
    return {attribute: number for attribute, number in counted.items() if number}


def run(steps: Steps) -> dict[str, int]:
    """Let go of all that is due; of how many records, by attribute. Each step may be done again."""
    with steps() as session:
        found = list(rules(session))
    gone: dict[str, int] = {}
    for attribute, before in found:
        reached = FIRST
        while done := insist(steps, partial(_step, attribute=attribute, before=before, reached=reached)):
            number, reached = done
            gone[attribute] = gone.get(attribute, 0) + number
    return gone


def _step(session: Session, attribute: str, before: datetime, reached: Key) -> tuple[int, Key] | None:
    """Do some records behind a key, in the order of keys; how many and up to which, None when there are no more."""
    params = {"attribute": attribute, "before": before, "source": reached[0], "key": reached[1]}
    chosen = sql.rows(session, _NEXT, params)
    ids: list[uuid.UUID] = [row[0] for row in chosen]
    if not ids:
        return None
    held = letting_go.let_go(session, policies.current(session), ids, attribute, before)
    sql.run(session, _NOTE, [attribute, clock.now(), ids])
    detail = {"records": len(ids), "attribute": attribute, "held_still": held}
    audit.record(session, ACTOR, "privacy.value_released", "record", "", detail=detail)
    return len(ids), (chosen[-1][1], chosen[-1][2])
