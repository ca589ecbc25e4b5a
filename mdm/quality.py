"""The quality figures of a source: shares of its records per attribute, the worst first, and what falls below the policy. Pure.

`all` counts every living record of the source, `day` those that arrived or changed on one day (UTC). A share of nothing is None,
never 0 or 1.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from math import sqrt
from typing import Any

from matching.appraisal import APPRAISED, State, is_fault
from mdm.appraisal import OTHER_FIELDS, UNMAPPED
from mdm.policy_schema import Floors

# A share of fewer records says more about chance than about a source.
LEAST_RECORDS = 20
# By how many standard deviations a day's share must be below: of 20 records of a source that is a little better than its floor,
# one day in five too few are well by chance; and the day is measured many times.
BEYOND_CHANCE = 3
MOST_UNMAPPED = 50


class Figure(StrEnum):
    """`complete`: has a value that can be used; `valid`: of those that say something; `unique`: keys no other record has."""

    COMPLETE = "complete"
    VALID = "valid"
    UNIQUE = "unique"


class OfWhat(StrEnum):
    """Which records a share is of."""

    ALL = "all"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class FieldCounts:
    """How many records stand how in one attribute. `keyed` have an identifying value, `shared` one that another record has."""

    good: int = 0
    faulty: int = 0
    refused: int = 0
    codes: Mapping[str, int] = field(default_factory=dict)
    keyed: int = 0
    shared: int = 0

    @property
    def said(self) -> int:
        """Records that speak of the attribute at all."""
        return self.good + self.faulty + self.refused

    def counted(self, figure: Figure, records: int) -> tuple[int, int]:
        """The records that a share counts, and those that it is of."""
        match figure:
            case Figure.COMPLETE:
                return self.good + self.faulty, records
            case Figure.VALID:
                return self.good, self.said
        return self.keyed - self.shared, self.keyed

    def share(self, figure: Figure, records: int) -> float | None:
        """One share."""
        part, whole = self.counted(figure, records)
        return part / whole if whole else None


NOTHING = FieldCounts()


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one set of records."""

    records: int = 0
    fields: Mapping[str, FieldCounts] = field(default_factory=dict)
    unmapped: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Counts":
        """The inverse of `asdict`."""
        fields = {name: FieldCounts(**counts) for name, counts in data["fields"].items()}
        return cls(data["records"], fields, data["unmapped"])


@dataclass(frozen=True, slots=True)
class Timeliness:
    """When a source last sent, and how late what it sent on the day came: seconds from its change there to its arrival here.

    `fresh` records were observed within the source's `fresh_within`; None where it declares none.
    """

    last_received_at: str | None = None
    fresh: int | None = None
    timed: int = 0
    latency_seconds_median: float | None = None
    latency_seconds_p95: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What one source was measured to be on a day. `copies` are records that say exactly what another of the source says.

    `unappraised` records were stored by a program that did not appraise, `stale` by another program or policy. `refused` are
    those that the mapping in force refuses, by reason (`code:field`): they stand as an older one read them.
    """

    source: str
    brand: str
    regions: tuple[str, ...]
    day: date
    measured_at: datetime
    all: Counts = Counts()
    today: Counts = Counts()
    unappraised: int = 0
    stale: int = 0
    copies: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    times: Timeliness = Timeliness()
    refused: Mapping[str, int] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """What is stored of it besides its columns."""
        names = ("all", "today", "times")
        plain = {name: getattr(self, name) for name in ("unappraised", "stale", "copies")}
        return {
            **{name: asdict(getattr(self, name)) for name in names},
            **plain,
            "rejects": dict(self.rejects),
            "refused": dict(self.refused),
        }

    def of(self, what: OfWhat) -> Counts:
        """The counts of all records or of the day's."""
        return self.all if what is OfWhat.ALL else self.today


@dataclass(frozen=True, slots=True)
class Breach:
    """A share that is below the floor that the policy sets."""

    field: str
    figure: Figure
    floor: float
    share: float
    of_what: OfWhat
    records: int


def counts(records: int, appraisals: Iterable[tuple[str, int]], keyed: Mapping[str, tuple[int, int]]) -> Counts:
    """Sum appraisals, each with how many records have it, up to counts. `keyed`: per attribute those keyed and those shared."""
    states: dict[str, dict[str, int]] = {}
    codes: dict[str, dict[str, int]] = {}
    unmapped: dict[str, int] = {}
    for said, number in appraisals:
        if number and said.startswith(f"{UNMAPPED}:"):
            unmapped[said.partition(":")[2]] = number
        elif number:
            where, mark = (states, "=") if "=" in said else (codes, "!")
            name, _, value = said.partition(mark)
            where.setdefault(name, {})[value] = number
    names = [*APPRAISED, *sorted(codes.keys() - set(APPRAISED))]
    fields = {
        name: _field(states.get(name, {}), codes.get(name, {}), keyed.get(name, (0, 0)))
        for name in names
        if name in states or name in codes
    }
    return Counts(records, fields, _most(unmapped))


def _field(states: Mapping[str, int], codes: Mapping[str, int], keyed: tuple[int, int]) -> FieldCounts:
    good, faulty, refused = (states.get(state, 0) for state in State)
    return FieldCounts(good, faulty, refused, codes, *keyed)


def _most(unmapped: Mapping[str, int]) -> dict[str, int]:
    """The fields that no rule reads, the most frequent first; further ones are counted, not named.

    Nor is what few records have: that may be a value.
    """
    named = ((name, number) for name, number in unmapped.items() if number >= LEAST_RECORDS and name != OTHER_FIELDS)
    most = dict(sorted(named, key=lambda item: (-item[1], item[0]))[:MOST_UNMAPPED])
    others = sum(number for name, number in unmapped.items() if name not in most)
    return most | ({OTHER_FIELDS: others} if others else {})


def worst_first(of: Counts) -> list[str]:
    """The attributes by the share of records in which something is wrong with them; then by what is missing."""

    def order(name: str) -> tuple[int, int, str]:
        one = of.fields[name]
        return (-(one.faulty + one.refused), one.good, name)

    return sorted(of.fields, key=order)


def faults(one: FieldCounts) -> dict[str, int]:
    """The codes that speak against values, the most frequent first."""
    return dict(sorted(((code, n) for code, n in one.codes.items() if is_fault(code)), key=lambda item: (-item[1], item[0])))


def is_told(of: Counts, name: str, figure: Figure) -> bool:
    """Say whether there are records enough for a share of one attribute."""
    return of.fields.get(name, NOTHING).counted(figure, of.records)[1] >= LEAST_RECORDS


def breaches(floors: Mapping[str, Floors], measured: Measured) -> list[Breach]:
    """Name each share that is below its floor, the lower one where all records and the day's both are."""
    found: dict[tuple[str, Figure], Breach] = {}
    for name, figure, floor in _floors(floors):
        for what in OfWhat:
            of = measured.of(what)
            part, whole = of.fields.get(name, NOTHING).counted(figure, of.records)
            is_well = part / whole >= floor if whole else True
            if is_well or not is_told(of, name, figure) or (what is OfWhat.DAY and _by_chance(part, whole, floor)):
                continue
            breach = Breach(name, figure, floor, part / whole, what, whole)
            known = found.get((name, figure))
            if known is None or breach.share < known.share:
                found[name, figure] = breach
    return list(found.values())


def _by_chance(part: int, whole: int, floor: float) -> bool:
    """Say whether a source at its floor might have sent so few: the records of a day that has only begun are a sample."""
    return floor * whole - part <= BEYOND_CHANCE * sqrt(whole * floor * (1 - floor))


def _floors(floors: Mapping[str, Floors]) -> Iterator[tuple[str, Figure, float]]:
    for name, of_field in floors.items():
        for figure in Figure:
            floor = getattr(of_field, figure)
            if floor is not None:
                yield name, figure, floor
