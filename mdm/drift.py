"""How far what comes now has moved from what a model was put in charge of. Pure.

Weights by the population stability index over bands of bits: the sum of (now - before) · ln(now / before) of the shares. Below
0.1 nothing has moved to speak of, above 0.25 the model judges others than it was made for. Shares (complete, in review,
recognised) by their difference, where chance alone would not make it. Source: Siddiqi, Credit Risk Scorecards (2006), for both
lines.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import log, sqrt
from typing import Any

EDGES = (0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0, 28.0, 32.0)  # Bits; ten bands.
LEAST_PAIRS, LEAST_RECORDS = 500, 200
MOST_MOVED = 0.25
MOST_DIFFERENT = {"reviews": 0.10, "complete": 0.10, "recognised": 0.15}
BEYOND_CHANCE = 4.0
BAND_NAMES = (
    f"below {EDGES[0]:g}", *(f"{low:g} to {high:g}" for low, high in itertools.pairwise(EDGES)),
    f"from {EDGES[-1]:g}",
)  # fmt: skip
Part = tuple[int, int]  # So many of so many.


@dataclass(frozen=True, slots=True)
class Picture:
    """What was counted: pairs by band of weight, and in review; by source and attribute who has a value, by source who is
    known elsewhere.

    An attribute that a source never speaks of stands with 0, so that one that it stops speaking of is seen.
    """

    bands: Sequence[int] = (0,) * (len(EDGES) + 1)
    reviews: Part = (0, 0)
    complete: Mapping[str, Part] = field(default_factory=dict)
    recognised: Mapping[str, Part] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Picture":
        """The inverse of `body`."""
        parts = {name: {key: (part[0], part[1]) for key, part in body[name].items()} for name in ("complete", "recognised")}
        return cls(tuple(body["bands"]), (body["reviews"][0], body["reviews"][1]), **parts)


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure: as it was, as it is (None for an index, which is of both), how far it moved, and whether that is too far."""

    what: str
    name: str
    before: float | None
    now: float | None
    distance: float
    counted: int
    is_beyond: bool


def index(before: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of two counts over the same bands; half a pair is added to each band, so none is empty."""
    sides = [[(count + 0.5) / (sum(counts) + 0.5 * len(counts)) for count in counts] for counts in (before, now)]
    return float(sum((there - here) * log(there / here) for here, there in zip(*sides, strict=True)))


def is_beyond(before: Part, now: Part, most: float) -> bool:
    """Say whether two shares differ by more than `most`, and by more than chance makes of so many."""
    (part, whole), (later, of) = before, now
    if not whole or of < LEAST_RECORDS:
        return False
    pooled = (part + later) / (whole + of)
    chance = sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / whole + 1 / of))
    return abs(later / of - part / whole) > max(most, BEYOND_CHANCE * chance)


def moved(before: Picture, now: Picture) -> Iterator[Moved]:
    """Hold what is now against what was; a figure of nothing is left out."""
    pairs = sum(now.bands)
    if pairs and sum(before.bands):
        distance = index(before.bands, now.bands)
        yield Moved("weights", "", None, None, distance, pairs, pairs >= LEAST_PAIRS and distance > MOST_MOVED)
        yield from _bands(before.bands, now.bands)
    yield from _shares("reviews", {"": before.reviews}, {"": now.reviews})
    yield from _shares("complete", before.complete, now.complete)
    yield from _shares("recognised", before.recognised, now.recognised)


def _bands(before: Sequence[int], now: Sequence[int]) -> Iterator[Moved]:
    """What the index is made of. None is beyond by itself: the index judges all of them."""
    was, of = sum(before), sum(now)
    for name, part, later in zip(BAND_NAMES, before, now, strict=True):
        yield Moved("band", name, part / was, later / of, abs(later / of - part / was), of, False)


def _shares(what: str, before: Mapping[str, Part], now: Mapping[str, Part]) -> Iterator[Moved]:
    for name in sorted(before.keys() & now.keys()):
        (part, whole), (later, of) = before[name], now[name]
        if whole and of and part + later:
            beyond = is_beyond(before[name], now[name], MOST_DIFFERENT[what])
            yield Moved(what, name, part / whole, later / of, abs(later / of - part / whole), of, beyond)
