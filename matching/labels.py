"""What stewards have decided, as a correction of a trained model: the prior and the levels move as far as the decisions bear out.

A steward is asked about pairs because of what they weigh, so that counting levels among the answers would be wrong; how often
pairs of given levels are one customer is not distorted by that. So the weights are fitted to the answers with the trained ones
as the start and a price on leaving it. Bounded, and let go of when answers held back speak against it. Pure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from matching.comparisons import Levels
from matching.estimate import monotone
from matching.model import MOST_WEIGHT, Model, Parameter, match_probability

FEWEST_LABELS = 20
# How far a level's weight, and the prior, may be off before training is surprised: standard deviations, and the most, in bits.
LEVEL_SPREAD_BITS, MOST_LEVEL_BITS = 1.0, 3.0
PRIOR_SPREAD_BITS, MOST_PRIOR_BITS = 2.0, 4.0
ROUNDS = 40
ENOUGH_BITS = 1e-3
LN2 = math.log(2.0)


@dataclass(frozen=True, slots=True)
class Label:
    """A pair about which a human decided: its levels and weight under the model that is corrected, and the decision.

    `share`: how much it counts. The pairs of one decision share one, and its number; None: a pair is a decision of its own.
    """

    levels: Levels
    weight: float
    is_match: bool
    share: float = 1.0
    decision: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """How far the prior and each (comparison, level number) move, in bits."""

    prior: float
    levels: dict[tuple[int, int], float]

    def of(self, levels: Levels) -> float:
        """How far the weight of a pair with these levels moves."""
        return self.prior + sum(self.levels.get(place, 0.0) for place in enumerate(levels))


def surprise(labels: Sequence[Label], correction: Correction | None = None) -> float:
    """The average number of bits by which decisions surprise the weights: 0 when each was certain and right."""
    total = math.fsum(label.share for label in labels)
    lost = math.fsum(label.share * _surprise(label, correction.of(label.levels) if correction else 0.0) for label in labels)
    return lost / total if total else 0.0


def _surprise(label: Label, moved: float) -> float:
    weight = label.weight + moved
    return -math.log2(max(match_probability(weight if label.is_match else -weight), 1e-300))


def fit(labels: Sequence[Label]) -> Correction:
    """Fit the correction: the most probable one, each move being normal around none. Newton's method, one move at a time."""
    moved: dict[tuple[int, int], float] = {}
    prior = 0.0
    weights = [label.weight for label in labels]
    holders: dict[tuple[int, int], list[int]] = {}
    for number, label in enumerate(labels):
        for place in enumerate(label.levels):
            if place[1] >= 0:
                holders.setdefault(place, []).append(number)
    for _ in range(ROUNDS):
        step = _step(labels, weights, range(len(labels)), prior, PRIOR_SPREAD_BITS, MOST_PRIOR_BITS)
        prior += step
        largest = abs(step)
        for place, held in holders.items():
            step = _step(labels, weights, held, moved.get(place, 0.0), LEVEL_SPREAD_BITS, MOST_LEVEL_BITS)
            moved[place] = moved.get(place, 0.0) + step
            largest = max(largest, abs(step))
        if largest < ENOUGH_BITS:
            break
    return Correction(prior, moved)


def _step(labels: Sequence[Label], weights: list[float], held: Sequence[int], at: float, spread: float, most: float) -> float:
    """Move the weights of some pairs one Newton step and say how far; within `most` of the start."""
    slope, bend = at / spread**2, 1.0 / spread**2
    for number in held:
        label, p = labels[number], match_probability(weights[number])
        slope -= LN2 * label.share * (label.is_match - p)
        bend += LN2**2 * label.share * p * (1.0 - p)
    step = min(max(at - slope / bend, -most), most) - at
    for number in held:
        weights[number] += step
    return step


def corrected(model: Model, labels: Sequence[Label]) -> tuple[Model, dict[str, Any]]:
    """Correct a model by what humans decided, and say what came of it, for the report.

    Nothing moves with fewer than FEWEST_LABELS decisions, nor when a correction fitted to one half of them does not make the
    other half less surprising. The order of the labels decides which decision is in which half: give them in a stable order.
    """
    decisions = math.fsum(label.share for label in labels)
    said: dict[str, Any] = {"pairs": len(labels), "decisions": round(decisions), "learned": False}
    if decisions < FEWEST_LABELS:
        return model, said | {"because": f"fewer than {FEWEST_LABELS} decisions"} if labels else said
    halves = _halves(labels)
    before = surprise(labels)
    after = sum(surprise(other, fit(one)) for one, other in (halves, halves[::-1])) / 2.0
    said |= {"surprise_bits_before": round(before, 4), "surprise_bits_after": round(after, 4)}
    if after >= before:
        return model, said | {"because": "what was learned from one half of them did not fit the other"}
    correction = fit(labels)
    moved = {"learned": True, "prior_moved_bits": round(correction.prior, 2), "calibration": calibration(labels, correction)}
    return _moved(model, correction), said | moved


def _halves(labels: Sequence[Label]) -> tuple[list[Label], list[Label]]:
    """Every other decision, whole: of one in both halves, the one half would be told what it has to foretell."""
    halves: tuple[list[Label], list[Label]] = ([], [])
    sides: dict[tuple[bool, int], int] = {}
    for number, label in enumerate(labels):
        decision = (True, number) if label.decision is None else (False, label.decision)
        halves[sides.setdefault(decision, len(sides) % 2)].append(label)
    return halves


def calibration(labels: Sequence[Label], correction: Correction) -> list[dict[str, float]]:
    """Compare belief with decisions: for each fifth of probability the decisions, the share believed, the share of matches."""
    found = []
    for fifth in range(5):
        lowest, highest = fifth / 5, (fifth + 1) / 5
        inside = [
            (label, p)
            for label in labels
            if lowest <= (p := match_probability(label.weight + correction.of(label.levels))) < highest + (fifth == 4)
        ]
        count = math.fsum(label.share for label, _ in inside)
        if count:
            believed = math.fsum(label.share * p for label, p in inside) / count
            matches = math.fsum(label.share for label, _ in inside if label.is_match) / count
            found.append(
                {
                    "from": lowest,
                    "to": highest,
                    "decisions": round(count, 1),
                    "expected": round(believed, 4),
                    "matches": round(matches, 4),
                }
            )
    return found


def _moved(model: Model, correction: Correction) -> Model:
    odds = model.prior / (1.0 - model.prior) * 2.0**correction.prior
    return replace(
        model,
        prior=min(odds / (1.0 + odds), 0.5),
        parameters=tuple(_parameters(model, position, correction) for position in range(len(model.comparisons))),
        fingerprint="",
    )


def _parameters(model: Model, position: int, correction: Correction) -> tuple[Parameter, ...]:
    """Move the weights of one comparison, within what a level may weigh; u stays, by which frequent values are weighed."""
    comparison, parameters = model.comparisons[position], model.parameters[position]
    m = []
    for level, parameter in zip(comparison.levels, parameters, strict=True):
        most = 0.0 if comparison.correction else MOST_WEIGHT.get((comparison.name, level.name), math.inf)
        moved = parameter.weight + correction.levels.get((position, comparison.number(level.name)), 0.0)
        m.append(min(1.0, parameter.u * 2.0 ** min(moved, most)))
    u = [parameter.u for parameter in parameters]
    if comparison.correction:
        return tuple(Parameter(one, other) for one, other in zip(m, u, strict=True))
    return monotone(m, u)
