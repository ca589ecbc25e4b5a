"""Golden ids that a customer confirmed at a source ("is this you?" at the till).

Policy says for each source what an assertion counts: a match decides like an identifier of one person, unless a veto or a steward
says otherwise; a review is only compared with what resolution came to. Either way a contradiction is a question. Only reads;
whom a confirmed id speaks of is said by `mdm.confirmed`.
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
    """A record's source says that the customer confirmed a golden id."""

    record_id: uuid.UUID
    meaning: AssertedMeaning
    golden_id: uuid.UUID


def around(
    session: Session, record_ids: Collection[uuid.UUID], golden_ids: Collection[uuid.UUID], of: VersionSet
) -> list[Assertion]:
    """Read the assertions that the records make, and those about the golden ids.

    What names an id that was never issued here is left out: it says nothing about anybody.
    """
    found = sql.rows(
        session,
        """WITH said AS (
             SELECT record_id, source, asserted_golden_id AS golden_id FROM standard_record
             WHERE asserted_golden_id IS NOT NULL AND record_id = ANY(%s)
             UNION SELECT record_id, source, asserted_golden_id FROM standard_record WHERE asserted_golden_id = ANY(%s))
           SELECT record_id, source, golden_id FROM said JOIN golden USING (golden_id) ORDER BY record_id""",
        [list(record_ids), list(golden_ids)],
    )
    said = (Assertion(record_id, of.asserted(source), golden_id) for record_id, source, golden_id in found)
    return [one for one in said if one.meaning is not AssertedMeaning.NOTHING]
