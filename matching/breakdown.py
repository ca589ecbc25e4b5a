"""How an evaluation did for each pair of groups, such as two channels: precision, recall, and the share left to a steward.

Pure arithmetic on labels, by counting how many records of each group stand together; no pair of records is ever enumerated.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

Groups = tuple[str, str]
Counts = Counter[Groups]


@dataclass(frozen=True, slots=True)
class GroupPair:
    """Of the pairs between records of two groups (or within one): truly one customer, merged, rightly merged, asked about.

    `asked` counts true pairs that stand apart and about which a steward would be asked.
    """

    groups: Groups
    true_pairs: int
    merged: int
    right: int
    asked: int

    @property
    def precision(self) -> float | None:
        """Of the merged pairs, the share that is right; none where nothing was merged."""
        return self.right / self.merged if self.merged else None

    @property
    def recall(self) -> float | None:
        """Of the true pairs, the share that was merged; none where there is no true pair."""
        return self.right / self.true_pairs if self.true_pairs else None

    @property
    def review_share(self) -> float | None:
        """Of the true pairs, the share that waits for a steward's answer; none where there is no true pair."""
        return self.asked / self.true_pairs if self.true_pairs else None

    def as_json(self) -> dict[str, Any]:
        """The figures under their published names."""
        counted = {"true_pairs": self.true_pairs, "merged": self.merged, "right": self.right, "asked": self.asked}
        shares = {"precision": self.precision, "recall": self.recall, "review_share": self.review_share}
        return {"one": self.groups[0], "other": self.groups[1], **counted, **shares}


def break_down(
    groups: Sequence[str], parts: Sequence[Hashable], truth: Sequence[Hashable], questions: Iterable[Sequence[Hashable]]
) -> list[GroupPair]:
    """Count pairs by the groups of their records, sorted; one group, part and true label a record. Without a pair: left out.

    `questions` name parts about which a steward is asked whether they are one customer.
    """
    of_both = _groups_of(zip(parts, truth, strict=True), groups)
    of_part, of_truth = _groups_of(parts, groups), _groups_of(truth, groups)
    merged, true_pairs, right = (_within(one.values()) for one in (of_part, of_truth, of_both))
    asked = _asked(of_both, questions)
    return [GroupPair(pair, true_pairs[pair], merged[pair], right[pair], asked[pair]) for pair in sorted(merged | true_pairs)]


def _groups_of(labels: Iterable[Hashable], groups: Sequence[str]) -> dict[Hashable, Counter[str]]:
    found: defaultdict[Hashable, Counter[str]] = defaultdict(Counter)
    for label, group in zip(labels, groups, strict=True):
        found[label][group] += 1
    return found


def _within(sets: Iterable[Counter[str]]) -> Counts:
    """Pairs of records that stand in one set, by their groups."""
    counted: Counts = Counter()
    for one in sets:
        names = sorted(one)
        for name in names:
            counted[name, name] += one[name] * (one[name] - 1) // 2
        for a, b in combinations(names, 2):
            counted[a, b] += one[a] * one[b]
    return counted


def _asked(of_both: dict[Any, Counter[str]], questions: Iterable[Sequence[Hashable]]) -> Counts:
    """True pairs across the parts of a question; a pair of parts that is asked about twice counts once."""
    customers: defaultdict[Hashable, list[Hashable]] = defaultdict(list)
    for part, label in of_both:
        customers[part].append(label)
    counted: Counts = Counter()
    for a, b in sorted(set(_pairs_of_parts(questions)), key=str):
        for label in set(customers[a]) & set(customers[b]):
            for one, number in of_both[a, label].items():
                for other, times in of_both[b, label].items():
                    counted[min(one, other), max(one, other)] += number * times
    return counted


def _pairs_of_parts(questions: Iterable[Sequence[Hashable]]) -> Iterator[tuple[Hashable, Hashable]]:
    for parts in questions:
        yield from combinations(sorted(set(parts), key=str), 2)
