"""What a comparison is: one kind of evidence, its condition for "no evidence", and its levels, strongest first.

A level's number counts from 0 (else) up, -1 is "no evidence". Which comparisons there are stands in `matching.comparisons`.
"""

from collections.abc import Container
from dataclasses import dataclass

from matching.conditions import Condition

NULL_LEVEL = -1


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a comparison. `frequency` names the column whose term frequency adjusts the weight of an agreement."""

    name: str
    condition: Condition
    frequency: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One kind of evidence. `correction` marks one that only takes weight back: it is set, not trained, and need not be monotone.

    `extra` is the name of the user's attribute that it compares.
    """

    name: str
    null: Condition
    levels: tuple[Level, ...]
    correction: bool = False
    extra: str | None = None

    def __hash__(self) -> int:
        """By the name: hashing every condition of every level took most of a verdict's time, where comparisons are keys."""
        return hash(self.name)

    def number(self, name: str) -> int:
        """Return the number of a level by its name."""
        return len(self.levels) - 1 - [level.name for level in self.levels].index(name)

    def adjusted_level(self, columns: Container[str]) -> tuple[int, str] | None:
        """Return the number of the level whose weight frequencies adjust, and the column, one of `columns`, that they are of."""
        for level in self.levels:
            if level.frequency is not None and level.frequency in columns:
                return self.number(level.name), level.frequency
        return None

    def level_name(self, number: int) -> str:
        """Return the name of a level by its number; 'missing' for -1."""
        return "missing" if number == NULL_LEVEL else self.levels[len(self.levels) - 1 - number].name
