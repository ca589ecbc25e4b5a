"""From what policy asks to lines in bits, by the model's own weights: expected false merges, questions and pairs left apart.

Pure arithmetic over counts of candidate pairs by weight, which training keeps in the model's report: so the lines can be worked
out from a model alone. What is expected is what the model believes; a steward's settled questions tell whether it is right.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from matching.model import GUARD_LINE_WEIGHT, LEAST_MERGE_WEIGHT, MOST_LINE_WEIGHT, Lines, match_probability
from matching.union import Union

BIN_BITS = 0.5
# Beyond these no count differs in anything that is read from it; one row of the page would be empty for each bin.
LIGHTEST, HEAVIEST = -60.0, 80.0
OUTGROWN = 10


Bins = Mapping[int, int]


class Kind(StrEnum):
    """What may become of a candidate pair: merged above the merge line; asked about whatever it weighs, for want of grounds;
    asked about only above the merge line, since something vetoes it; or not even kept, being below the component line."""

    MERGEABLE = "mergeable"
    ASKED = "asked"
    VETOED = "vetoed"
    DISTANT = "distant"


class WeighedPair(NamedTuple):
    """A candidate pair: two records by number, what may become of it, and what it weighs."""

    a: int
    b: int
    kind: Kind
    weight: float


@dataclass(frozen=True, slots=True)
class Targets:
    """What policy asks for. `false_merge_rate`: of the pairs merged without a human, the share that may be wrong; at most.
    `reviews_per_day`: what stewards settle; None: as many as there are. `records_per_day`: None when nobody knows."""

    false_merge_rate: float | None = None
    reviews_per_day: float | None = None
    records_per_day: float | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether the lines stay as they are."""
        return self.false_merge_rate is None and self.reviews_per_day is None


NO_TARGETS = Targets()


@dataclass(frozen=True, slots=True)
class Weighed:
    """Candidate pairs counted by kind and by bin of weight: bin n holds weights from `n * BIN_BITS`. `records`: of how many.

    `joins` counts, of the same pairs, only those that join what no heavier one joins already: as many questions as are asked when
    none of them merges, where ten pairs between two parts are one question.
    """

    records: int
    counts: Mapping[Kind, Bins]
    joins: Mapping[Kind, Bins] = field(default_factory=dict)

    def pairs(self, kind: Kind, least: float, below: float = math.inf) -> list[tuple[float, int]]:
        """List the (middle weight, pairs) of the bins of a kind that begin in [least, below)."""
        return _within(self.counts.get(kind, {}), least, below)

    def questions(self, lines: Lines) -> int:
        """Count the questions that lines come to, at most: average linkage asks less."""
        return _count(_asked(self.joins, lines))

    def of_all(self, records: int) -> "Weighed":
        """Say what an even sample of so many records comes to for all of them: their pairs grow by the square.

        Joins as well: a sample shows few of the pairs that a heavier one joins already, so questions stay what they are at most.
        """
        times = (records / self.records) ** 2 if self.records else 0.0
        grown = [
            {kind: {place: round(n * times) for place, n in bins.items()} for kind, bins in of.items()}
            for of in (self.counts, self.joins)
        ]
        return Weighed(records, *grown)

    def as_json(self) -> dict[str, Any]:
        """Give the counts as a model's report holds them."""
        sides = {"pairs": self.counts, "joins": self.joins}
        return {"bin_bits": BIN_BITS} | {
            side: {kind: _listed(bins.get(kind, {})) for kind in Kind} for side, bins in sides.items()
        }


def _within(bins: Bins, least: float, below: float = math.inf) -> list[tuple[float, int]]:
    return [((number + 0.5) * BIN_BITS, count) for number, count in sorted(bins.items()) if least <= number * BIN_BITS < below]


def _asked(of: Mapping[Kind, Bins], lines: Lines) -> list[tuple[float, int]]:
    """List what is asked about: too light to merge; without grounds; held by a veto though heavy enough."""
    return [
        *_within(of.get(Kind.MERGEABLE, {}), lines.guard, lines.merge),
        *_within(of.get(Kind.ASKED, {}), lines.guard),
        *_within(of.get(Kind.VETOED, {}), lines.contradiction),
    ]


def _listed(bins: Bins) -> dict[str, Any]:
    first, last = min(bins, default=0), max(bins, default=-1)
    return {"from_bin": first, "counts": [bins.get(number, 0) for number in range(first, last + 1)]}


def _binned(said: Mapping[str, Any]) -> dict[int, int]:
    """Read what `_listed` gave. Raises: ValueError for what it cannot have given, which a page could not draw."""
    first, counts = int(said["from_bin"]), [int(count) for count in said["counts"]]
    if min(counts, default=0) < 0 or first < _bin(LIGHTEST) or first + len(counts) - 1 > _bin(HEAVIEST):
        raise ValueError("no counts by bin of weight")
    return {first + place: count for place, count in enumerate(counts) if count}


def count_weights(records: int, pairs: Iterable[WeighedPair], distant: Iterable[float] = ()) -> Weighed:
    """Count pairs by kind and weight, and the joins among them. `distant`: the weights of more pairs, all of that kind."""
    kept = list(pairs)
    return Weighed(records, _counted(kept, distant), _counted(_joins(kept)))


def _counted(pairs: Iterable[WeighedPair], distant: Iterable[float] = ()) -> dict[Kind, Counter[int]]:
    counts: dict[Kind, Counter[int]] = {kind: Counter() for kind in Kind}
    counts[Kind.DISTANT].update(map(_bin, distant))
    for one in pairs:
        counts[one.kind][_bin(one.weight)] += 1
    return counts


def _bin(weight: float) -> int:
    return math.floor(min(max(weight, LIGHTEST), HEAVIEST) / BIN_BITS)


def _joins(pairs: Iterable[WeighedPair]) -> list[WeighedPair]:
    """List the pairs that join what no pair before joined: first what may merge, then the rest, each by falling weight."""
    union = Union[int]()

    def first(one: WeighedPair) -> tuple[bool, float, int, int]:
        return (one.kind is not Kind.MERGEABLE or one.weight < LEAST_MERGE_WEIGHT, -one.weight, one.a, one.b)

    found, held = [], set[tuple[int, ...]]()
    near = sorted((one for one in pairs if one.kind is not Kind.DISTANT), key=first)
    for one in (*(one for one in near if one.kind is not Kind.VETOED), *(one for one in near if one.kind is Kind.VETOED)):
        ends = tuple(sorted((union.first(one.a), union.first(one.b))))
        if ends[0] != ends[1] and ends not in held:
            found.append(one)
            if one.kind is Kind.VETOED:
                held.add(ends)
            else:
                union.join(*ends)
    return found


def weighed_from(report: Mapping[str, Any]) -> Weighed | None:
    """Read the counts from a model's report; None from one that holds none that can be read (trained before they were kept)."""
    said = report.get("weights")
    if not isinstance(said, Mapping) or said.get("bin_bits") != BIN_BITS:
        return None
    try:
        pairs, joins = ({kind: _binned(said[side][kind]) for kind in Kind} for side in ("pairs", "joins"))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return Weighed(int(report.get("records", 0)), pairs, joins)


def outgrown_bits(report: Mapping[str, Any], records: int) -> float | None:
    """By how many bits a model believes each pair too readily where so many records are stored: a pair is rarer to be one
    customer's among more. None below OUTGROWN times as many as it was trained for, or when its report does not say."""
    trained = int(report.get("records", 0))
    return math.log2(records / trained) if trained and records >= OUTGROWN * trained else None


@dataclass(frozen=True, slots=True)
class Expected:
    """What lines come to on the records that were counted, in pairs. `merged` of which `false_merges` are expected to be wrong;
    `asked` of a human, which are so many `questions`; left `apart` without asking, of which `missed` are expected to be one
    customer's."""

    merged: int
    false_merges: float
    asked: int
    questions: int
    apart: int
    missed: float

    @property
    def false_merge_rate(self) -> float:
        """Expected false merges per merge."""
        return self.false_merges / self.merged if self.merged else 0.0


def expected(weighed: Weighed, lines: Lines) -> Expected:
    """Say what lines come to: expected false merges are the sum of 1 - p over what is merged."""
    merged = weighed.pairs(Kind.MERGEABLE, lines.merge)
    asked = _asked(weighed.counts, lines)
    apart = [
        *weighed.pairs(Kind.MERGEABLE, lines.component, min(lines.guard, lines.merge)),
        *weighed.pairs(Kind.ASKED, lines.component, lines.guard),
    ]
    return Expected(
        merged=_count(merged),
        false_merges=math.fsum(count * match_probability(-weight) for weight, count in merged),
        asked=_count(asked),
        questions=weighed.questions(lines),
        apart=_count(apart),
        missed=math.fsum(count * match_probability(weight) for weight, count in apart),
    )


def _count(pairs: Sequence[tuple[float, int]]) -> int:
    return sum(count for _, count in pairs)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Lines, what they come to, and what that is a day. `inflow_per_day` is None while nobody knows how many records change.

    `moved_apart`: pairs that a guard line without a budget would have asked about, and that this one leaves apart; `moved_missed`
    of them are expected to be one customer's. `over_budget`: there are more questions than the budget even so.
    """

    lines: Lines
    expected: Expected
    inflow_per_day: float | None
    reviews_per_day: float | None
    moved_apart: int = 0
    moved_missed: float = 0.0
    over_budget: bool = False
    out_of_reach: bool = False

    @property
    def backlog_days(self) -> float | None:
        """Days until the questions of the counted records are settled; None when not known, infinite when never."""
        if self.inflow_per_day is None or self.reviews_per_day is None:
            return None
        left = self.reviews_per_day - self.inflow_per_day
        return self.expected.questions / left if left > 0 else (math.inf if self.expected.questions else 0.0)


def forecast(weighed: Weighed, lines: Lines, targets: Targets) -> Forecast:
    """Say what given lines come to."""
    found = expected(weighed, lines)
    inflow = _inflow(weighed, found, targets)
    over = inflow is not None and targets.reviews_per_day is not None and inflow > targets.reviews_per_day
    return Forecast(lines, found, inflow, targets.reviews_per_day, over_budget=over)


@dataclass(frozen=True, slots=True)
class Curve:
    """What other lines would come to: by merge line with the guard line where it is (or below), and by guard line."""

    by_merge: Sequence[tuple[float, Expected]]
    by_guard: Sequence[tuple[float, Expected]]


def curve(weighed: Weighed, lines: Lines) -> Curve:
    """Say what lines come to when one of them moves."""
    merges = [(at, expected(weighed, replace(lines, merge=at))) for at in _steps(max(lines.component, 0.0), MOST_LINE_WEIGHT)]
    guards = [(at, expected(weighed, replace(lines, guard=at))) for at in _steps(lines.component, MOST_LINE_WEIGHT)]
    return Curve(merges, guards)


def _inflow(weighed: Weighed, found: Expected, targets: Targets) -> float | None:
    """Questions a day: as many for each record as the counted ones have come to."""
    if targets.records_per_day is None or not weighed.records:
        return None
    return targets.records_per_day * found.questions / weighed.records


def lines_for(weighed: Weighed, lines: Lines, targets: Targets) -> Forecast:
    """Turn what policy asks into lines, and say what they come to.

    The merge line is the lowest at which no merge is more doubtful than the target, and never below LEAST_MERGE_WEIGHT. The share
    over all merges is then far within the target, and must be: models believe too much of themselves (on a simulated retailer, a
    line drawn by that share stood at 6.5 bits, and one merged pair in 120 was wrong where one in 6,000 was expected). The guard
    line rises from even odds only as far as the reviews of a day demand, beyond the merge line if it must: then what has grounds
    merges and of the rest only the surest is asked. Who is left apart unasked is counted.
    """
    merge, is_in_reach = _merge_line(lines, targets)
    free = replace(lines, merge=merge, guard=max(GUARD_LINE_WEIGHT, lines.component))
    held = _within_budget(weighed, free, targets)
    before, after = expected(weighed, free), forecast(weighed, held, targets)
    return replace(
        after,
        moved_apart=after.expected.apart - before.apart,
        moved_missed=after.expected.missed - before.missed,
        out_of_reach=not is_in_reach,
    )


def _merge_line(lines: Lines, targets: Targets) -> tuple[float, bool]:
    if targets.false_merge_rate is None:
        return lines.merge, True
    for line in _steps(LEAST_MERGE_WEIGHT, MOST_LINE_WEIGHT):
        if match_probability(-line) <= targets.false_merge_rate:
            return line, True
    return MOST_LINE_WEIGHT, False


def _within_budget(weighed: Weighed, lines: Lines, targets: Targets) -> Lines:
    """Raise the guard line until the questions of a day fit, as far as a line goes."""
    if targets.reviews_per_day is None:
        return lines
    for guard in _steps(lines.guard, MOST_LINE_WEIGHT):
        held = replace(lines, guard=guard)
        inflow = _inflow(weighed, expected(weighed, held), targets)
        if inflow is None or inflow <= targets.reviews_per_day:
            return held
    return replace(lines, guard=MOST_LINE_WEIGHT)


def _steps(first: float, last: float) -> list[float]:
    return [first + step * BIN_BITS for step in range(int((last - first) / BIN_BITS) + 1)]
