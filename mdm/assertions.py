"""Golden ids that a customer confirmed at a source ("is this you?" at the till), and the records they speak of.

Policy says for each source what an assertion counts: a match decides like an identifier of one person, unless a veto or a steward
says otherwise; a review is only compared with what resolution came to. Either way a contradiction is a question. Only reads.
"""

import uuid
from collections.abc import Collection, Sequence
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


def around(
    session: Session, record_ids: Collection[uuid.UUID], golden_ids: Collection[uuid.UUID], of: VersionSet
) -> list[Assertion]:
    """Read the assertions that the records make, and those about the golden ids.

    What names an id that was never issued here is left out: it says nothing about anybody.
    """
    found = sql.rows(
        session,
        """SELECT record_id, source, asserted_golden_id FROM standard_record
           WHERE asserted_golden_id IS NOT NULL AND record_id = ANY(%s)
           UNION SELECT record_id, source, asserted_golden_id FROM standard_record WHERE asserted_golden_id = ANY(%s)
           ORDER BY record_id""",
        [list(record_ids), list(golden_ids)],
    )
    meaning = {row[0]: of.asserted(row[1]) for row in found}
    counted = [(record_id, golden_id) for record_id, _, golden_id in found if meaning[record_id] is not AssertedMeaning.NOTHING]
    anchors = _anchors(session, counted)
    return [
        Assertion(record_id, meaning[record_id], golden_id, anchors[record_id])
        for record_id, golden_id in counted
        if record_id in anchors
    ]


def founded_by(session: Session, record_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Read the golden ids that the records founded."""
    return [
        row[0]
        for row in sql.rows(session, "SELECT DISTINCT golden_id FROM founder WHERE record_id = ANY(%s)", [list(record_ids)])
    ]


def _anchors(session: Session, said: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> dict[uuid.UUID, uuid.UUID | None]:
    """Find for each (record, golden id it names) the oldest other living founder; an id never issued here has no entry."""
    if not said:
        return {}
    found = sql.rows(
        session,
        """SELECT n.record_id, (
             SELECT f.record_id FROM founder f JOIN source_record r USING (record_id)
             WHERE f.golden_id = n.golden_id AND f.record_id <> n.record_id AND NOT r.is_deleted
             ORDER BY r.created_at, r.source, r.source_key LIMIT 1)
           FROM unnest(%s::uuid[], %s::uuid[]) AS n (record_id, golden_id) JOIN golden g USING (golden_id)""",
        [[record_id for record_id, _ in said], [golden_id for _, golden_id in said]],
    )
    return dict(found)
