"""Labelled pairs of simulated records: which are one customer, and which only look like it. Streams; bounded memory.

All pairs of a customer's records; for two people of a household, their first records with each other, their second, and so on;
and strangers of one full name. Easy strangers are left out: any two records of two households are such a pair.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from sampledata.desk import SimulatedRecord

SAME, HOUSEHOLD, NAMESAKE = "same customer", "same household", "same name"
NAMES_KEPT = 20_000


class RecordId(NamedTuple):
    """Where a record stands, whose it is, and in which household that customer lives."""

    source: str
    key: str
    truth: str
    household: int


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two records, whether they are one customer, and why the pair is told."""

    a: RecordId
    b: RecordId
    same: bool
    why: str

    def as_row(self) -> dict[str, str | bool]:
        """The pair as a row of a file."""
        return {
            "source_a": self.a.source, "record_key_a": self.a.key, "source_b": self.b.source, "record_key_b": self.b.key,
            "same": self.same, "why": self.why,
        }  # fmt: skip


class PairMaker:
    """Takes the records as they come and gives the pairs of a household once it is complete."""

    def __init__(self) -> None:
        self._household = 0
        self._records: dict[str, list[RecordId]] = {}
        self._names: OrderedDict[str, RecordId] = OrderedDict()

    def add(self, record: SimulatedRecord) -> Iterator[LabelledPair]:
        """Take the next record; yields the pairs of the household before, when this record begins another, and its namesake."""
        if record.household != self._household:
            yield from self.close()
            self._household = record.household
        one = RecordId(record.source, record.key, record.truth, record.household)
        self._records.setdefault(record.truth, []).append(one)
        if record.called:
            yield from self._namesake(record.called, one)

    def close(self) -> Iterator[LabelledPair]:
        """Yield the pairs of the last household."""
        for records in self._records.values():
            yield from (LabelledPair(a, b, True, SAME) for a, b in combinations(records, 2))
        for records, others in combinations(self._records.values(), 2):
            yield from (LabelledPair(a, b, False, HOUSEHOLD) for a, b in zip(records, others, strict=False))
        self._records = {}

    def _namesake(self, called: str, one: RecordId) -> Iterator[LabelledPair]:
        other = self._names.pop(called, None)
        if other is not None and other.household != one.household:
            yield LabelledPair(other, one, False, NAMESAKE)
        self._names[called] = one
        if len(self._names) > NAMES_KEPT:
            self._names.popitem(last=False)
