"""The best threshold by the truth: of all the partitions that connected components give at any threshold, the one of best F1.

An advantage that nobody has in earnest. Pairs are taken from the strongest down and their parts united; F1 follows each union by
counting, so that every threshold there is gets tried, not a grid of them.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

Scored = tuple[float, int, int]


@dataclass(slots=True)
class Best:
    """The best F1 seen, and the threshold at (or above) which pairs are united to reach it; infinite when none should be."""

    f1: float = -1.0
    threshold: float = float("inf")

    def see(self, f1: float, threshold: float) -> None:
        """Take note of one threshold; the highest of equals stays."""
        if f1 > self.f1:
            self.f1, self.threshold = f1, threshold


@dataclass(slots=True)
class Growing:
    """A partition that only grows coarser, with what its measures are made of."""

    truth: Sequence[Hashable]
    parents: list[int] = field(init=False)
    held: list[Counter[Hashable]] = field(init=False)
    sizes: Counter[Hashable] = field(init=False)
    together: int = 0
    found: int = 0
    precise: float = field(init=False)
    recalled: float = field(init=False)

    def __post_init__(self) -> None:
        self.parents = list(range(len(self.truth)))
        self.held = [Counter([label]) for label in self.truth]
        self.sizes = Counter(self.truth)
        self.precise = float(len(self.truth))
        self.recalled = sum(1 / self.sizes[label] for label in self.truth)

    def root(self, record: int) -> int:
        """The part of a record."""
        while self.parents[record] != record:
            self.parents[record] = record = self.parents[self.parents[record]]
        return record

    def unite(self, one: int, other: int) -> None:
        """Unite the parts of two records."""
        large, small = sorted((self.root(one), self.root(other)), key=lambda part: -len(self.held[part]))
        if large == small:
            return
        self._count(large, -1)
        self._count(small, -1)
        ours, theirs = self.held[large], self.held[small]
        self.together += sum(number * ours[label] for label, number in theirs.items() if label in ours)
        self.found += ours.total() * theirs.total()
        ours.update(theirs)
        self.parents[small], self.held[small] = large, Counter()
        self._count(large, 1)

    def _count(self, part: int, sign: int) -> None:
        """Add a part's share of both B-cubed sums, or take it away."""
        held = self.held[part]
        squares = {label: number * number for label, number in held.items()}
        self.precise += sign * sum(squares.values()) / held.total()
        self.recalled += sign * sum(square / self.sizes[label] for label, square in squares.items())

    def pairwise_f1(self) -> float:
        """F1 over the pairs of records that stand together."""
        true_pairs = sum(size * (size - 1) // 2 for size in self.sizes.values())
        return 2 * self.together / (self.found + true_pairs) if self.found + true_pairs else 1.0

    def bcubed_f1(self) -> float:
        """The harmonic mean of B-cubed precision and recall."""
        precision, recall = self.precise / len(self.truth), self.recalled / len(self.truth)
        return 2 * precision * recall / (precision + recall)


def best_thresholds(scored: Iterable[Scored], truth: Sequence[Hashable]) -> tuple[Best, Best]:
    """Give the best threshold for pairwise F1, and for B-cubed F1, of pairs (weight, position, position)."""
    growing, pairs, cubes = Growing(truth), Best(), Best()
    last = float("inf")
    for weight, one, other in sorted(scored, key=lambda each: -each[0]):
        if weight < last:
            pairs.see(growing.pairwise_f1(), last)
            cubes.see(growing.bcubed_f1(), last)
        growing.unite(one, other)
        last = weight
    pairs.see(growing.pairwise_f1(), last)
    cubes.see(growing.bcubed_f1(), last)
    return pairs, cubes
