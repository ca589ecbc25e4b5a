"""Whose data a request is about: the records of a golden record, each with what ties it to the others, and who is left out.

A record is certain when it matches the anchor directly and nothing speaks against it. Any other needs a yes or a no: a false
merge would disclose or erase somebody else's data. Ids and numbers only. Others who share a contact point are counted, not named.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from kernel.errors import Invalid
from mdm import history, lookup, sql
from mdm.decisions import MODEL
from mdm.decisions import read as decisions_about

Id = uuid.UUID
ANCHOR, MATCHED, STEWARD, INDIRECT, FORMER = "anchor", "matched", "steward", "indirect", "former"


@dataclass(frozen=True, slots=True)
class Member:
    """One record: what ties it to the anchor, the weight in bits where the model weighed the two, what speaks against it."""

    record_id: Id
    tie: str
    weight: float | None = None
    against: int = 0

    @property
    def is_certain(self) -> bool:
        """Whether nobody needs to look at it."""
        return self.tie == ANCHOR or (self.tie == MATCHED and not self.against)

    def evidence(self) -> dict[str, Any]:
        """As JSON."""
        return {"tie": self.tie, "weight": self.weight, "against": self.against}


@dataclass(frozen=True, slots=True)
class Person:
    """A golden record as a request sees it. `brands` and `regions` are also those of records that lived under it."""

    golden_id: Id
    status: str
    brands: tuple[str, ...]
    regions: tuple[str, ...]
    members: tuple[Member, ...]


def read(session: Session, golden_id: Id, anchor: Id | None = None) -> Person:
    """Read the golden record that an id leads to, and its records. `anchor`: the record by which the person was identified.

    Raises: NotFound for an id that was never issued; Gone for one that was erased; Invalid for an anchor that is none of it.
    """
    found = sql.rows(
        session,
        """SELECT live.golden_id, live.status, live.brands, live.regions FROM golden g
           JOIN golden live ON live.golden_id = coalesce(g.redirect_to, g.golden_id) WHERE g.golden_id = %s""",
        [golden_id],
    )
    if not found:
        raise lookup.unknown(golden_id, history.timeline(session))
    live_id, status, brands, regions = found[0]
    if status == "erased":
        raise lookup.erased(golden_id, history.timeline(session))
    living = [row[0] for row in sql.rows(session, _LIVING, [live_id])]
    former = [row[0] for row in sql.rows(session, _FORMER, [live_id, live_id])]
    if anchor is not None and anchor not in {*living, *former}:
        raise Invalid("The anchor is no record of this golden record", code="not_a_member")
    where = sql.rows(session, "SELECT DISTINCT brand, region FROM source_record WHERE record_id = ANY(%s)", [former])
    brands, regions = ({*known, *(row[side] for row in where)} for side, known in enumerate((brands, regions)))
    members = tuple(_members(session, living, former, anchor))
    return Person(live_id, status, tuple(sorted(brands)), tuple(sorted(regions)), members)


_LIVING = """
SELECT c.record_id FROM crosswalk c JOIN source_record r USING (record_id) WHERE c.golden_id = %s
ORDER BY r.created_at, r.source, r.source_key"""
# Deleted records that lived under it, or under an id that leads to it, when they were last anywhere.
_FORMER = """
SELECT c.record_id FROM crosswalk c CROSS JOIN LATERAL (
  SELECT golden_id FROM crosswalk_version v WHERE v.record_id = c.record_id AND v.golden_id IS NOT NULL
  ORDER BY since DESC LIMIT 1) AS last
JOIN golden g ON g.golden_id = last.golden_id
WHERE c.golden_id IS NULL AND c.record_id IN (
  SELECT record_id FROM crosswalk_version WHERE golden_id = %s
  UNION SELECT v.record_id FROM crosswalk_version v JOIN golden m ON m.golden_id = v.golden_id WHERE m.redirect_to = %s)
ORDER BY c.record_id"""


def _members(session: Session, living: Sequence[Id], former: Sequence[Id], anchor: Id | None) -> list[Member]:
    pairs, spoken = _said(session, living)
    chosen = anchor or _anchor(living, pairs) or next(iter(former), None)
    members = [_member(one, chosen, pairs, spoken) for one in living]
    # Of whoever has nothing left but one deleted record, that one is theirs.
    return [*members, *(Member(one, ANCHOR if one == chosen else FORMER) for one in former)]


Pairs = Mapping[frozenset[Id], tuple[str, float]]


def _said(session: Session, record_ids: Sequence[Id]) -> tuple[Pairs, Collection[Id]]:
    """Read the model's verdicts about pairs of the records, and which of them stewards' matches speak of."""
    pairs: dict[frozenset[Id], tuple[str, float]] = {}
    spoken: set[Id] = set()
    for one in decisions_about(session, record_ids):
        if one.author == MODEL and one.record_a and one.record_b:
            pairs[frozenset((one.record_a, one.record_b))] = (one.verdict, one.weight or 0.0)
        elif one.verdict == "match" and one.reason_code != "override":
            spoken |= {*one.left_records, *one.right_records}
    return pairs, spoken


def _anchor(living: Sequence[Id], pairs: Pairs) -> Id | None:
    """The record that matches most others; of several the oldest."""
    degree = {one: sum(verdict == "match" for pair, (verdict, _) in pairs.items() if one in pair) for one in living}
    return max(living, key=lambda one: degree[one], default=None)


def _member(record_id: Id, anchor: Id | None, pairs: Pairs, spoken: Collection[Id]) -> Member:
    if record_id == anchor or anchor is None:
        return Member(record_id, ANCHOR)
    against = sum(verdict != "match" for pair, (verdict, _) in pairs.items() if record_id in pair)
    verdict, weight = pairs.get(frozenset((record_id, anchor)), ("", None))
    tie = MATCHED if verdict == "match" else STEWARD if record_id in spoken else INDIRECT
    return Member(record_id, tie, weight, against)


def withheld(session: Session, record_ids: Collection[Id], golden_ids: Collection[Id]) -> int:
    """Count the other golden records that share an e-mail address or phone number with some records."""
    found = sql.rows(
        session,
        """SELECT count(DISTINCT c.golden_id) FROM search_term mine
           JOIN search_term other ON other.term = mine.term AND other.record_id <> ALL(%(ids)s)
           JOIN crosswalk c ON c.record_id = other.record_id AND c.golden_id <> ALL(%(goldens)s)
           WHERE mine.record_id = ANY(%(ids)s) AND left(mine.term, 1) IN ('e', 'p')""",
        {"ids": list(record_ids), "goldens": list(golden_ids)},
    )
    return int(found[0][0])
