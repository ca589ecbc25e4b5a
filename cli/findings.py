"""What the doctor finds: one thing looked at, what was seen, and how to mend it."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What a finding means."""

    GOOD = "ok"
    ODD = "look"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, what was seen, and how to mend it."""

    state: State
    what: str
    seen: str
    mend: str = ""
