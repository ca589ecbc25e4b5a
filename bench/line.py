"""One measured line, and the calibration loop that says how fast this machine is. Every bench module gives `measure()`."""

import time
from dataclasses import asdict, dataclass
from typing import Any

CALIBRATION_STEPS = 2_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """A figure. With a `goal`, `at_most` says on which side of it the figure should be; `note` says against what it was taken."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def as_json(self) -> dict[str, Any]:
        """The line as the results file keeps it."""
        return {**asdict(self), "is_met": self.is_met}


def calibration() -> Line:
    """A bare loop of additions: how fast one core runs Python today, to read the absolute figures by."""
    started = time.perf_counter()
    total = 0
    for step in range(CALIBRATION_STEPS):
        total += step
    seconds = time.perf_counter() - started
    return Line("calibration loop", CALIBRATION_STEPS / seconds / 1e6, "million additions/s", note="one core, pure Python")
