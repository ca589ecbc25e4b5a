"""Partition a capped component into clusters: average linkage over all cross pairs, under what stewards and vetoes say.

A pure function of a set: members, weights, stewards' decisions and lines in; parts, the joins that formed them, the questions
that remain and contradictions out. Order never matters: sums are exact (whole steps of 2**-20 bits) and ties fall by order key.
Golden ids are `mdm.changes`'; which records belong to the component is `matching.components`'.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic

from matching.board import AGAINST, ASKS, BY_PLACE, DECIDED, HELD, PERSONAL, TOLD_APART, VETO, Board, Ways, grid, in_bits
from matching.closure import Contested, R, Settled, StewardRule, settle
from matching.components import Component, Components, Edge, Reach, capped_component, capped_components
from matching.model import Lines
from matching.units import (
    Evidence,
    Member,
    MissingWeight,
    Unit,
    Weights,
    barred,
    closure_numbers,
    evidence_of,
    gather,
    in_order,
    set_up,
    weight_key,
)

__all__ = [
    "Clustering", "Component", "Components", "Contested", "Edge", "Evidence", "Join", "JoinKind", "Lines", "Member",
    "MissingWeight", "Reach", "Reason", "Review", "StewardRule", "Weights", "capped_component", "capped_components",
    "partition", "settle", "weight_key",
]  # fmt: skip


# How parts may join. A name at a place is not enough where anything in the two parts tells them apart: father and son.
_NO_HUMAN = HELD | ASKS
PERSONAL_WAYS = ((PERSONAL, 0), (BY_PLACE, TOLD_APART))
BY_IDENTIFIER = Ways.of((DECIDED, _NO_HUMAN))
BY_WEIGHT = Ways.of(*((needs, bars | _NO_HUMAN | AGAINST) for needs, bars in PERSONAL_WAYS))
IS_PERSONAL = Ways.of(*PERSONAL_WAYS).table
IF_DECIDED, IF_PROBABLE = Ways.of((DECIDED, HELD)), Ways.of((0, HELD))


class JoinKind(StrEnum):
    """Why parts became one."""

    STEWARD = "steward"
    SAME_FORM = "same_form"
    IDENTIFIER = "identifier"
    WEIGHT = "weight"


class Reason(StrEnum):
    """Why a question goes to a steward instead of being settled automatically."""

    BETWEEN_LINES = "between_lines"
    NO_PERSONAL_EVIDENCE = "no_personal_evidence"
    SOURCE_IN_REVIEW = "source_in_review"
    BLOCKED = "blocked"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True)
class Join(Generic[R]):
    """A step by which a cluster formed. `weight` is the average cross weight in bits; None when a steward joined them."""

    parts: tuple[frozenset[R], ...]
    weight: float | None
    kind: JoinKind


@dataclass(frozen=True, slots=True)
class Review(Generic[R]):
    """Are these parts (of the automatic partition; nearly always two) one customer? `weight` is their average cross weight.

    A CONTRADICTION is held apart by a veto against strong evidence; all others are counted as joined in the balanced figures.
    BLOCKED would have joined, but for the bars of members in both parts.
    """

    parts: tuple[frozenset[R], ...]
    weight: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Clustering(Generic[R]):
    """The outcome. `parts` is the automatic partition; `balanced` the one in which all reviews but contradictions are joined.

    Parts are sorted by their first order key, joins stand in the order in which they were made, reviews strongest first.
    """

    parts: tuple[frozenset[R], ...]
    balanced: tuple[frozenset[R], ...]
    joins: tuple[Join[R], ...]
    reviews: tuple[Review[R], ...]
    contested: tuple[Contested[R], ...]


def partition(
    members: Iterable[Member[R]], weights: Weights | None, rules: Iterable[StewardRule[R]], lines: Lines
) -> Clustering[R]:
    """Partition the members of one capped component. The order of members and rules never matters.

    First the closure of stewards' matches; then copies of one form, where the form's weight with itself would join them; then
    parts that share a deciding identifier; then the highest average cross weight, while it is at or above the merge line with
    personal evidence in some cross pair and none against. Never across a steward's `no_match` or a veto, nor without a human
    between members that bar each other. What remains at or above the guard line is asked: one question for each join that
    would follow, so that n parts give at most n - 1 questions.
    `weights` None (a component held together by stewards' matches alone): nothing but the closure joins.
    O(n² log n) for n distinct forms. Raises: MissingWeight; ValueError when a record or an order key repeats.
    """
    ordered, rules = in_order(members), tuple(rules)
    if len(ordered) == 1 and not rules:  # A third of all components: nothing is asked of one record.
        return of_one(ordered[0].record)
    settled = settle(rules, frozenset(member.record for member in ordered))
    if weights is None:
        return _by_closure_alone(ordered, settled)
    units = gather(ordered, settled, weights, lines)
    board = set_up(units, weights)
    joins = tuple(_automatic_joins(board, units, weights, lines))
    if len(board.rows) == 1 and not units[0].loose:  # Most of the others: all of them are one, and nothing is left to ask.
        whole = _parts(units, board, frozenset())
        return Clustering(whole, whole, joins, (), settled.contested)
    questions = _Questions(board, units, weights, lines)
    reviews = (*questions.about_copies(), *questions.about_parts(), *questions.about_contradictions())
    together = frozenset(unit for unit in units if unit.loose and questions.copies_weigh_enough(unit))
    return Clustering(
        _parts(units, board, frozenset()),
        _parts(units, questions.balanced, together),
        joins,
        tuple(sorted(reviews, key=lambda review: -review.weight)),
        settled.contested,
    )


def of_one(record: R) -> Clustering[R]:
    """Give the clustering of one record of which no steward has said anything."""
    parts = (frozenset((record,)),)
    return Clustering(parts, parts, (), (), ())


def _by_closure_alone(ordered: Sequence[Member[R]], settled: Settled[R]) -> Clustering[R]:
    closure = closure_numbers(settled)
    found: dict[int, list[R]] = {}
    for number, member in enumerate(ordered):
        found.setdefault(closure.get(member.record, -1 - number), []).append(member.record)
    parts = tuple(frozenset(records) for records in found.values())
    joins = tuple(_steward_join([frozenset((record,)) for record in records]) for records in found.values() if len(records) > 1)
    return Clustering(parts, parts, joins, (), settled.contested)


def _steward_join(parts: Iterable[frozenset[R]]) -> Join[R]:
    return Join(tuple(parts), None, JoinKind.STEWARD)


def _automatic_joins(board: Board, units: Sequence[Unit[R]], weights: Weights, lines: Lines) -> Iterator[Join[R]]:
    closures: dict[int, list[int]] = {}
    for u, unit in enumerate(units):
        if unit.closure >= 0:
            closures.setdefault(unit.closure, []).append(u)
        elif len(unit.members) > 1 and not unit.loose:
            yield Join(unit.singles, evidence_of(weights, unit.form, unit.form).weight, JoinKind.SAME_FORM)
    for closure in closures.values():
        for other in closure[1:]:
            board.join(closure[0], other)
        yield _steward_join(single for u in closure for single in units[u].singles)
    held = {name: _records(units, row) for name, row in board.rows.items()}
    for kind, ways, line in ((JoinKind.IDENTIFIER, BY_IDENTIFIER, None), (JoinKind.WEIGHT, BY_WEIGHT, grid(lines.merge))):
        for joined in board.run(ways, line):
            left, right = held[joined.left[0]], held[joined.right[0]]
            held[joined.left[0]] = left | right
            yield Join((left, right), in_bits(joined.average), kind)


def _records(units: Sequence[Unit[R]], row: Iterable[int]) -> frozenset[R]:
    return frozenset(record for u in row for record in units[u].records)


def _parts(units: Sequence[Unit[R]], board: Board, together: frozenset[Unit[R]]) -> tuple[frozenset[R], ...]:
    """Turn rows into parts, sorted by first order key. Loose copies alone in their row stand apart unless `together`."""
    parts: list[frozenset[R]] = []
    for row in board.rows.values():
        unit = units[row[0]]
        parts += unit.singles if len(row) == 1 and unit.loose and unit not in together else [_records(units, row)]
    first = {member.record: member.order_key for unit in units for member in unit.members}
    return tuple(sorted(parts, key=lambda part: min(first[record] for record in part)))


class _Questions(Generic[R]):
    """What a steward is to be asked about the parts of the automatic partition. `balanced` is the board with all of it joined."""

    def __init__(self, board: Board, units: Sequence[Unit[R]], weights: Weights, lines: Lines) -> None:
        self.automatic, self.balanced = board, board.copy()
        self.units, self.weights, self.lines = units, weights, lines
        self.merge, self.guard, self.contradiction = grid(lines.merge), grid(lines.guard), grid(lines.contradiction)
        self.steps = [*self.balanced.run(IF_DECIDED, None), *self.balanced.run(IF_PROBABLE, self.guard)]

    def copies_weigh_enough(self, unit: Unit[R]) -> bool:
        return grid(evidence_of(self.weights, unit.form, unit.form).weight) >= self.guard

    def about_copies(self) -> Iterator[Review[R]]:
        """Ask once about copies that may not join automatically: a household twice in one form."""
        for row in self.automatic.rows.values():
            unit = self.units[row[0]]
            if len(row) == 1 and unit.loose and self.copies_weigh_enough(unit):
                evidence = evidence_of(self.weights, unit.form, unit.form)
                asks = unit.asks or unit.bars != 0
                flags = evidence.personal * PERSONAL | evidence.decided * DECIDED | asks * ASKS
                reason = self._reason(flags, grid(evidence.weight), unit.bars != 0)
                yield Review(unit.singles, evidence.weight, reason)

    def about_parts(self) -> Iterator[Review[R]]:
        """Ask, for each further join, about the two parts of the automatic partition that weigh most across it."""
        part_of = {u: name for name, row in self.automatic.rows.items() for u in row}
        for step in self.steps:
            left, right = ({part_of[u] for u in side} for side in (step.left, step.right))
            average, p, q = max((self.automatic.average(p, q), -p, -q) for p in left for q in right)
            yield self._review(-p, -q, self._reason(self.automatic.flags[-p][-q], average, self._is_barred(-p, -q)))

    def about_contradictions(self) -> Iterator[Review[R]]:
        """Ask about the strongest pair of parts, between any two of the balanced partition, that only a veto keeps apart."""
        whole = {u: name for name, row in self.balanced.rows.items() for u in row}
        strongest: dict[tuple[int, int], tuple[float, int, int]] = {}
        names = sorted(self.automatic.rows)
        for i, p in enumerate(names):
            for q in names[i + 1 :]:
                if self._is_contradiction(p, q):
                    across = (min(whole[p], whole[q]), max(whole[p], whole[q]))
                    candidate = (self.automatic.average(p, q), -p, -q)
                    strongest[across] = max(strongest.get(across, candidate), candidate)
        yield from (self._review(-p, -q, Reason.CONTRADICTION) for _, p, q in strongest.values())

    def _is_contradiction(self, p: int, q: int) -> bool:
        flags = self.automatic.flags[p][q]
        if flags & HELD != VETO:
            return False
        return bool(flags & DECIDED) or (bool(IS_PERSONAL[flags]) and self.automatic.average(p, q) >= self.contradiction)

    def _is_barred(self, p: int, q: int) -> bool:
        ours, theirs = ([bars for u in self.automatic.rows[name] if (bars := self.units[u].bars)] for name in (p, q))
        return any(barred(one, other) for one in ours or [0] for other in theirs or [0])

    def _reason(self, flags: int, average: float, is_barred: bool) -> Reason:
        would_join = flags & DECIDED or (IS_PERSONAL[flags] and average >= self.merge)
        if flags & ASKS and would_join:
            return Reason.BLOCKED if is_barred else Reason.SOURCE_IN_REVIEW
        return Reason.NO_PERSONAL_EVIDENCE if average >= self.merge else Reason.BETWEEN_LINES

    def _review(self, p: int, q: int, reason: Reason) -> Review[R]:
        parts = tuple(self._one(name) for name in (p, q))
        return Review(parts, in_bits(self.automatic.average(p, q)), reason)

    def _one(self, name: int) -> frozenset[R]:
        """Give the records of a part; of loose copies, the first."""
        row = self.automatic.rows[name]
        unit = self.units[row[0]]
        return unit.singles[0] if len(row) == 1 and unit.loose else _records(self.units, row)
