"""How urgent a question is, fixed when its task opens and explained on it: uncertainty x value x blast radius. Pure.

The three factors are kept beside their product, so that the queue can say why one task stands before another.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from mdm.questions import Question, QuestionKind

# A question without a weight (a contradiction, a component that is too large) is as uncertain as can be.
SUREST = 0.1
CERTAIN_BITS = 60.0
MOST_URGENT = 1_000.0
# How long a question may wait. A contradiction keeps records apart that stewards joined; a blocker keeps a customer apart.
# What is checked stands already: it waits until there is time, but not for ever, or nobody knows how often merges are wrong.
WITHIN = {
    QuestionKind.PAIR: timedelta(days=5),
    QuestionKind.TOO_LARGE: timedelta(days=3),
    QuestionKind.CONTESTED: timedelta(days=1),
    QuestionKind.BLOCKED: timedelta(days=2),
    QuestionKind.AUDIT: timedelta(days=14),
    QuestionKind.EXPIRED: timedelta(days=7),
    QuestionKind.ASSERTED: timedelta(days=3),
}


@dataclass(frozen=True, slots=True)
class Stake:
    """What hangs on a question: orders, returns, cases and visits of its records in two years, and its loyalty accounts."""

    activities: int = 0
    loyalty_accounts: int = 0


@dataclass(frozen=True, slots=True)
class Priority:
    """The three factors, and what they were made of."""

    uncertainty: float
    value: float
    blast_radius: float
    records: int
    stake: Stake

    @property
    def figure(self) -> float:
        """The figure by which the queue is ordered, the greatest first."""
        return round(min(MOST_URGENT, 100 * self.uncertainty * self.value * self.blast_radius), 3)

    @property
    def parts(self) -> Mapping[str, float]:
        """What the task shows of it."""
        return {
            "uncertainty": round(self.uncertainty, 3),
            "value": round(self.value, 3),
            "blast_radius": round(self.blast_radius, 3),
            "records": self.records,
            "activities": self.stake.activities,
            "loyalty_accounts": self.stake.loyalty_accounts,
        }


def of(question: Question, stake: Stake) -> Priority:
    """Weigh a question."""
    records = len(question.record_ids)
    return Priority(
        uncertainty(question.weight),
        1 + math.log2(1 + stake.activities) / 4 + math.log2(1 + stake.loyalty_accounts) / 2,
        math.log2(1 + records) / math.log2(3),  # Two records are the least that is asked about: 1.
        records,
        stake,
    )


def uncertainty(weight: float | None) -> float:
    """How far a match weight (bits) is from saying anything: 1 at even odds, `SUREST` where the model is all but certain."""
    if weight is None:
        return 1.0
    probability = 1 / (1 + 2 ** -max(-CERTAIN_BITS, min(CERTAIN_BITS, weight)))
    return max(SUREST, 1 - abs(2 * probability - 1))


def within(kind: QuestionKind) -> timedelta:
    """How long a question of a kind may wait."""
    return WITHIN[kind]
