"""Gather the members of a component into units for the board: copies together, what stewards and vetoes say as flags.

A unit is what nothing distinguishes but its order key, so that a record sent a thousand times costs as much as one. Pure; the
joining is `matching.board`'s, the outcome `matching.cluster`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Generic, NamedTuple

from matching.board import AGAINST, ASKS, BY_PLACE, DECIDED, GRID_STEPS_PER_BIT, PERSONAL, STEWARD, TOLD_APART, VETO, Board, grid
from matching.closure import R, Settled
from matching.model import Lines

OrderKey = tuple[str, str]
# The bar of a member that nobody may join without a human; all others bar only those who bear the same.
ALONE = 1


class Evidence(NamedTuple):
    """What one pair of standard forms says: its match weight in bits, and what `matching.decide` found.

    `decided`: they share an identifier that is one_person_per_value, and that few enough people hold (`matching.evidence`).
    `against`: names or birth dates speak against one person, so that no weight joins them without a human. `by_place`: what is
    personal is a name at a place, and no more than that; `told_apart`: both have contacts, and none in common.
    """

    weight: float
    personal: bool = False
    veto: bool = False
    decided: bool = False
    against: bool = False
    by_place: bool = False
    told_apart: bool = False


# One entry per unordered pair of distinct forms (keyed by `weight_key`), and one per form that two or more members share: its
# evidence with itself.
Weights = Mapping[tuple[bytes, bytes], Evidence]


class MissingWeight(ValueError):
    """A pair that the partition needs was not scored, or its weight is not finite: an error of the caller."""


def weight_key(form_a: bytes, form_b: bytes) -> tuple[bytes, bytes]:
    """Give the key of a pair of forms in `Weights`: the two hashes in order."""
    return (form_a, form_b) if form_a <= form_b else (form_b, form_a)


@dataclass(frozen=True, slots=True)
class Member(Generic[R]):
    """A record of the component. `order_key` is (source, source_key), unique. `asks`: its source is in stage review, so that
    no union with it is automatic. `bars`: a bit for each thing known of it that bars automatic unions with whoever bears the
    same bit, or with anybody (ALONE)."""

    record: R
    order_key: OrderKey
    form_hash: bytes
    asks: bool = False
    bars: int = 0


def barred(ours: int, theirs: int) -> bool:
    """Say whether members or units of these bars may join only by a human."""
    return bool(ours & theirs or (ours | theirs) & ALONE)


@dataclass(frozen=True, slots=True)
class Unit(Generic[R]):
    """Members that nothing distinguishes but their order key: of one form, in one closure of steward's matches (-1: in none), on
    the same sides of the same `no_match` decisions, with the same bars. `loose`: copies whose form alone would not join them
    automatically."""

    members: tuple[Member[R], ...]
    closure: int
    sides: frozenset[tuple[int, bool]]
    loose: bool = False

    @property
    def form(self) -> bytes:
        return self.members[0].form_hash

    @property
    def asks(self) -> bool:
        return self.members[0].asks

    @property
    def bars(self) -> int:
        """Those of its members; of loose copies that bar each other, nobody is joined by whoever fits them all."""
        own = self.members[0].bars
        return own | ALONE if own and self.loose else own

    @property
    def records(self) -> frozenset[R]:
        return frozenset(member.record for member in self.members)

    @property
    def singles(self) -> tuple[frozenset[R], ...]:
        return tuple(frozenset((member.record,)) for member in self.members)


def in_order(members: Iterable[Member[R]]) -> list[Member[R]]:
    """Sort the members by order key. Raises: ValueError when a record or an order key repeats."""
    ordered = sorted(members, key=lambda member: member.order_key)
    if len({m.record for m in ordered}) < len(ordered) or len({m.order_key for m in ordered}) < len(ordered):
        raise ValueError("a record or an order key stands twice among the members")
    return ordered


def closure_numbers(settled: Settled[R]) -> dict[R, int]:
    """Number the closures of steward's matches; records in none are left out."""
    return {record: number for number, records in enumerate(settled.together) for record in records}


def _sides(settled: Settled[R]) -> dict[R, frozenset[tuple[int, bool]]]:
    """Say for each record on which side of which `no_match` it stands."""
    sides: dict[R, set[tuple[int, bool]]] = {}
    for number, rule in enumerate(settled.apart):
        for record in rule.records:
            sides.setdefault(record, set()).add((number, record in rule.left))
    return {record: frozenset(found) for record, found in sides.items()}


def gather(ordered: list[Member[R]], settled: Settled[R], weights: Weights, lines: Lines) -> list[Unit[R]]:
    """Gather the members into units, in the order of their first members."""
    closure, sides = closure_numbers(settled), _sides(settled)
    alike: dict[object, list[Member[R]]] = {}
    for member in ordered:
        standing = (closure.get(member.record, -1), sides.get(member.record, frozenset()))
        kind = (member.form_hash, member.asks, member.bars, *standing)
        alike.setdefault(kind, []).append(member)
    whole = [
        Unit(tuple(copies), closure.get(copies[0].record, -1), sides.get(copies[0].record, frozenset()))
        for copies in alike.values()
    ]
    units = [fitted for unit in whole for fitted in _fit(unit, weights, lines)]
    return sorted(units, key=lambda unit: unit.members[0].order_key)


def _fit(unit: Unit[R], weights: Weights, lines: Lines) -> list[Unit[R]]:
    """Mark copies that would not join automatically as loose; take copies apart whose form contradicts itself."""
    if len(unit.members) == 1 or unit.closure >= 0:
        return [unit]
    evidence = evidence_of(weights, unit.form, unit.form)
    if evidence.veto:
        return [replace(unit, members=(member,)) for member in unit.members]
    joins = evidence.decided or (evidence.personal and grid(evidence.weight) >= grid(lines.merge))
    return [replace(unit, loose=unit.asks or unit.bars != 0 or not joins)]


def evidence_of(weights: Weights, form_a: bytes, form_b: bytes) -> Evidence:
    """Look up the evidence of two forms. Raises: MissingWeight."""
    found = weights.get(weight_key(form_a, form_b))
    if found is None:
        raise MissingWeight("a pair of forms in the component has no weight")
    if not isfinite(found.weight):
        raise MissingWeight("a pair of forms in the component has a weight that is not finite")
    return found


def set_up(units: list[Unit[R]], weights: Weights) -> Board:
    """Set up the sums and flags of all pairs of units; pairs inside one closure need no weight. Raises: MissingWeight."""
    board = Board([len(unit.members) for unit in units])
    try:
        _fill(board, units, weights)
    except (ValueError, OverflowError) as error:
        raise MissingWeight("a pair of forms in the component has no weight, or one that is not finite") from error
    _hold_apart(board, units)
    _bar(board, units)
    return board


def _fill(board: Board, units: list[Unit[R]], weights: Weights) -> None:
    """Written out rather than in functions: 19,900 rounds for 200 forms, half of all the time of a partition."""
    kinds = [(unit.form, unit.closure, ASKS if unit.asks else 0, len(unit.members)) for unit in units]
    total, flags = board.total, board.flags
    for u, (form_u, closure_u, asks_u, size_u) in enumerate(kinds):
        total_u, flags_u = total[u], flags[u]
        for v in range(u):
            form_v, closure_v, asks_v, size_v = kinds[v]
            found = weights.get((form_u, form_v) if form_u <= form_v else (form_v, form_u))
            if found is None:
                if closure_u >= 0 and closure_u == closure_v:
                    continue
                raise ValueError("missing")
            weight, personal, veto, decided, against, by_place, told_apart = found
            total_u[v] = total[v][u] = round(weight * GRID_STEPS_PER_BIT) * size_u * size_v
            flag = asks_u | asks_v | (0 if not personal else BY_PLACE if by_place else PERSONAL) | (VETO if veto else 0)
            flag = flag | DECIDED if decided else flag
            flag = flag | AGAINST if against else flag
            flag = flag | TOLD_APART if told_apart else flag
            flags_u[v] = flags[v][u] = flag
            board.seen |= flag


def _hold_apart(board: Board, units: list[Unit[R]]) -> None:
    on_side: dict[tuple[int, bool], list[int]] = {}
    for u, unit in enumerate(units):
        for side in unit.sides:
            on_side.setdefault(side, []).append(u)
    for (number, is_left), left in on_side.items():
        for v in on_side.get((number, False), ()) if is_left else ():
            for u in left:
                board.flags[u][v] |= STEWARD
                board.flags[v][u] |= STEWARD


def _bar(board: Board, units: list[Unit[R]]) -> None:
    bearing = [(u, unit.bars) for u, unit in enumerate(units) if unit.bars]
    for u, bars in bearing:
        for v, other in enumerate(units):
            if u != v and barred(bars, other.bars):
                board.flags[u][v] |= ASKS
                board.flags[v][u] |= ASKS
                board.seen |= ASKS
