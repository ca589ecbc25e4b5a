"""From counts to parameters: smoothing towards a base model, monotone levels, frozen term frequencies, the prior. Pure
arithmetic.

Small counts are never taken at their word: a level that a sample of a million pairs did not show is rare, not impossible.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from matching.model import LEAST_SEEN, Frequencies, Parameter, match_probability, term_hash

Levels = tuple[float, ...]
# Pairs that the base model counts for beside what was seen: enough to hold levels that a small file does not show.
BASE_PAIRS = 30.0
# Half a pair stands for a level that was never seen: the usual estimate of a rate after none in n.
UNSEEN = 0.5
RAREST = 1e-9
PRIOR_ROUNDS = 60


def smoothed_u(counts: Sequence[float], base: Sequence[Parameter]) -> tuple[float, ...]:
    """Turn counts of levels among pairs that do not match into shares; without pairs the base model's u."""
    total = sum(counts)
    if total < 1.0:
        return tuple(parameter.u for parameter in base)
    padded = [count + min(UNSEEN, max(total * parameter.u, RAREST)) for count, parameter in zip(counts, base, strict=True)]
    return tuple(count / sum(padded) for count in padded)


def smoothed_m(counts: Sequence[float], base: Sequence[Parameter]) -> tuple[float, ...]:
    """Turn counts of levels among matching pairs into shares, the base model counting for BASE_PAIRS pairs."""
    padded = [
        max(count + BASE_PAIRS * parameter.m, min(UNSEEN, parameter.m * sum(counts)))
        for count, parameter in zip(counts, base, strict=True)
    ]
    return tuple(count / sum(padded) for count in padded)


def monotone(m: Sequence[float], u: Sequence[float]) -> tuple[Parameter, ...]:
    """Pool neighbouring levels, strongest first, until no level weighs more than the one above it; u is kept, m shared out by u.

    Source: pool adjacent violators (Ayer et al., 1955).
    """
    pools: list[tuple[float, float, int]] = []
    for one_m, one_u in zip(m, u, strict=True):
        pools.append((one_m, one_u, 1))
        while len(pools) > 1 and pools[-1][0] * pools[-2][1] > pools[-2][0] * pools[-1][1]:
            (m1, u1, n1), (m2, u2, n2) = pools[-2:]
            pools[-2:] = [(m1 + m2, u1 + u2, n1 + n2)]
    ratios = [pool_m / pool_u for pool_m, pool_u, size in pools for _ in range(size)]
    return tuple(Parameter(min(1.0, max(RAREST, one_u * ratio)), one_u) for one_u, ratio in zip(u, ratios, strict=True))


def frequencies(values: Iterable[str | None], column: str, salt: str, agreement: float) -> Frequencies | None:
    """Freeze a column's term frequencies, given its value of each record: values seen at least 20 times as keyed hashes; None
    when nobody has the column.

    `agreement` is how often two records agree on it by chance (u of its exact level). The floor is set so that frequent and
    rare values together agree that often: counts of rare values cannot say it, since the same person counts twice.
    """
    counts = Counter(value for value in values if value is not None)
    total = sum(counts.values())
    if not total:
        return None
    frequent = {value: count / total for value, count in counts.items() if count >= LEAST_SEEN}
    rest = 1.0 - sum(frequent.values())
    left = agreement - sum(share * share for share in frequent.values())
    rarest = min([*frequent.values(), LEAST_SEEN / total, 1.0])
    floor = min(max(left / rest if rest > 0 else rarest, agreement * 0.1, RAREST), rarest)
    return Frequencies(floor, {term_hash(salt, column, value): share for value, share in sorted(frequent.items())})


def prior_from(weights: Iterable[float], prior_weight: float, all_pairs: float) -> float:
    """Estimate the share of all pairs that match from candidates' weights, by repeating: prior → probabilities → prior.

    `weights` were given under `prior_weight`. Pairs that are no candidates are taken not to match.
    """
    evidence = [weight - prior_weight for weight in weights]
    prior = match_probability(prior_weight)
    for _ in range(PRIOR_ROUNDS):
        shift = math.log2(prior / (1.0 - prior))
        expected = math.fsum(match_probability(bits + shift) for bits in evidence)
        following = min(max(expected, 1.0) / all_pairs, 0.5)
        if abs(math.log2(following / prior)) < 1e-3:
            return following
        prior = following
    return prior


def shared_bits(seen: float, common: float) -> float:
    """Say how many bits an agreement is worth less between people of one home: log2 of how much commoner it is there; at least
    0."""
    return max(0.0, math.log2(max(seen, RAREST) / max(common, RAREST)))


class Mixture:
    """Pairs that are a mixture of matching and other ones, as counts of level patterns; EM with both sides smoothed towards a
    start.

    For the pairs of one household, where Splink's EM would have to leave u free without a prior and may empty a side altogether.
    """

    def __init__(self, patterns: Mapping[tuple[int, ...], int], m: Sequence[Levels], u: Sequence[Levels], pseudo: float) -> None:
        self.patterns, self.pseudo = patterns, pseudo
        self.start_m, self.start_u = m, u
        self.m, self.u, self.share = m, u, 0.5

    def run(self, free_m: Sequence[bool], rounds: int, enough: float, *, free_u: bool = True) -> int:
        """Repeat until the share of matching pairs moves less than `enough`; m changes only where it is free, and u unless it is
        not. Returns the rounds."""
        for done in range(1, rounds + 1):
            before = self.share
            seen_m, seen_u, matching = self._expect()
            self.share = (matching + 1.0) / (sum(self.patterns.values()) + 2.0)
            if free_u:
                self.u = [_towards(seen, start, self.pseudo) for seen, start in zip(seen_u, self.start_u, strict=True)]
            self.m = [
                _towards(seen, start, self.pseudo) if free else start
                for seen, start, free in zip(seen_m, self.start_m, free_m, strict=True)
            ]
            if abs(self.share - before) < enough:
                return done
        return rounds

    def probability(self, pattern: tuple[int, ...]) -> float:
        """Give the probability that a pair of this pattern matches, by what was learned."""
        sides = zip(pattern, self.m, self.u, strict=True)
        told = math.fsum(math.log2(m[level] / u[level]) for level, m, u in sides if level >= 0)
        return match_probability(math.log2(self.share / (1.0 - self.share)) + told)

    def _expect(self) -> tuple[list[list[float]], list[list[float]], float]:
        """Count each level among matching and among other pairs, each pair by its probability."""
        bits = [[math.log2(one / other) for one, other in zip(m, u, strict=True)] for m, u in zip(self.m, self.u, strict=True)]
        odds = math.log2(self.share / (1.0 - self.share))
        seen_m, seen_u = [[0.0] * len(m) for m in self.m], [[0.0] * len(u) for u in self.u]
        matching = 0.0
        for pattern, count in self.patterns.items():
            weight = odds + sum(bits[place][level] for place, level in enumerate(pattern) if level >= 0)
            expected = count * match_probability(weight)
            matching += expected
            for place, level in enumerate(pattern):
                if level >= 0:
                    seen_m[place][level] += expected
                    seen_u[place][level] += count - expected
        return seen_m, seen_u, matching


def _towards(seen: Sequence[float], start: Levels, pseudo: float) -> Levels:
    total = sum(seen) + pseudo * sum(start)
    return tuple(max((count + pseudo * share) / total, RAREST) for count, share in zip(seen, start, strict=True))
