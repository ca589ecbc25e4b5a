"""Which automatic merges stewards are asked to check: of each band a sample with a known share, which tells precision. Pure.

A merge is named by the first record of either side, by source and key, and chosen by a keyed hash of the two: the same whatever
the order of arrival, the batch or the path, and nobody who sends records can tell which.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from matching.cluster import Join, JoinKind
from mdm.policy_schema import MergeAudit

Id = uuid.UUID
BY_IDENTIFIER = "merged_by_identifier"
_WHOLE = 2**64


class Named(Protocol):
    """A record, as its source names it."""

    @property
    def source(self) -> str: ...

    @property
    def source_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Audited:
    """A merge to be checked: the first record of either side, the average weight in bits, its band, the share that is asked."""

    records: tuple[Id, Id]
    weight: float
    band: str
    share: float


@dataclass(frozen=True, slots=True)
class Sampler:
    """Chooses merges as a policy says."""

    declared: MergeAudit
    secret: bytes

    def __bool__(self) -> bool:
        return bool(self.declared.by_identifier or self.declared.by_weight)

    def sample(self, joins: Iterable[Join[Id]], records: Mapping[Id, Named]) -> Iterator[Audited]:
        """Give the merges that are to be checked; those that stewards made are none."""
        for join in joins:
            band, share = (BY_IDENTIFIER, self.declared.by_identifier) if join.kind is JoinKind.IDENTIFIER else self._band(join)
            if share and join.kind is not JoinKind.STEWARD and join.weight is not None:
                for one, other in _merges(join, records):
                    if self._draw(records[one], records[other]) < share * _WHOLE:
                        yield Audited((one, other), join.weight, band, share)

    def _band(self, join: Join[Id]) -> tuple[str, float]:
        weight = join.weight if join.weight is not None else float("-inf")
        met = [band for band in self.declared.by_weight if band.from_weight <= weight]
        last = max(met, key=lambda band: band.from_weight, default=None)
        return (f"merged_from_{last.from_weight:g}_bits", last.share) if last else ("", 0.0)

    def _draw(self, *heads: Named) -> int:
        """Draw a number below 2**64, ever the same for the same two records. Source: permanent random numbers (Ohlsson 1995)."""
        named = "\0".join(f"{head.source}\0{head.source_key}" for head in heads)
        return int.from_bytes(hashlib.blake2b(named.encode(), key=self.secret, digest_size=8).digest())


def _merges(join: Join[Id], records: Mapping[Id, Named]) -> Iterator[tuple[Id, Id]]:
    """Name the merges of a step, each by the first record of either side. Copies of one form join all at once: n - 1 merges."""

    def place(record: Id) -> tuple[str, str]:
        return records[record].source, records[record].source_key

    firsts: Sequence[Id] = sorted((min(part, key=place) for part in join.parts), key=place)
    return pairwise(firsts)
