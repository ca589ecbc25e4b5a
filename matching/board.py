"""The arithmetic of average linkage: rows of numbered units, exact sums of cross weights, and what holds rows apart.

Knows nothing of records, forms or stewards: `matching.cluster` turns those into units and flags. Sums are integers in grid steps,
so that an average is the same number whatever the order in which its parts were added.
"""

import heapq
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

# What a pair of rows carries; when rows join, so do their flags.
PERSONAL, DECIDED, VETO, STEWARD, ASKS, AGAINST, BY_PLACE, TOLD_APART = 1, 2, 4, 8, 16, 32, 64, 128
HELD = VETO | STEWARD
ALL_FLAGS = range(256)


class Ways(NamedTuple):
    """The ways in which a pair of rows is open: with all flags of `needs` and none of `bars`, for one (needs, bars) at least."""

    table: bytes

    @classmethod
    def of(cls, *ways: tuple[int, int]) -> "Ways":
        """Make the table, which says 1 of each set of flags that is open."""
        return cls(bytes(any(flags & (needs | bars) == needs for needs, bars in ways) for flags in ALL_FLAGS))

    def within(self, seen: int) -> bool:
        """Say whether a pair that carries no other flags than `seen` may be open."""
        return _opens(self.table, seen)


@lru_cache(maxsize=4_096)
def _opens(table: bytes, seen: int) -> bool:
    """Kept for each set of flags: asked anew for every component, the 256 look-ups were a third of joining one."""
    return any(is_open and not flags & ~seen for flags, is_open in enumerate(table))


GRID_STEPS_PER_BIT = 1 << 20


def grid(weight: float) -> int:
    """Round a weight in bits to whole grid steps. Raises: ValueError or OverflowError when it is no finite number."""
    return round(weight * GRID_STEPS_PER_BIT)


def in_bits(steps: float) -> float:
    """Turn grid steps back into bits."""
    return steps / GRID_STEPS_PER_BIT


class Joined(NamedTuple):
    """Two rows became one: the units of each, and the average cross weight in grid steps (a row is named by its least unit)."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    average: float


class Board:
    """Rows of units and, for each pair of rows, the sum of their cross weights and their flags.

    A row is named by its least unit, so that the lower name wins ties. `sizes` are the numbers of records of the units: each
    record counts in an average. The caller fills `total` and `flags` symmetrically, for every pair of units, before it joins, and
    notes in `seen` every flag that some pair carries.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.size = list(sizes)
        self.rows: dict[int, tuple[int, ...]] = {unit: (unit,) for unit in range(len(sizes))}
        self.total = [[0] * len(sizes) for _ in sizes]
        self.flags = [[0] * len(sizes) for _ in sizes]
        self.seen = 0

    def copy(self) -> "Board":
        """Give an independent board in the same state."""
        other = Board([])
        other.seen, other.size, other.rows = self.seen, list(self.size), dict(self.rows)
        other.total, other.flags = [list(row) for row in self.total], [list(row) for row in self.flags]
        return other

    def average(self, u: int, v: int) -> float:
        """Give the average cross weight of two rows in grid steps: an exact quotient of integers, rounded once."""
        return self.total[u][v] / (self.size[u] * self.size[v])

    def join(self, u: int, v: int) -> Joined:
        """Make two rows one, under the name `u`, which must be the lower."""
        joined = Joined(self.rows[u], self.rows.pop(v), self.average(u, v))
        self.rows[u] = joined.left + joined.right
        self.size[u] += self.size[v]
        total, flags = self.total, self.flags
        total[u] = total_u = [ours + theirs for ours, theirs in zip(total[u], total[v], strict=True)]
        flags[u] = flags_u = [ours | theirs for ours, theirs in zip(flags[u], flags[v], strict=True)]
        for w in self.rows:
            total[w][u] = total_u[w]
            flags[w][u] = flags_u[w]
        return joined

    def run(self, ways: Ways, line: int | None) -> Iterator[Joined]:
        """Join the pair of rows of highest average, again and again, while one is open; ties go to the lower names.

        A pair is open when its flags are and its average reaches `line` (None: any average). O(n² log n): each join adds at
        most n entries to a heap of at most n² / 2. Entries of rows that have changed since are dropped when they surface, or all
        at once when most are such.
        """
        floor = float("-inf") if line is None else line
        is_open = ways.table
        heap = self._all_open(is_open, floor) if ways.within(self.seen) else []
        while heap:
            negative, u, v = heapq.heappop(heap)
            if u not in self.rows or v not in self.rows or self.average(u, v) != -negative or not is_open[self.flags[u][v]]:
                continue
            yield self.join(u, v)
            for entry in self._open(u, list(self.rows), is_open, floor):
                heapq.heappush(heap, entry)
            if len(heap) > len(self.rows) ** 2:
                heap = self._all_open(is_open, floor)

    def _all_open(self, is_open: bytes, floor: float) -> list[tuple[float, int, int]]:
        """Heap all open pairs. Rows stand in the order of their names, since joining only ever takes names away."""
        names = list(self.rows)
        heap = [entry for place, u in enumerate(names) for entry in self._open(u, names[place + 1 :], is_open, floor)]
        heapq.heapify(heap)
        return heap

    def _open(self, u: int, names: list[int], is_open: bytes, floor: float) -> list[tuple[float, int, int]]:
        """Make heap entries of those of the named rows that are open to row `u`: the least comes first, so minus the average."""
        flags, total, size, own = self.flags[u], self.total[u], self.size, self.size[u]
        return [
            (-average, u, w) if u < w else (-average, w, u)
            for w in names
            if is_open[flags[w]] and (average := total[w] / (own * size[w])) >= floor and w != u
        ]
