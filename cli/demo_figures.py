"""What the demo measures: golden ids against the truth that the simulated retailer knows. Pure arithmetic."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement

from matching.metrics import Measure, bcubed, pairwise
from sampledata.retailer import SOURCES, SimulatedRecord

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Recognition:
    """Of one pair of channels: customers known in both, and how many of them have one golden id on all their records there.

    Of a channel with itself: customers with several records in it.
    """

    customers: int
    found: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How well the golden records meet the truth."""

    records: dict[str, int]
    customers: int
    golden: int
    multi_channel: int
    largest: int
    pairwise: Measure
    bcubed: Measure
    recognition: dict[Pair, Recognition]
    questions: int
    true_questions: int
    after_review: Measure


def measure(
    records: Sequence[SimulatedRecord], golden_ids: Sequence[str | None], questions: Iterable[Sequence[str]] = ()
) -> Figures:
    """Compare golden ids (None counts as alone) with the truth of the records, in the same order.

    `questions` are the golden ids that each open task asks about: are these one customer? `after_review` is the pairwise measure
    once a steward who knows the truth has answered them all.
    """
    labels = [golden or f"none:{index}" for index, golden in enumerate(golden_ids)]
    truth = [record.truth for record in records]
    asked = list(questions)
    answered = _answered(labels, truth, asked)
    channels: defaultdict[str, set[str]] = defaultdict(set)
    for record, label in zip(records, labels, strict=True):
        channels[label].add(record.source)
    counted = Counter(record.source for record in records)
    return Figures(
        {source: counted[source] for source in SOURCES},
        len(set(truth)),
        len(channels),
        sum(len(found) > 1 for found in channels.values()),
        max(Counter(labels).values(), default=0),
        pairwise(labels, truth),
        bcubed(labels, truth),
        _recognition(records, labels),
        len(asked),
        sum(len({answered.get(golden, golden) for golden in goldens}) < len(set(goldens)) for goldens in asked),
        pairwise([answered.get(label, label) for label in labels], truth),
    )


def _answered(labels: Sequence[str], truth: Sequence[str], questions: Iterable[Sequence[str]]) -> dict[str, str]:
    """Where each golden id lives once every question is answered by the customer that most of a golden's records speak of."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, customer in zip(labels, truth, strict=True):
        votes[label][customer] += 1
    speaks_of = {label: max(counted, key=lambda one: (counted[one], one)) for label, counted in votes.items()}
    found: dict[str, str] = {}

    def home(golden: str) -> str:
        while golden in found:
            golden = found[golden]
        return golden

    for goldens in questions:
        for one, other in combinations(goldens, 2):
            a, b = sorted((home(one), home(other)))
            if a != b and one in speaks_of and speaks_of[one] == speaks_of.get(other):
                found[b] = a
    return {golden: home(golden) for golden in found}


def _recognition(records: Sequence[SimulatedRecord], labels: Sequence[str]) -> dict[Pair, Recognition]:
    known: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for record, label in zip(records, labels, strict=True):
        known[record.truth][record.source].append(label)
    customers: Counter[Pair] = Counter()
    found: Counter[Pair] = Counter()
    for channels in known.values():
        for pair in combinations_with_replacement(sorted(channels, key=SOURCES.index), 2):
            together = [label for source in set(pair) for label in channels[source]]
            customers[pair] += len(together) > 1
            found[pair] += len(together) > 1 and len(set(together)) == 1
    return {pair: Recognition(count, found[pair]) for pair, count in customers.items() if count}
