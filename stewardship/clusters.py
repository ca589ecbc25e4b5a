"""How the records of a task hang together: what was decided between them, by whom, and which link is the weakest. Only reads.

Shown are the links that hold the records together (a strongest spanning forest), every word of a steward, and what speaks most
against; how many pairs more were decided is counted.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from matching.decide import VETOES, Verdict
from matching.union import Union
from mdm import sql

Id = uuid.UUID
MOST_NODES = 200
MOST_AGAINST, MOST_STEWARDS = 20, 40


class Tie(StrEnum):
    """What a link says: one customer, in doubt (also below the line from which is asked), or that a veto tells them apart."""

    MATCH = "match"
    REVIEW = "review"
    AGAINST = "against"


@dataclass(frozen=True, slots=True)
class Node:
    """A record of the task, by its place from 1; `customer` counts the golden records that it and the others live under."""

    place: int
    record_id: Id
    source: str
    key: str
    golden_id: Id | None
    customer: int


@dataclass(frozen=True, slots=True)
class Link:
    """What was decided between two records, or by a steward between two sides of which the first record each is named.

    `weight` in bits, None for a steward; `others`: how many records more the two sides hold.
    """

    one: Node
    other: Node
    tie: Tie
    weight: float | None
    author: str | None = None
    decision_id: Id | None = None
    reason: str | None = None
    decided_at: datetime | None = None
    others: int = 0

    @property
    def is_steward(self) -> bool:
        """Whether a human, or a source, said it."""
        return self.weight is None


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the page of a task draws and tells. `apart`: the records on the smaller side of the weakest link, were it cut."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    weakest: Link | None
    apart: tuple[Node, ...]
    more_nodes: int
    more_pairs: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The model's word about two records, by their places in the list of nodes."""

    one: int
    other: int
    weight: float
    tie: Tie


def read(session: Session, nodes: Sequence[Node], records: int) -> Cluster:
    """Read how records hang together that the caller may see (`nodes_of`), past the row scope; `records`: how many there are."""
    place = {one.record_id: at for at, one in enumerate(nodes)}
    said = _stewards(session, nodes, place)
    pairs = _pairs(session, place)
    held = forest(pairs, [(one.one.place - 1, one.other.place - 1) for one in said if one.tie is Tie.MATCH])
    against = sorted((one for one in pairs if one.tie is Tie.AGAINST), key=lambda one: (-one.weight, one.one, one.other))
    drawn = [*held, *against[:MOST_AGAINST]]
    links = {one: Link(nodes[one.one], nodes[one.other], one.tie, one.weight) for one in drawn}
    weakest = min(held, key=lambda one: (one.weight, one.one, one.other), default=None)
    apart = _cut(len(nodes), held, said, weakest) if weakest else ()
    return Cluster(
        tuple(nodes),
        (*said, *links.values()),
        links[weakest] if weakest else None,
        tuple(nodes[at] for at in apart),
        records - len(nodes),
        len(pairs) - len(drawn),
    )


def forest(pairs: Iterable[Pair], joined: Iterable[tuple[int, int]] = ()) -> list[Pair]:
    """Pick the strongest links that hold all together that hangs together, the strongest first (Kruskal). Pure.

    `joined` are together already, by a steward's word; what speaks against holds nothing.
    """
    union = Union[int]()
    for one, other in joined:
        union.join(one, other)
    held = []
    for pair in sorted((one for one in pairs if one.tie is not Tie.AGAINST), key=lambda one: (-one.weight, one.one, one.other)):
        if union.first(pair.one) != union.first(pair.other):
            union.join(pair.one, pair.other)
            held.append(pair)
    return held


def _cut(count: int, held: Sequence[Pair], said: Sequence[Link], weakest: Pair) -> tuple[int, ...]:
    """Name who would stand apart without the weakest link: the smaller side."""
    union = Union[int]()
    for one, other in [(pair.one, pair.other) for pair in held if pair is not weakest] + [
        (link.one.place - 1, link.other.place - 1) for link in said if link.tie is Tie.MATCH
    ]:
        union.join(one, other)
    one_side, other_side = (
        [at for at in range(count) if union.first(at) == union.first(end)] for end in (weakest.one, weakest.other)
    )
    return tuple(one_side if len(one_side) <= len(other_side) else other_side)


_NODES = """
SELECT record_id, source, source_key, golden_id FROM crosswalk WHERE record_id = ANY(%s)
ORDER BY golden_id, source, source_key LIMIT %s
"""
# OFFSET 0 as in mdm.decisions: each record descends the index by itself. Places, not ids: there may be 19,900 pairs.
_PAIRS = """
WITH named AS MATERIALIZED (SELECT record_id, place - 1 AS place FROM unnest(%s::uuid[]) WITH ORDINALITY AS n (record_id, place))
SELECT least(a.place, b.place), greatest(a.place, b.place), live.weight, live.verdict, live.reason_code
FROM named a CROSS JOIN LATERAL (
  SELECT record_b, weight, verdict, reason_code, version_set_id FROM decision
  WHERE superseded_at IS NULL AND author = 'model' AND record_a = a.record_id OFFSET 0) AS live
JOIN named b ON b.record_id = live.record_b ORDER BY live.version_set_id
"""
_STEWARDS = """
SELECT decision_id, verdict, left_records, right_records, author, reason, created_at FROM decision
WHERE superseded_at IS NULL AND record_a IS NULL AND reason_code <> 'override'
  AND (left_records && %(ids)s::uuid[] OR right_records && %(ids)s::uuid[])
ORDER BY decision_id DESC
"""


def nodes_of(session: Session, record_ids: Collection[Id]) -> list[Node]:
    """Read records within the caller's row scope, those of one customer together; of more than MOST_NODES the first."""
    found = sql.rows(session, _NODES, [list(record_ids), MOST_NODES])
    customers: dict[Id | None, int] = {}
    return [
        Node(place, record_id, source, key, golden_id, customers.setdefault(golden_id, len(customers)))
        for place, (record_id, source, key, golden_id) in enumerate(found, 1)
    ]


def _pairs(session: Session, place: dict[Id, int]) -> list[Pair]:
    """Read what the model says of each pair of the records, under the newest version set that says something."""
    found = sql.rows(session, _PAIRS, [list(place)])
    said = {(one, other): (weight, verdict, reason_code) for one, other, weight, verdict, reason_code in found}
    return [Pair(*ends, weight, _tie(verdict, code)) for ends, (weight, verdict, code) in said.items()]


def _tie(verdict: str, reason_code: str) -> Tie:
    if reason_code in VETOES:
        return Tie.AGAINST
    return Tie.MATCH if verdict == Verdict.MATCH else Tie.REVIEW


def _stewards(session: Session, nodes: Sequence[Node], place: dict[Id, int]) -> list[Link]:
    """Read what stewards and sources said between the records, the latest first; without their words where they speak of more."""
    links: list[Link] = []
    for decision_id, verdict, left, right, author, reason, at in sql.rows(session, _STEWARDS, {"ids": list(place)}):
        sides = [sorted(place[one] for one in side if one in place) for side in (left, right)]
        if all(sides) and len(links) < MOST_STEWARDS:
            one, other = (nodes[side[0]] for side in sides)
            tie, others = Tie.MATCH if verdict == Verdict.MATCH else Tie.AGAINST, len(left) + len(right) - 2
            words = reason if place.keys() >= {*left, *right} else None
            links.append(Link(one, other, tie, None, author, decision_id, words, at, others))
    return links
