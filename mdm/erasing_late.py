"""Deliveries of a person that came after their erasure was confirmed and before it was carried out: nobody was asked about them.

A moment later they would have been refused; these were stored already, so they are erased with the others. Only reads.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from mdm import erasing_traces, sql, suppression
from mdm.incoming import TOMBSTONE
from mdm.suppression import Hasher

Id = uuid.UUID
# Found by what the person's records are searched by: whole e-mail addresses, phone numbers, identifiers. Of what lives under no
# golden id yet nobody was asked, whenever it came.
_CAME = """
SELECT DISTINCT r.record_id, r.source, r.source_key FROM search_term mine
JOIN search_term o ON o.term = mine.term JOIN source_record r ON r.record_id = o.record_id
LEFT JOIN crosswalk c ON c.record_id = r.record_id
WHERE mine.record_id = ANY(%(ids)s) AND left(mine.term, 1) IN ('e', 'p', 'i') AND o.record_id <> ALL(%(ids)s)
  AND (r.record_id >= %(since)s OR c.golden_id IS NULL) AND NOT r.is_deleted AND r.rekeyed_to IS NULL
  AND r.source_key <> %(tombstone)s || r.record_id ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Late:
    """A record in which the person is recognised, who sent it, and by which kind of mark."""

    record_id: Id
    source: str
    kind: str


def find(
    session: Session, hasher: Hasher, rows: Sequence[Mapping[str, Any]], record_ids: Collection[Id], since: datetime
) -> list[Late]:
    """Find the records that came since a time and in which the person of these records is recognised.

    `rows`: what the person is recognised by, as the erasure ledger has it. The search terms of `record_ids` must be there still.
    """
    given = {"ids": list(record_ids), "since": _first_id(since), "tombstone": TOMBSTONE}
    came = {row[0]: (row[1], row[2]) for row in sql.rows(session, _CAME, given)}
    standard = erasing_traces.standard(session, list(came))
    marks = [hasher.marks(*came[one], standard.get(one)) for one in came]
    kinds = suppression.recognised_by(hasher, marks, [suppression.of_row(row) for row in rows])
    return [Late(one, came[one][0], kind) for one, kind in zip(came, kinds, strict=True) if kind is not None]


def _first_id(at: datetime) -> Id:
    """The least id that a record of that time may have: ids begin with their millisecond."""
    return Id(int=int(at.timestamp() * 1000) << 80)
