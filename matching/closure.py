"""What stewards said, taken together: the closure of their matches, and where it contradicts a `no_match`.

A steward's match says that all records of both its sides are one customer; a `no_match` says that no record of one side is
the same customer as any of the other. Pure; weights, lines and clusters are `matching.cluster`'s.
"""

import math
from collections.abc import Container, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

R = TypeVar("R", bound=Hashable)


@dataclass(frozen=True, slots=True)
class StewardRule(Generic[R]):
    """A steward's decision about two sets of records. `decision_id` is only carried along, for citing.

    Raises: ValueError when a side is empty or the sides share a record.
    """

    left: frozenset[R]
    right: frozenset[R]
    verdict: Literal["match", "no_match"]
    decision_id: Hashable = None

    def __post_init__(self) -> None:
        if not self.left or not self.right or self.left & self.right:
            raise ValueError("a steward's decision needs two sides that are not empty and share no record")

    @property
    def records(self) -> frozenset[R]:
        return self.left | self.right


@dataclass(frozen=True, slots=True)
class Contested(Generic[R]):
    """A `no_match` that a chain of matches contradicts. `chain` holds every match on a shortest chain, all set aside."""

    no_match: StewardRule[R]
    chain: frozenset[StewardRule[R]]


@dataclass(frozen=True, slots=True)
class Settled(Generic[R]):
    """What stewards' decisions amount to: records that are one, pairs of sides held apart, and contradictions."""

    together: tuple[frozenset[R], ...]
    apart: tuple[StewardRule[R], ...]
    contested: tuple[Contested[R], ...]


def settle(rules: Iterable[StewardRule[R]], living: Container[R] | None = None) -> Settled[R]:
    """Close the matches over each other, the `no_match` winning where they contradict it.

    All matches on the shortest chains between the two sides of a contradicted `no_match` are set aside together, and again until
    nothing contradicts: no match is preferred to another by its age or its order, since which of them errs is a human's question.
    `living` limits each `no_match` to records that live (a deleted record contradicts nobody); a match keeps all its records, so
    that two records matched to a third stay one when the third is deleted. Records that no match names are in no set.
    """
    unique = set(rules)
    matches = {rule for rule in unique if rule.verdict == "match"}
    apart = _living_sides((rule for rule in unique if rule.verdict == "no_match"), living)
    contested: list[Contested[R]] = []
    while found := contradictions(matches, apart):
        contested.extend(found)
        matches -= {rule for one in found for rule in one.chain}
    return Settled(_closure(matches), tuple(apart), tuple(contested))


def contradictions(matches: Iterable[StewardRule[R]], no_matches: Iterable[StewardRule[R]]) -> tuple[Contested[R], ...]:
    """Name every `no_match` whose two sides the matches connect, with the matches on the shortest chains between them."""
    by_record: dict[R, list[StewardRule[R]]] = {}
    for match in matches:
        for record in match.records:
            by_record.setdefault(record, []).append(match)
    found = ((rule, _chain(rule, by_record)) for rule in no_matches)
    return tuple(Contested(rule, chain) for rule, chain in found if chain)


def _chain(rule: StewardRule[R], by_record: Mapping[R, list[StewardRule[R]]]) -> frozenset[StewardRule[R]]:
    """Find the matches on any shortest chain from the left side to the right side; none when the sides are not connected."""
    from_left = _distances(rule.left, by_record)
    length = min((from_left[record] for record in rule.right if record in from_left), default=0)
    if not length:
        return frozenset()
    from_right = _distances(rule.right, by_record)
    crossed = {match for record in from_left for match in by_record.get(record, ())}
    return frozenset(match for match in crossed if _nearest(match, from_left) + _nearest(match, from_right) + 1 == length)


def _nearest(match: StewardRule[R], distances: Mapping[R, int]) -> float:
    """Give the distance of a match, infinite where it is out of reach (what hangs on one side need not reach the other)."""
    return min((distances[record] for record in match.records if record in distances), default=math.inf)


def _distances(start: frozenset[R], by_record: Mapping[R, list[StewardRule[R]]]) -> dict[R, int]:
    """Count, for each record in reach, the fewest matches between it and the start. Breadth first; each match crossed once."""
    distances = dict.fromkeys(start, 0)
    layer, crossed, steps = set(start), set[StewardRule[R]](), 0
    while layer:
        steps += 1
        fresh = {match for record in layer for match in by_record.get(record, ())} - crossed
        crossed |= fresh
        layer = {record for match in fresh for record in match.records} - distances.keys()
        distances.update(dict.fromkeys(layer, steps))
    return distances


def _living_sides(rules: Iterable[StewardRule[R]], living: Container[R] | None) -> list[StewardRule[R]]:
    if living is None:
        return list(rules)
    sides = [
        (rule, frozenset(r for r in rule.left if r in living), frozenset(r for r in rule.right if r in living)) for rule in rules
    ]
    return [StewardRule(left, right, rule.verdict, rule.decision_id) for rule, left, right in sides if left and right]


def _closure(matches: Iterable[StewardRule[R]]) -> tuple[frozenset[R], ...]:
    together: dict[R, set[R]] = {}
    for match in matches:
        merged: set[R] = set(match.records).union(*(together[record] for record in match.records if record in together))
        together.update(dict.fromkeys(merged, merged))
    return tuple(frozenset(records) for records in {id(records): records for records in together.values()}.values())
