"""What bars records from merging without a human, by the facts that their own sources bring. Pure.

A fact that holds bars, and so does one that is not known or too old: doubt goes to a human. What holds is a function of the
records and of the time as at which they are judged; `mdm.lapsing` asks for records when time alone has changed it.
"""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from matching.record import StandardRecord
from matching.units import ALONE
from mdm.blocker_schema import Condition, MergeBlocker, speaking
from mdm.decisions import StewardDecision
from mdm.policy import Policy
from mdm.records import CurrentRecord

Id = uuid.UUID


class Standing(StrEnum):
    """What a record says of a blocker: it holds or does not, nothing is known of it, or what was said is too old to count."""

    HOLDS = "holds"
    CLEAR = "clear"
    NOT_KNOWN = "not_known"
    STALE = "stale"


BARRING = frozenset({Standing.HOLDS, Standing.NOT_KNOWN, Standing.STALE})


@dataclass(frozen=True, slots=True)
class Crossing:
    """A blocker across which the records of one golden record stand together. `accepted`: by stewards who named the blocker.

    `holders` are the records that it holds of, or may hold of, and which of these it is.
    """

    name: str
    holders: Mapping[Id, Standing]
    accepted: bool


@dataclass(frozen=True, slots=True)
class _Blocker:
    name: str
    declared: MergeBlocker
    sources: frozenset[str]
    bit: int

    @property
    def lasts(self) -> timedelta | None:
        days = self.declared.stale_after_days
        return None if days is None else timedelta(days=days)

    def standing(self, record: CurrentRecord, as_at: datetime) -> Standing | None:
        """What a record says of it; None when it has nothing to do with it."""
        known = [(condition, values(record.standard, fact)) for fact, condition in self.declared.facts.items()]
        if record.source not in self.sources and not any(held for _, held in known):
            return None
        said = [_any(_meets(condition, one) for one in held) for condition, held in known]
        if all(said):
            return Standing.HOLDS
        if False not in said:
            return Standing.NOT_KNOWN
        lapses_at = self.lapses_at(record)
        return Standing.STALE if lapses_at is not None and lapses_at <= as_at else Standing.CLEAR

    def lapses_at(self, record: CurrentRecord) -> datetime | None:
        """When what a record says of it is too old."""
        return None if self.lasts is None else record.observed_at + self.lasts


@dataclass(frozen=True, slots=True)
class MergeBlockers:
    """The blockers of a policy, in the order in which it names them."""

    blockers: tuple[_Blocker, ...]

    @classmethod
    def of(cls, policy: Policy) -> "MergeBlockers":
        """Make the blockers of a policy; most have none."""
        named = enumerate(policy.merge_blockers.items(), start=1)
        return cls(
            tuple(
                _Blocker(name, one, speaking(one, policy.sources), ALONE if one.when == "either" else 1 << place)
                for place, (name, one) in named
            )
        )

    def __bool__(self) -> bool:
        return bool(self.blockers)

    def bars(self, record: CurrentRecord, as_at: datetime) -> int:
        """What bars a record's automatic joins, as `matching.units.Member` has it."""
        found = 0
        for one in self.blockers:
            if one.standing(record, as_at) in BARRING:
                found |= one.bit
        return found

    def lapses_at(self, record: CurrentRecord, as_at: datetime) -> datetime | None:
        """When time alone will first change what bars a record."""
        clear = (one.lapses_at(record) for one in self.blockers if one.standing(record, as_at) is Standing.CLEAR)
        return min((at for at in clear if at is not None), default=None)

    def between(self, parts: Sequence[Collection[CurrentRecord]], as_at: datetime) -> tuple[str, ...]:
        """Name the blockers that bar parts from each other."""
        return tuple(one.name for one in self.blockers if _is_between(one, parts, as_at))

    def crossings(self, part: Collection[CurrentRecord], rules: Iterable[StewardDecision], as_at: datetime) -> Iterator[Crossing]:
        """Find the blockers across which the records of a part stand together, by stewards' matches alone."""
        rules = [rule for rule in rules if rule.is_match]
        for one in self.blockers if len(part) > 1 and rules else ():
            said = ((record.record_id, one.standing(record, as_at)) for record in part)
            holders = {record_id: standing for record_id, standing in said if standing in BARRING}
            if len(holders) > 1 or (holders and one.bit == ALONE):
                against = {record.record_id for record in part} if one.bit == ALONE else holders.keys()
                across = [rule.records for rule in rules if one.name in rule.across]
                yield Crossing(one.name, {known: at for known, at in holders.items() if at}, _accepted(holders, against, across))


def _is_between(blocker: _Blocker, parts: Sequence[Collection[CurrentRecord]], as_at: datetime) -> bool:
    holding = sum(any(blocker.standing(record, as_at) in BARRING for record in part) for part in parts)
    return holding > (0 if blocker.bit == ALONE else 1)


def _accepted(holders: Iterable[Id], against: Collection[Id], across: Sequence[frozenset[Id]]) -> bool:
    """Whether some decision that names the blocker speaks of each holder and of each record that it is barred from."""
    for holder in holders:
        told = frozenset().union(*(records for records in across if holder in records))
        if not told.issuperset(one for one in against if one != holder):
            return False
    return True


def values(record: StandardRecord, fact: str) -> list[str]:
    """The values that a record brings of an extra attribute."""
    return [extra.value for extra in record.extras if extra.name == fact]


def _any(said: Iterable[bool | None]) -> bool | None:
    """Whether one of several holds; None when none does and of one it is not known, or there is none at all."""
    found = set(said)
    if True in found:
        return True
    return False if found == {False} else None


def _meets(condition: Condition, value: str) -> bool | None:
    """Whether a value meets a condition; None for one that is of another kind: it was read when the policy said otherwise."""
    if condition.is_ is not None:
        return value.casefold() in {one.casefold() for one in condition.is_}
    try:
        if condition.above is not None:
            return Decimal(value) > Decimal(str(condition.above))
        if condition.below is not None:
            return Decimal(value) < Decimal(str(condition.below))
        day = date.fromisoformat(value)
    except (ValueError, InvalidOperation):
        return None
    if condition.after is not None:
        return day > condition.after
    return condition.before is not None and day < condition.before
