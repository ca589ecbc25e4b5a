"""Time and time-ordered ids: the one place that reads the clock, so that tests can set it.

Callers write `clock.now()`. Never sleeps, never reads the database's clock.
"""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

_STEPS = 4096  # A millisecond has this many steps in an id.
_last_step = 0
_lock = threading.Lock()


def _system_now() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system_now


def now() -> datetime:
    """Return the current time, aware and in UTC."""
    return _source()


def set_source(source: Callable[[], datetime] | None) -> None:
    """Let tests say what time it is; None returns to the system clock."""
    global _source  # noqa: PLW0603 - one clock a process is the point of this module.
    _source = source or _system_now


def uuid7() -> UUID:
    """Make a time-ordered id, each greater than the one before it in this process. PostgreSQL 15 cannot, so Python does.

    Source: RFC 9562, section 6.2, method 3: twelve bits hold the fraction of the millisecond; a tie takes the next step.
    """
    global _last_step  # noqa: PLW0603 - the last step handed out is what makes the ids of one process increase.
    wall = time.time_ns() * _STEPS // 1_000_000
    with _lock:
        _last_step = max(_last_step + 1, wall)
        milliseconds, step = divmod(_last_step, _STEPS)
    tail = int.from_bytes(os.urandom(8), "big") & (1 << 62) - 1
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | step << 64 | 0b10 << 62 | tail)


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - a lock that another thread held at the fork would stay locked for ever in the child.
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
