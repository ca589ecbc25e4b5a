"""Which of many hang together: sets that only ever grow together (union-find with path halving). Pure."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Union(Generic[T]):
    """Sets of values, each alone until it is joined; near-linear in joins and questions."""

    def __init__(self) -> None:
        self._above: dict[T, T] = {}

    def first(self, value: T) -> T:
        """Name the one that stands for all that hang together with a value: one and the same for each of them."""
        above = self._above
        while (next_above := above.get(value, value)) != value:
            above[value] = value = above.get(next_above, next_above)
        return value

    def join(self, value: T, other: T) -> None:
        """Put two values, and all that hang together with either, together; who stood for `value` stands for them all."""
        first, second = self.first(value), self.first(other)
        if first != second:
            self._above[second] = first
