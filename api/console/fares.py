"""How the customer master fares, as the first page shows it: duplicates, recognition, latency, quality, drift. All as last told.

What reads every record is told beside the sweeper and kept; nothing of it is told here. Charts are placed here too, in hundredths
of their width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel import db
from kernel.actor import Principal
from mdm import drift_measure, quality_overview
from mdm import policy as policies
from mdm.drift import BAND_NAMES, MOST_MOVED, Moved
from mdm.quality_overview import SourceQuality
from stewardship import kept_measures
from stewardship.kept_measures import Kept

NEEDS = "jobs:read"  # As the pages of sources and models, to which it leads.
# The axis of latencies, each step so much longer than the one before that a second and a month stand on one.
LONGEST_SECONDS = 30 * 86_400.0
TICKS = (("1 s", 1.0), ("1 min", 60.0), ("1 h", 3_600.0), ("1 day", 86_400.0), ("30 days", LONGEST_SECONDS))


@dataclass(frozen=True, slots=True)
class Removed:
    """How many records there are, how many customers they are, and of each source how many of its records are twice in it."""

    measured_at: datetime
    records: int
    customers: int
    sources: Sequence[Mapping[str, Any]]

    @property
    def duplicates(self) -> int:
        """The records that are one too many."""
        return self.records - self.customers

    @property
    def within(self) -> int:
        """Those of them whose like is in the same source."""
        return sum(int(one["duplicates"]) for one in self.sources)


@dataclass(frozen=True, slots=True)
class Band:
    """A band of match weights: its share of pairs when the model came to rule and now, and the bars that show them."""

    name: str
    before: float
    now: float
    tall_before: float
    tall_now: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How far what comes has moved from what the model came to rule. `index`: of the weights, None before there is one."""

    model: str
    taken_at: datetime | None
    index: Moved | None
    bands: Sequence[Band]
    beyond: Sequence[Moved]
    measured: int

    @property
    def most(self) -> float:
        """From which index on it has moved too far."""
        return MOST_MOVED


@dataclass(frozen=True, slots=True)
class Arrival:
    """How long a source's records take: from their change there to here (half of them, 19 of 20), and from here to their golden
    id (19 of 20, the share within a minute)."""

    source: str
    times: Mapping[str, Any]
    resolved: Mapping[str, Any]

    @property
    def slowest(self) -> float | None:
        """Within which time 19 of 20 have a golden id, in seconds."""
        return self.resolved.get("slowest of 20, seconds")

    @property
    def in_time(self) -> float | None:
        """The share that has one within a minute."""
        return self.resolved.get("within 60 s share")


@dataclass(frozen=True, slots=True)
class Fares:
    """All of it. What speaks of every brand is None for whoever sees some only, and before it was first told."""

    is_whole: bool
    removed: Removed | None
    recognised: Kept | None
    arrivals: Sequence[Arrival]
    resolved_at: datetime | None
    sources: Sequence[SourceQuality]
    drift: Drift | None

    @property
    def known_elsewhere(self) -> float:
        """The share of customers whom more than one source knows."""
        rows = self.recognised.rows if self.recognised else ()
        return sum(float(one["share"]) for one in rows if one["sources"] > 1)


def read(caller: Principal) -> Fares | None:
    """Read all that a caller may see of it; None for whoever may see none."""
    if not caller.may(NEEDS):
        return None
    is_whole = caller.scope.brands is None and caller.scope.regions is None
    with db.read_only(db.Role.APP, caller.scope) as session:
        ruling = policies.in_force(session)
        sources = quality_overview.read(session, ruling) if ruling else []
    if not is_whole:
        return Fares(False, None, None, _arrivals(sources, None), None, sources, None)
    with db.read_only() as session:
        kept, found = kept_measures.read(session), drift_measure.standing(session)
    resolved = kept.get(kept_measures.IN_TIME)
    told = (_removed(kept), kept.get(kept_measures.RECOGNISED), _arrivals(sources, resolved))
    return Fares(True, *told, resolved.measured_at if resolved else None, sources, _drift(found) if found else None)


def _removed(kept: Mapping[str, Kept]) -> Removed | None:
    """Of two measures, which speak of the same records: those of the sources, and the customers that they are."""
    by_source, known = kept.get(kept_measures.DUPLICATES), kept.get(kept_measures.RECOGNISED)
    if by_source is None or known is None:
        return None
    records, customers = (sum(int(row[name]) for row in of.rows) for of, name in ((by_source, "records"), (known, "customers")))
    return Removed(by_source.measured_at, records, customers, by_source.rows) if records else None


def _arrivals(sources: Sequence[SourceQuality], resolved: Kept | None) -> list[Arrival]:
    taken = {one["source"]: one for one in resolved.rows} if resolved else {}
    times = {one.source: one.times for one in sources}
    return [Arrival(name, times.get(name, {}), taken.get(name, {})) for name in sorted(times.keys() | taken.keys())]


def _drift(found: drift_measure.Standing) -> Drift:
    named = {one.name: one for one in found.moved if one.what == "band"}
    shares = [(name, named[name].before or 0.0, named[name].now or 0.0) for name in BAND_NAMES if name in named]
    tallest = max((share for _, *both in shares for share in both), default=0.0) or 1.0
    bands = [Band(name, was, now, was * 100 / tallest, now * 100 / tallest) for name, was, now in shares]
    index = next((one for one in found.moved if one.what == "weights"), None)
    beyond = [one for one in found.moved if one.is_beyond]
    return Drift(found.model, found.taken_at, index, bands, beyond, len(found.moved) - len(named))


def place(seconds: float) -> float:
    """Where a time stands on the axis of latencies."""
    return 100 * (math.log(min(max(seconds, 1.0), LONGEST_SECONDS)) / math.log(LONGEST_SECONDS))


def lasting(seconds: float | None) -> str:
    """A time as people say it, in the largest unit that it fills."""
    if seconds is None:
        return "not known"
    for unit, length in (("day", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= length:
            told = f"{seconds / length:.1f}".removesuffix(".0")
            return f"{told} {unit}{'s' if unit == 'day' and told != '1' else ''}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"
