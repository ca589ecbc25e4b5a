"""The online scorer: the match weight of a pair from its levels and the model's frozen term frequencies.

One function sums, in one order: prior, then each comparison's level weight and its frequency adjustment, left to right, as
Splink's SQL does. Pure; a scorer is compiled once for a model and kept.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from matching.comparisons import Comparison, Levels, LevelsOf, levels_function
from matching.forms import ComparisonForm
from matching.model import Model, Parameter

MOST_CACHED_TERMS = 200_000
Adjust = Callable[[ComparisonForm], float]


class Scored(NamedTuple):
    """A scored pair: its levels in the model's order, the weight in bits, and what each comparison gave to it."""

    levels: Levels
    weight: float
    contributions: tuple[float, ...]


class Scorer:
    """A model prepared for scoring: weights as tuples by level, frequency adjustments remembered by value."""

    __slots__ = ("_adjusted", "_levels", "_prior", "_weights", "comparisons")

    def __init__(self, model: Model) -> None:
        self.comparisons = model.comparisons
        self._levels: LevelsOf = levels_function(model.comparisons)
        self._prior = model.prior_weight
        # By level number, so that -1 (no evidence) is the last item.
        self._weights = tuple((*(parameter.weight for parameter in reversed(parameters)), 0.0) for parameters in model.parameters)
        self._adjusted = tuple(map(_adjustment(model), model.comparisons, model.parameters))

    def levels(self, a: ComparisonForm, b: ComparisonForm) -> Levels:
        """Return the levels of a pair in the model's order of comparisons."""
        return self._levels(a, b)

    def pair(self, a: ComparisonForm, b: ComparisonForm) -> Scored:
        """Score a pair, keeping what each comparison contributed."""
        levels = self._levels(a, b)
        weight = self._prior
        contributions = []
        for level, weights, adjusted in zip(levels, self._weights, self._adjusted, strict=True):
            given = weights[level]
            weight += given
            if adjusted is not None and adjusted[0] == level:
                extra = adjusted[1](a)
                weight += extra
                given += extra
            contributions.append(given)
        return Scored(levels, weight, tuple(contributions))

    def weight(self, a: ComparisonForm, b: ComparisonForm) -> float:
        """Score a pair without explanation. Equals `pair(a, b).weight` bit for bit."""
        weight = self._prior
        for level, weights, adjusted in zip(self._levels(a, b), self._weights, self._adjusted, strict=True):
            weight += weights[level]
            if adjusted is not None and adjusted[0] == level:
                weight += adjusted[1](a)
        return weight


def _adjustment(model: Model) -> Callable[[Comparison, tuple[Parameter, ...]], tuple[int, Adjust] | None]:
    """Make the frequency adjustment of a comparison: the level's number and a function of the agreed value's holder."""

    def make(comparison: Comparison, parameters: tuple[Parameter, ...]) -> tuple[int, Adjust] | None:
        for step, level in enumerate(comparison.levels):
            if level.frequency is not None and level.frequency in model.frequencies:
                return len(comparison.levels) - 1 - step, _remembered(model, level.frequency, math.log2(parameters[step].u))
        return None

    return make


def _remembered(model: Model, column: str, base: float) -> Adjust:
    known: dict[str, float] = {}

    def adjust(form: ComparisonForm) -> float:
        value = getattr(form, column)
        found = known.get(value)
        if found is None:
            if len(known) >= MOST_CACHED_TERMS:
                known.clear()
            found = known[value] = base - math.log2(model.frequency(column, value))
        return found

    return adjust


@lru_cache(maxsize=8)
def scorer(model: Model) -> Scorer:
    """Return the scorer of a model; compiled once, kept for the eight models used last."""
    return Scorer(model)


def score_pair(model: Model, a: ComparisonForm, b: ComparisonForm) -> Scored:
    """Score two forms with explanation."""
    return scorer(model).pair(a, b)


def score_pairs(model: Model, a: ComparisonForm, others: Iterable[ComparisonForm]) -> list[Scored]:
    """Score one form against many, in their order."""
    pair = scorer(model).pair
    return [pair(a, other) for other in others]
