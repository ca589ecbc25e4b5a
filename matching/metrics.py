"""How a partition compares with the truth: pairwise and B-cubed precision, recall and F1. Pure arithmetic on labels."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Measure:
    """Precision, recall and their harmonic mean; 1.0 where there is nothing to get wrong."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def pairwise(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Measure:
    """Compare the pairs of records that stand together; one label a record in each sequence."""
    together = _pairs(Counter(zip(found, truth, strict=True)).values())
    found_pairs, true_pairs = _pairs(Counter(found).values()), _pairs(Counter(truth).values())
    return Measure(together / found_pairs if found_pairs else 1.0, together / true_pairs if true_pairs else 1.0)


def bcubed(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Measure:
    """Average over records the share of its cluster that is truly with it, and of its true cluster that was found.

    Source: Bagga and Baldwin, Entity-based cross-document coreferencing using the vector space model, 1998.
    """
    if not found:
        return Measure(1.0, 1.0)
    sizes, true_sizes = Counter(found), Counter(truth)
    both = Counter(zip(found, truth, strict=True))
    precision = sum(count * count / sizes[cluster] for (cluster, _), count in both.items())
    recall = sum(count * count / true_sizes[label] for (_, label), count in both.items())
    return Measure(precision / len(found), recall / len(found))


def wrong_pairs(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Iterator[tuple[int, int, bool]]:
    """Give the positions of records that stand together and should not (True), or should and do not (False), in order."""
    for labels, others, merged in ((found, truth, True), (truth, found, False)):
        members: defaultdict[Hashable, list[int]] = defaultdict(list)
        for position, label in enumerate(labels):
            members[label].append(position)
        for together in members.values():
            yield from ((a, b, merged) for a, b in combinations(together, 2) if others[a] != others[b])


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
