"""How many automatic merges are right, told from what stewards answered of those that they were asked to check. Never without
an interval.

A band of merges (by what joined them, by match weight) is sampled with a known share. Of each band those answers count that
still hold in the decision log, wherever they were given; the bands are weighed by how many merges they stand for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from kernel import clock
from kernel.db import Scope
from mdm import sql

Z_95 = 1.959963984540054
DAYS = 90


@dataclass(frozen=True, slots=True)
class Interval:
    """A share, and the interval that holds the true one with 95 % confidence."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Band:
    """One band: its answers, those that still wait, and how many merges it stands for."""

    name: str
    right: int
    wrong: int
    waiting: int
    merges: float

    @property
    def answers(self) -> int:
        """How many checks were answered."""
        return self.right + self.wrong

    @property
    def precision(self) -> Interval | None:
        """The share that is right; None before the first answer."""
        return wilson(self.right, self.answers) if self.answers else None


@dataclass(frozen=True, slots=True)
class Precision:
    """All bands. `covered`: the share of the merges that lie in bands with an answer, of which alone `precision` speaks."""

    bands: tuple[Band, ...]

    @property
    def answers(self) -> int:
        """How many checks were answered."""
        return sum(band.answers for band in self.bands)

    @property
    def waiting(self) -> int:
        """How many checks wait."""
        return sum(band.waiting for band in self.bands)

    @property
    def covered(self) -> float:
        """The share of the merges that lie in bands with an answer."""
        merges = sum(band.merges for band in self.bands)
        return sum(band.merges for band in self.bands if band.answers) / merges if merges else 0.0

    @property
    def precision(self) -> Interval | None:
        """The share of merges that are right, over the bands with an answer; None before the first."""
        return stratified([(band.merges, found) for band in self.bands if (found := band.precision)])


def wilson(right: int, answers: int) -> Interval:
    """Tell a share with its score interval, which stays within 0 and 1 and is not empty where all answers agree.

    Source: Wilson 1927; for few answers by Brown, Cai and DasGupta 2001, "Interval Estimation for a Binomial Proportion".
    """
    share, spread = right / answers, Z_95**2 / answers
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / answers + spread / (4 * answers)) / (1 + spread)
    return Interval(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def stratified(bands: Sequence[tuple[float, Interval]]) -> Interval | None:
    """Weigh bands into one share, and their intervals into one; None without any.

    The distances of each band's limits from its share add up in squares. The weights count as known.
    Source: Zou, Huang and Zhang 2009, "A note on confidence interval estimation for a linear function of binomial proportions".
    """
    whole = sum(merges for merges, _ in bands)
    if not whole:
        return None
    parts = [(merges / whole, found) for merges, found in bands]
    share = sum(weight * found.share for weight, found in parts)
    below = math.sqrt(sum((weight * (found.share - found.low)) ** 2 for weight, found in parts))
    above = math.sqrt(sum((weight * (found.high - found.share)) ** 2 for weight, found in parts))
    return Interval(share, max(0.0, share - below), min(1.0, share + above))


# An answer counts while the decision that gave it holds, and counts by its verdict: whoever parts by hand what was to be checked
# has answered too. A merge stands for 1 / share of its like; what fell away unanswered (a record deleted) for none.
_READ = """
SELECT {by}, t.reason_code, count(*) FILTER (WHERE is_told AND verdict = 'match'),
  count(*) FILTER (WHERE is_told AND verdict = 'no_match'), count(*) FILTER (WHERE t.state = 'open' AND verdict IS NULL),
  sum(1 / t.share)
FROM (SELECT t.*, said.verdict, said.created_at > %(since)s AS is_told
      FROM task t LEFT JOIN (SELECT task_id, decision_id FROM task_desk WHERE decision_id IS NOT NULL) d USING (task_id)
      LEFT JOIN decision said ON said.decision_id = coalesce(d.decision_id, t.decision_id) AND said.superseded_at IS NULL
      WHERE t.kind = 'audit' AND (%(brands)s::text[] IS NULL OR t.brands && %(brands)s)
        AND (%(regions)s::text[] IS NULL OR t.regions && %(regions)s)) t
WHERE t.state = 'open' OR verdict IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, avg(t.weight), 2
"""
_SOURCES = "(SELECT array_agg(r.source ORDER BY r.source) FROM source_record r WHERE r.record_id = ANY(t.record_ids))"
Pair = tuple[str, str]


def read(session: Session, scope: Scope, days: int = DAYS, since: datetime | None = None) -> Precision:
    """Tell the precision by the answers of so many days (and after `since`), as far as the scope goes. Reads past the
    application's row scope: the decisions are not its to read."""
    found = sql.rows(session, _READ.format(by="NULL::text[]"), _params(scope, days, since))
    return Precision(tuple(Band(*row[1:]) for row in found))


def read_by_sources(session: Session, days: int = DAYS, since: datetime | None = None) -> dict[Pair, Precision]:
    """Tell it for each two sources whose records were merged, in the order of their names; a source may be both."""
    bands: dict[Pair, list[Band]] = {}
    for sources, *of_band in sql.rows(session, _READ.format(by=_SOURCES), _params(Scope(), days, since)):
        if sources:  # A record may be gone.
            bands.setdefault((sources[0], sources[-1]), []).append(Band(*of_band))
    return {pair: Precision(tuple(found)) for pair, found in bands.items()}


def _params(scope: Scope, days: int, since: datetime | None) -> dict[str, Any]:
    brands, regions = (None if one is None else list(one) for one in (scope.brands, scope.regions))
    earliest = clock.now() - timedelta(days=days)
    return {"since": max(earliest, since) if since else earliest, "brands": brands, "regions": regions}
