"""What differs between two models: levels that weigh something else, the prior, the lines, what only one compares. Pure."""

import dataclasses
from dataclasses import dataclass

from matching.model import Model

MOVED_BITS = 1.0


@dataclass(frozen=True, slots=True)
class Moved:
    """A level that weighs something else, in bits."""

    comparison: str
    level: str
    before: float
    after: float

    @property
    def bits(self) -> float:
        """By how much."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class ModelChanges:
    """What differs. `lines` holds (name, before, after); `only_before` and `only_after` name comparisons."""

    prior_before: float
    prior_after: float
    moved: tuple[Moved, ...]
    lines: tuple[tuple[str, float, float], ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]


def model_changes(before: Model, after: Model, least_bits: float = MOVED_BITS) -> ModelChanges:
    """Say what differs; of the levels those that move by more than `least_bits`, the furthest first."""
    old, new = _weights(before), _weights(after)
    moved = [Moved(*place, old[place], new[place]) for place in old if place in new and abs(new[place] - old[place]) > least_bits]
    lines_before, lines_after = dataclasses.asdict(before.lines), dataclasses.asdict(after.lines)
    names = [{comparison.name: None for comparison in model.comparisons} for model in (before, after)]
    return ModelChanges(
        before.prior_weight,
        after.prior_weight,
        tuple(sorted(moved, key=lambda one: (-abs(one.bits), one.comparison, one.level))),
        tuple((name, lines_before[name], lines_after[name]) for name in lines_before if lines_before[name] != lines_after[name]),
        tuple(name for name in names[0] if name not in names[1]),
        tuple(name for name in names[1] if name not in names[0]),
    )


def _weights(model: Model) -> dict[tuple[str, str], float]:
    return {
        (comparison.name, level.name): parameter.weight
        for comparison, parameters in zip(model.comparisons, model.parameters, strict=True)
        for level, parameter in zip(comparison.levels, parameters, strict=True)
    }
