"""When a delivery is tried again, and when an endpoint is left in peace. Pure.

Ten attempts over 75 hours and a half, as Standard Webhooks proposes, each pause a fifth longer or shorter so that endpoints which
failed together do not come back together.
"""

from datetime import timedelta

RETRY_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_ATTEMPTS = len(RETRY_SECONDS) + 1
JITTER = 0.2
# An endpoint whose every attempt failed for so long is disabled; whoever owns it hears of it by an event.
GIVE_UP_AFTER = timedelta(days=5)
# After so many failures in a row the endpoint is tried once per pause only, whatever is due.
FAILURES_TO_OPEN = 10
OPEN_SECONDS = (30.0, 60.0, 120.0, 300.0, 600.0)
GONE = 410


def pause_seconds(attempts: int, chance: float, retry_after: float | None = None) -> float | None:
    """Say how long to wait after so many failed attempts; None when there is no other.

    `chance` in [0, 1) makes the jitter. `retry_after`, in seconds, is what the endpoint asked for: it may double the pause, never
    shorten it.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    base = RETRY_SECONDS[attempts - 1] * (1 + JITTER * (2 * chance - 1))
    return base if retry_after is None else min(max(base, retry_after), 2 * base)


def open_seconds(failures: int) -> float:
    """Say how long an endpoint is left in peace after so many failures in a row; 0 while it is tried as usual."""
    if failures < FAILURES_TO_OPEN:
        return 0.0
    return OPEN_SECONDS[min(failures - FAILURES_TO_OPEN, len(OPEN_SECONDS) - 1)]


def is_delivered(status: int) -> bool:
    """Whether an answer means that the delivery arrived. A redirect is none: it is not followed."""
    return 200 <= status < 300
