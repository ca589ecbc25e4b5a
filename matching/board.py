"""The arithmetic of average linkage: rows of numbered units, exact sums of cross weights, and what holds rows apart.

Knows nothing of records, forms or stewards: `matching.cluster` turns those into units and flags. Sums are integers in grid steps,
so that an average is the same number whatever the order in which its parts were added.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# What a pair of rows carries; when rows join, so do their flags.
PERSONAL, DECIDED, VETO, STEWARD, ASKS = 1, 2, 4, 8, 16
HELD = VETO | STEWARD

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
    record counts in an average. The caller fills `total` and `flags` symmetrically, for every pair of units, before it joins.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.size = list(sizes)
        self.rows: dict[int, tuple[int, ...]] = {unit: (unit,) for unit in range(len(sizes))}
        self.total = [[0] * len(sizes) for _ in sizes]
        self.flags = [[0] * len(sizes) for _ in sizes]

    def copy(self) -> "Board":
        """Give an independent board in the same state."""
        other = Board([])
        other.size, other.rows = list(self.size), dict(self.rows)
        other.total, other.flags = [list(row) for row in self.total], [list(row) for row in self.flags]
        return other

    def average(self, u: int, v: int) -> float:
        """Give the average cross weight of two rows in grid steps: an exact quotient of integers, rounded once."""
        return self.total[u][v] / (self.size[u] * self.size[v])

    def join(self, u: int, v: int) -> Joined:
        """Make two rows one, under the lower name."""
        u, v = min(u, v), max(u, v)
        joined = Joined(self.rows[u], self.rows.pop(v), self.average(u, v))
        self.rows[u] = joined.left + joined.right
        self.size[u] += self.size[v]
        total, flags = self.total, self.flags
        total_u, total_v, flags_u, flags_v = total[u], total[v], flags[u], flags[v]
        for w in self.rows:
            if w != u:
                total[w][u] = total_u[w] = total_u[w] + total_v[w]
                flags[w][u] = flags_u[w] = flags_u[w] | flags_v[w]
        return joined

    def run(self, needs: int, bars: int, line: int | None) -> Iterator[Joined]:
        """Join the pair of rows of highest average, again and again, while one is open; ties go to the lower names.

        A pair is open when it carries all flags of `needs`, none of `bars`, and its average reaches `line` (None: any average).
        O(n² log n): each join adds at most n entries to a heap of at most n² / 2; stale entries are dropped when they surface.
        """
        floor = float("-inf") if line is None else line
        heap = [entry for u in self.rows for entry in self._open(u, needs, bars, floor, beyond=u)]
        heapq.heapify(heap)
        while heap:
            negative, u, v = heapq.heappop(heap)
            if u in self.rows and v in self.rows and self._is_open(u, v, needs, bars) and self.average(u, v) == -negative:
                yield self.join(u, v)
                for entry in self._open(u, needs, bars, floor):
                    heapq.heappush(heap, entry)

    def _is_open(self, u: int, v: int, needs: int, bars: int) -> bool:
        return self.flags[u][v] & (needs | bars) == needs

    def _open(self, u: int, needs: int, bars: int, floor: float, beyond: int = -1) -> list[tuple[float, int, int]]:
        """List the heap entries of the open pairs of a row with rows named above `beyond`."""
        flags, total, size, mask = self.flags[u], self.total[u], self.size, needs | bars
        own = size[u]
        return [
            (-average, u, w) if u < w else (-average, w, u)
            for w in self.rows
            if w > beyond and w != u and flags[w] & mask == needs and (average := total[w] / (own * size[w])) >= floor
        ]
