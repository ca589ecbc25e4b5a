"""What verification names: one stored statement that is not what recomputation gives. Ids and codes, never values."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What differs."""

    GOLDEN_VALUE = "golden_value"
    GOLDEN_VERSION = "golden_version"
    CROSSWALK = "crosswalk"
    REDIRECT = "redirect"
    DECISION = "decision"
    TASK = "task"
    FOUNDER = "founder"
    STANDARD_RECORD = "standard_record"
    CONSENT_ENTRY = "consent_entry"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """`id` names the row, or what is missing; `problem` is a stable code."""

    kind: Kind
    id: str
    problem: str
