"""What training refuses to give: a model that cannot tell people apart, with the reason and what would mend it.

Reads what was trained; trains nothing. A comparison of which the data holds nothing is no reason: it keeps the base model's
parameters, or has nothing to compare.
"""

from collections.abc import Mapping, Sequence

from matching.comparisons import Comparison
from matching.model import Model, Parameter
from matching.passes import EM_ROUNDS
from matching.teaching import Learned

FEWEST_RECORDS = 100
FEWEST_CANDIDATES = 50
FEWEST_BITS = 1.0
FEWEST_TELLING = 2
SEEN_SHARE = 0.001  # Of random pairs: what fewer are at is known of the base model alone.


class TrainingRefused(ValueError):
    """The data cannot train a model that is fit for use; says why, and the old model stays."""


def refuse_few(records: int) -> None:
    """Raises: TrainingRefused for fewer records than can teach anything."""
    if records < FEWEST_RECORDS:
        raise TrainingRefused(f"{records} records: at least {FEWEST_RECORDS} are needed")


def refuse_degenerate(
    model: Model,
    learned: Sequence[Learned],
    candidates: int,
    m: Mapping[str, Sequence[float]],
    u: Mapping[str, Sequence[float]],
    sample: Mapping[tuple[int, ...], int],
) -> None:
    """Refuse a model that cannot tell people apart.

    `m` and `u` are what was learned before levels were put in order; `sample` counts the level patterns of random pairs.
    Raises: TrainingRefused.
    """
    if candidates < FEWEST_CANDIDATES:
        raise TrainingRefused(f"{candidates} candidate pairs: at least {FEWEST_CANDIDATES} are needed")
    teachers = [one for one in learned if one.teaches]
    if not teachers:
        raise TrainingRefused("no blocking pass has enough matching pairs to learn from")
    if not any(one.converged for one in teachers):
        raise TrainingRefused(f"EM did not converge within {EM_ROUNDS} rounds on any blocking pass")
    taught = {name for one in teachers for name in one.m}
    for place, comparison in enumerate(model.comparisons):
        if comparison.name in taught and not comparison.correction:
            _refuse_constant(comparison, place, sample)
            _refuse_inverted(comparison, m[comparison.name], u[comparison.name])
    if sum(_tells(*each) for each in zip(model.comparisons, model.parameters, strict=True)) < FEWEST_TELLING:
        raise TrainingRefused("fewer than two comparisons tell matching from other pairs")


def _tells(comparison: Comparison, parameters: Sequence[Parameter]) -> bool:
    return not comparison.correction and parameters[0].weight - parameters[-1].weight > FEWEST_BITS


def _refuse_constant(comparison: Comparison, place: int, sample: Mapping[tuple[int, ...], int]) -> None:
    """Refuse a comparison at one agreeing level in all random pairs: everybody has one value, which says nothing of anybody.

    That all of them differ is well: people do, by a number that each of them has alone.
    """
    seen = {pattern[place]: 0 for pattern in sample if pattern[place] >= 0}
    pairs = sum(count for pattern, count in sample.items() if pattern[place] >= 0)
    if len(seen) == 1 and 0 not in seen and pairs >= FEWEST_CANDIDATES:
        level = comparison.levels[-1 - next(iter(seen))].name
        raise TrainingRefused(
            f"{comparison.name} never varies, all {pairs:,} random pairs that have it are at '{level}': everybody has one value."
            " Take the field out of the mapping, or train on records in which it differs"
        )


def _refuse_inverted(comparison: Comparison, m: Sequence[float], u: Sequence[float]) -> None:
    """Refuse a comparison whose agreement speaks against a match; putting its levels in order would hide that."""
    first = _where_disagreement_begins(u)
    one_m, one_u = sum(m[first:]), sum(u[first:])
    speaks_less = all(level_m * one_u < one_m * level_u for level_m, level_u in zip(m[:first], u[:first], strict=True))
    if speaks_less and one_m * u[0] > 2.0**FEWEST_BITS * m[0] * one_u:
        raise TrainingRefused(
            f"{comparison.name} is not monotone: matching pairs agree on it less often than other pairs do."
            " Look whether the field is mapped to what it holds"
        )


def _where_disagreement_begins(u: Sequence[float]) -> int:
    """The weakest levels that strangers are at: where all live in one town, hardly a pair says of another how much that tells."""
    first = len(u) - 1
    while first > 1 and sum(u[first:]) < SEEN_SHARE:
        first -= 1
    return first
