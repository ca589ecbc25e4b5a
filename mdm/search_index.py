"""Keeps the terms by which golden records are searched, in the transaction of the standard record. Answers no search."""

import uuid
from collections.abc import Sequence

from sqlmodel import Session

from mdm import sql
from mdm.appraisal import SEPARATOR
from mdm.record_rows import StandardRow


def file_terms(session: Session, rows: Sequence[StandardRow], known: Sequence[uuid.UUID]) -> None:
    """Make the index hold exactly the terms of these records, and none of the `known` ones that are not among them.

    Only what differs is written. The caller holds the records' locks.
    """
    before = set(known)
    by_record = {(row.record_id, row.brand, row.region): list(row.said.terms) for row in rows if row.record_id not in before}
    wanted = {(row.record_id, term, row.brand, row.region) for row in rows if row.record_id in before for term in row.said.terms}
    held = _held(session, known)
    gone, new = held - wanted, wanted - held
    if gone:
        sql.run(
            session,
            """DELETE FROM search_term t USING unnest(%s::uuid[], %s::text[]) AS g (record_id, term)
               WHERE t.record_id = g.record_id AND t.term = g.term""",
            [[one[0] for one in gone], [one[1] for one in gone]],
        )
    for record_id, term, brand, region in new:
        by_record.setdefault((record_id, brand, region), []).append(term)
    if by_record:  # Not COPY, which tables with row-level security refuse.
        sql.run(
            session,
            """INSERT INTO search_term (term, record_id, brand, region)
               SELECT term, r.id, r.brand, r.region
               FROM unnest(%(ids)s::uuid[], %(brands)s::text[], %(regions)s::text[], %(terms)b::text[])
                   AS r (id, brand, region, terms),
                 string_to_array(r.terms, %(separator)s) AS a (terms), unnest(a.terms) AS term""",
            {
                "ids": sql.array([record_id for record_id, _, _ in by_record]),
                "brands": sql.array([brand for _, brand, _ in by_record]),
                "regions": sql.array([region for _, _, region in by_record]),
                "terms": [SEPARATOR.join(found) for found in by_record.values()],
                "separator": SEPARATOR,
            },
        )


def _held(session: Session, record_ids: Sequence[uuid.UUID]) -> set[tuple[uuid.UUID, str, str, str]]:
    if not record_ids:
        return set()
    statement = "SELECT record_id, term, brand, region FROM search_term WHERE record_id = ANY(%s)"
    return {(row[0], row[1], row[2], row[3]) for row in sql.rows(session, statement, [list(record_ids)])}
