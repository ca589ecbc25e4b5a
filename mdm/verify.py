"""Recomputes what is stored from records, decisions and founders, and names each difference. Repairs nothing."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What differs."""

    GOLDEN_VALUE = "golden_value"
    CROSSWALK = "crosswalk"
    REDIRECT = "redirect"
    DECISION = "decision"
    TASK = "task"
    FOUNDER = "founder"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One stored statement that is not what recomputation gives. `id` names the row; `problem` is a stable code."""

    kind: Kind
    id: str
    problem: str
