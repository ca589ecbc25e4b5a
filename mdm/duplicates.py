"""Groups of a source's own records that live under one golden id: its duplicates, page by page, within the session's row scope.

Of each group the record that the source may best keep is proposed. What is known of its pairs is read past the row scope, which
knows no decisions, and of no other records than those. Only reads.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

from sqlmodel import Session

from mdm import sql

MOST_KEYS, MOST_PAIRS = 100, 20
KEPT_FOR = ("most_complete", "latest", "first_key")


@dataclass(frozen=True, slots=True)
class OneOf:
    """A record of a group: how much it says, when that was observed, and its accounts by programme and number."""

    record_id: uuid.UUID
    key: str
    attributes: int
    observed_at: datetime
    loyalty_accounts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PairOf:
    """What the log says of two records of a group."""

    keys: tuple[str, str]
    verdict: str
    weight: float | None
    reason_code: str


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one source under one golden id, the proposed survivor first, by key otherwise.

    `kept_for`: what tells the survivor from the others. `keys`: how many there are; at most MOST_KEYS are told, the survivor of
    all among them.
    """

    golden_id: uuid.UUID
    keys: int
    records: tuple[OneOf, ...]
    kept_for: str


@dataclass(frozen=True, slots=True)
class Page:
    """Groups in the order of their golden ids; `following`: the id after which the next page begins, None at the end."""

    groups: tuple[Group, ...]
    following: uuid.UUID | None


# The index of the crosswalk by golden id gives the groups in their order and stops when a page is full.
_GROUPS = """
SELECT c.golden_id, count(*), (array_agg(c.record_id ORDER BY c.source_key))[:%(most)s]
FROM crosswalk c WHERE c.source = %(source)s AND c.golden_id > %(after)s AND c.state <> 'deleted'
GROUP BY c.golden_id HAVING count(*) > 1 ORDER BY c.golden_id LIMIT %(limit)s"""
# One record at a time: under row-level security the planner would read all of a table for one brand.
_RECORDS = """
SELECT one.* FROM unnest(%s::uuid[]) AS asked (id) CROSS JOIN LATERAL (
  SELECT s.record_id, s.source_key, s.observed_at, s.body FROM standard_record s WHERE s.record_id = asked.id LIMIT 1) AS one"""
# Of a group with more keys than are told, the two that would be kept first. Keys are compared by their code points, as here.
_FIRST_OF_ALL = """
SELECT asked.golden_id, best.record_id FROM unnest(%(ids)s::uuid[]) AS asked (golden_id) CROSS JOIN LATERAL (
  SELECT c.record_id FROM crosswalk c CROSS JOIN LATERAL (
    SELECT s.source_key, s.observed_at, s.body FROM standard_record s WHERE s.record_id = c.record_id LIMIT 1) AS s
  WHERE c.golden_id = asked.golden_id AND c.source = %(source)s AND c.state <> 'deleted'
  ORDER BY (SELECT count(*) FROM jsonb_object_keys(s.body) AS name WHERE name <> ALL(%(left_out)s)) DESC, s.observed_at DESC,
    s.source_key COLLATE "C" LIMIT 2) AS best"""
_PAIRS = """
SELECT record_a, record_b, verdict, weight, reason_code FROM unnest(%s::uuid[], %s::uuid[]) AS asked (a, b)
CROSS JOIN LATERAL (SELECT d.record_a, d.record_b, d.verdict, d.weight, d.reason_code FROM decision d
  WHERE d.superseded_at IS NULL AND d.author = 'model' AND d.record_a = asked.a AND d.record_b = asked.b OFFSET 0) AS live"""
_NO_ATTRIBUTES = frozenset({"notes", "consents", "asserted_golden_id"})


def read(session: Session, source: str, after: uuid.UUID | None, limit: int) -> Page:
    """Read a page of a source's duplicates. Costs as the records between the first and the last golden id of the page."""
    asked = {"source": source, "after": after or uuid.UUID(int=0), "limit": limit + 1, "most": MOST_KEYS}
    rows = sql.rows(session, _GROUPS, asked)
    shown = rows[:limit]
    first = _first_of_all(session, source, [row[0] for row in shown if row[1] > MOST_KEYS])
    members = [(*row[:2], [*dict.fromkeys((*first.get(row[0], ()), *row[2]))]) for row in shown]
    records = _records(session, [record_id for _, _, ids in members for record_id in ids])
    groups = ((golden_id, keys, [records[one] for one in ids if one in records]) for golden_id, keys, ids in members)
    # Records may be deleted between the two statements: what then has one left, or none, is no group.
    told = tuple(_group(golden_id, keys, members) for golden_id, keys, members in groups if len(members) > 1)
    return Page(told, shown[-1][0] if len(rows) > limit else None)


def _first_of_all(session: Session, source: str, golden_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Of groups that are too large to be told whole, the first two of all their records, by golden id."""
    first: dict[uuid.UUID, list[uuid.UUID]] = {}
    asked = {"ids": list(golden_ids), "source": source, "left_out": sorted(_NO_ATTRIBUTES)}
    for golden_id, record_id in sql.rows(session, _FIRST_OF_ALL, asked) if golden_ids else ():
        first.setdefault(golden_id, []).append(record_id)
    return first


def _records(session: Session, record_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, OneOf]:
    found = sql.rows(session, _RECORDS, [list(record_ids)])
    return {row[0]: _one_of(*row) for row in found}


def _one_of(record_id: uuid.UUID, key: str, observed_at: datetime, body: dict[str, Any]) -> OneOf:
    accounts = tuple((one.get("programme", ""), one.get("number", "")) for one in body.get("loyalty_accounts", ()))
    return OneOf(record_id, key, len(body.keys() - _NO_ATTRIBUTES), observed_at, accounts)


def _group(golden_id: uuid.UUID, keys: int, members: Sequence[OneOf]) -> Group:
    ranked = sorted(members, key=lambda one: (-one.attributes, -one.observed_at.timestamp(), one.key))
    rest = sorted(ranked[1:], key=lambda one: one.key)[: MOST_KEYS - 1]
    return Group(golden_id, keys, (*ranked[:1], *rest), _kept_for(ranked))


def _kept_for(ranked: Sequence[OneOf]) -> str:
    first, second = ranked[:2]
    told = (first.attributes != second.attributes, first.observed_at != second.observed_at, True)
    return next(name for name, tells in zip(KEPT_FOR, told, strict=True) if tells)


def evidence(session: Session, page: Page) -> dict[uuid.UUID, tuple[PairOf, ...]]:
    """Read what the log says of the pairs of each group, by golden id, the surest first, at most MOST_PAIRS of a group.

    Two of a group may have none: they hang together by others, or by a steward's word. One statement.
    """
    of = {one.record_id: (group.golden_id, one.key) for group in page.groups for one in group.records}
    asked = [sorted((a.record_id, b.record_id)) for group in page.groups for a, b in combinations(group.records, 2)]
    found = sql.rows(session, _PAIRS, [[a for a, _ in asked], [b for _, b in asked]])
    pairs: dict[uuid.UUID, list[PairOf]] = {}
    for a, b, verdict, weight, reason in found:
        pairs.setdefault(of[a][0], []).append(PairOf((of[a][1], of[b][1]), verdict, weight, reason))
    surest = {golden_id: sorted(held, key=lambda one: (-(one.weight or 0), one.keys)) for golden_id, held in pairs.items()}
    return {golden_id: tuple(held[:MOST_PAIRS]) for golden_id, held in surest.items()}
