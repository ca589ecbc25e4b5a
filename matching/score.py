"""The online scorer: the match weight of a pair from its levels and the model's frozen term frequencies.

One function sums, in one order: prior, then each comparison's level weight and its frequency adjustment, left to right, as
Splink's SQL does. Pure; a scorer is compiled once for a model and kept.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from matching.comparisons import Comparison, LevelOf, Levels, LevelsOf, level_functions, levels_function, value_of
from matching.forms import ComparisonForm
from matching.model import Model

MOST_CACHED_TERMS = 200_000
Adjust = Callable[[ComparisonForm], float]


class Scored(NamedTuple):
    """A scored pair: its levels in the model's order, the weight in bits, and what each comparison gave to it."""

    levels: Levels
    weight: float
    contributions: tuple[float, ...]


class Scorer:
    """A model prepared for scoring: weights as tuples by level, frequency adjustments remembered by value."""

    __slots__ = ("_adjusted", "_levels", "_prior", "_weigh", "_weights", "comparisons")

    def __init__(self, model: Model) -> None:
        self.comparisons = model.comparisons
        self._levels: LevelsOf = levels_function(model.comparisons)
        self._prior = model.prior_weight
        # By level number, so that -1 (no evidence) is the last item.
        self._weights = tuple((*(parameter.weight for parameter in reversed(parameters)), 0.0) for parameters in model.parameters)
        adjustments = frequency_adjustments(model)
        self._adjusted = tuple(_adjusted(comparison, adjustments) for comparison in model.comparisons)
        steps = list(zip(level_functions(model.comparisons), self._weights, self._adjusted, strict=True))
        self._weigh = _weight_function(self._prior, steps)

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

    def weight(self, a: ComparisonForm, b: ComparisonForm, least: float = -math.inf) -> float:
        """Score a pair without explanation. Equals `pair(a, b).weight` bit for bit, unless both are below `least`."""
        return self._weigh(a, b, least)


_Step = tuple[LevelOf, Sequence[float], tuple[int, Adjust] | None]


def _weight_function(prior: float, steps: Sequence[_Step]) -> Callable[[ComparisonForm, ComparisonForm, float], float]:
    """Compile the sum of a pair's weight: a loop over the comparisons takes half as long as comparing.

    The last comparisons only take weight back: what is below the line before them stays there.
    """
    adding = [place for place, (_, weights, adjusted) in enumerate(steps) if adjusted is not None or max(weights) > 0]
    lines, names = ["def weigh(a, b, least):", "    weight = prior"], dict[str, Any](prior=prior)
    for place, (level_of, weights, adjusted) in enumerate(steps):
        if place == max(adding, default=-1) + 1:
            lines.append("    if weight < least: return weight")
        lines += [f"    level = level{place}(a, b)", f"    weight += weights{place}[level]"]
        names |= {f"level{place}": level_of, f"weights{place}": weights}
        if adjusted is not None:
            lines.append(f"    if level == {adjusted[0]}: weight += adjust{place}(a)")
            names[f"adjust{place}"] = adjusted[1]
    exec("\n".join([*lines, "    return weight"]), names)  # noqa: S102 - text made of numbers of ours.
    function: Callable[[ComparisonForm, ComparisonForm, float], float] = names["weigh"]
    return function


def frequency_adjustments(model: Model) -> dict[str, Callable[[str], float]]:
    """Return, for each column whose agreement is weighed by frequency, the bits that an agreed value adds to its level's weight.

    Both engines take the adjustment from here, so that they agree bit for bit.
    """
    return {
        level.frequency: _remembered(model, level.frequency, math.log2(parameter.u))
        for comparison, parameters in zip(model.comparisons, model.parameters, strict=True)
        for level, parameter in zip(comparison.levels, parameters, strict=True)
        if level.frequency is not None and level.frequency in model.frequencies
    }


def _adjusted(comparison: Comparison, adjustments: Mapping[str, Callable[[str], float]]) -> tuple[int, Adjust] | None:
    """Give the number of a comparison's adjusted level and the adjustment as a function of one side's form."""
    found = comparison.adjusted_level(adjustments)
    if found is None:
        return None
    number, column = found
    return number, _of_form(value_of(comparison, column), adjustments[column])


def _of_form(value: Callable[[ComparisonForm], Any], adjust: Callable[[str], float]) -> Adjust:
    return lambda form: adjust(value(form))


def _remembered(model: Model, column: str, base: float) -> Callable[[str], float]:
    known: dict[str, float] = {}

    def adjust(value: str) -> float:
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
