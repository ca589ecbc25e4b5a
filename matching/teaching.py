"""What training passes teach: which pass is believed about what, and m and u of all of them together.

A pass is told of by what its EM found (`Learned`); running it is `matching.passes`'s. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from matching.comparisons import BIRTH_DATE, COMPANY, EMAIL, GIVEN, IDENTIFIER, PHONE
from matching.estimate import UNSEEN, smoothed_m
from matching.model import Model

FEWEST_MATCHES = 20.0
# The passes that count nearly every agreement by chance of these levels, where a sample would see a handful.
COUNTED = {
    "birth date": (BIRTH_DATE, ("exact",)),
    "identifier": (IDENTIFIER, ("same",)),
    "company name": (COMPANY, ("exact",)),
    "phone": (PHONE, ("exact",)),
    "e-mail": (EMAIL, ("own", "exact")),
}
# What a person keeps. Where most of a pass's matching pairs differ in one of them, its EM has found others than one person's
# records: twins and spouses by a birth date that was written for both, or pairs of which one side does not say it. A surname or a
# gender in which most differ is more likely a column that is read as the wrong thing: training refuses that.
KEPT_FOR_LIFE = (GIVEN.name, BIRTH_DATE.name)
MOST_DIFFERENT = 0.5


@dataclass(frozen=True, slots=True)
class Learned:
    """What one pass taught: the share of its pairs that match, and m and u of each comparison's levels, strongest first.

    `apart`: the pairs that do not match, by the level that they reach of the comparison whose chance agreements it counts.
    `disbelieved`: what people keep and its matching pairs mostly differ in.
    """

    name: str
    household: bool
    pairs: int
    possible_pairs: float
    matching: float
    rounds: int
    converged: bool
    m: Mapping[str, tuple[float, ...]]
    u: Mapping[str, tuple[float, ...]]
    apart: Mapping[str, float] = field(default_factory=dict)
    disbelieved: tuple[str, ...] = ()

    @property
    def matches(self) -> float:
        """The number of matching pairs that it saw, as far as it can tell."""
        return self.pairs * self.matching

    @property
    def teaches(self) -> bool:
        """Whether it saw enough matching pairs to learn from, and they were one person's."""
        return self.matches >= FEWEST_MATCHES and bool(self.m)


def believed(one: Learned) -> Learned:
    """Leave out what a pass teaches of an attribute that people keep and its matching pairs mostly differ in; and all that it
    teaches where that is the given name: then they are relatives, whose other attributes agree for other reasons."""
    strange = tuple(name for name in KEPT_FOR_LIFE if name in one.m and one.m[name][-1] > MOST_DIFFERENT)
    if not strange:
        return one
    left_out = set(one.m) if GIVEN.name in strange else set(strange)
    return replace(one, m={name: levels for name, levels in one.m.items() if name not in left_out}, disbelieved=strange)


def combined_m(start: Model, learned: Sequence[Learned]) -> dict[str, tuple[float, ...]]:
    """Average m over the passes that can teach it, each counting by its matches up to a thousand, and smooth towards the base."""
    found = {}
    for comparison, parameters in zip(start.comparisons, start.parameters, strict=True):
        if comparison.correction:
            continue
        teachers = [one for one in learned if comparison.name in one.m and one.teaches]
        teachers = [one for one in teachers if not one.household] or teachers
        counts = [
            sum(min(one.matches, 1000.0) * one.m[comparison.name][step] for one in teachers) for step in range(len(parameters))
        ]
        found[comparison.name] = smoothed_m(counts, parameters)
    return found


def counted_u(u: Mapping[str, tuple[float, ...]], learned: Sequence[Learned]) -> dict[str, tuple[float, ...]]:
    """Replace the sampled u of levels whose chance agreements a pass has counted."""
    found = dict(u)
    for one in learned:
        if one.name not in COUNTED or COUNTED[one.name][0].name not in found:
            continue
        comparison, counted = COUNTED[one.name]
        apart = one.apart or {counted[0]: one.pairs * (1.0 - one.matching)}
        found[comparison.name] = tuple(
            min((apart.get(level.name, 0.0) + UNSEEN) / one.possible_pairs, 1.0) if level.name in counted else share
            for level, share in zip(comparison.levels, found[comparison.name], strict=True)
        )
    return found
