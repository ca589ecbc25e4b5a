"""Golden ids that a customer confirmed at a source ("is this you?" at the till), and the records they speak of.

Policy says for each source what an assertion counts: a match decides like an identifier of one person, unless a veto or a steward
says otherwise; a review is only compared with what resolution came to. Either way a contradiction is a question. Only reads.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session

from mdm import sql
from mdm.policy_schema import AssertedMeaning
from mdm.versions import VersionSet


@dataclass(frozen=True, slots=True)
class Assertion:
    """A record's source says that the customer confirmed a golden id. `anchor` is the oldest living founder of that id."""

    record_id: uuid.UUID
    meaning: AssertedMeaning
    golden_id: uuid.UUID
    anchor: uuid.UUID | None


def around(session: Session, record_ids: Collection[uuid.UUID], of: VersionSet) -> list[Assertion]:
    """Read the assertions that the records make, and those about golden ids that they founded. One statement.

    What names an id that was never issued here is left out: it says nothing about anybody.
    """
    found = sql.rows(
        session,
        """WITH about AS (
             SELECT s.record_id, s.source, s.asserted_golden_id FROM standard_record s
             WHERE s.record_id = ANY(%(ids)s) AND s.asserted_golden_id IS NOT NULL
             UNION
             SELECT s.record_id, s.source, s.asserted_golden_id FROM founder f
             JOIN standard_record s ON s.asserted_golden_id = f.golden_id WHERE f.record_id = ANY(%(ids)s))
           SELECT about.record_id, about.source, g.golden_id, (
             SELECT f.record_id FROM founder f JOIN source_record r USING (record_id)
             WHERE f.golden_id = g.golden_id AND f.record_id <> about.record_id AND NOT r.is_deleted
             ORDER BY r.created_at, r.source, r.source_key LIMIT 1)
           FROM about JOIN golden g ON g.golden_id = about.asserted_golden_id
           ORDER BY about.record_id""",
        {"ids": list(record_ids)},
    )
    said = [Assertion(record_id, of.asserted(source), golden_id, anchor) for record_id, source, golden_id, anchor in found]
    return [one for one in said if one.meaning is not AssertedMeaning.NOTHING]
