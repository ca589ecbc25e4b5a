"""Time and time-ordered ids. The one place that reads the clock, so that tests can set it."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID


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
    """Make a time-ordered id. PostgreSQL 15 cannot, so Python does. Source: RFC 9562, section 5.7."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)
