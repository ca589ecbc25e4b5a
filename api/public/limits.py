"""How often a link may be followed, and how often an address may send what is none; by each process, forgotten within a minute.

A provider of mail unsubscribes thousands from one address, so an address that sends links of ours is not counted.
"""

import threading
import time
from collections import Counter

SECONDS = 60.0
OF_A_LINK, OF_WRONG_LINKS = 30, 60
MOST_NAMES = 100_000


class Window:
    """Counts by name within the minute that runs; full of names it starts anew."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._counts, self._ends = Counter[str](), 0.0

    def passes(self, name: str) -> bool:
        """Count one, and say whether it is within what is allowed."""
        with self._lock:
            now = time.monotonic()
            if now >= self._ends or len(self._counts) >= MOST_NAMES:
                self._counts, self._ends = Counter(), now + SECONDS
            self._counts[name] += 1
            return self._counts[name] <= self._most
