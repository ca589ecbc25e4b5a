"""When something is due by the clock: every day at a time, or every hour at a minute, in UTC. Pure."""

from datetime import datetime, timedelta

OFF = "off"
EVERY_HOUR = "*"


def period(at: str) -> timedelta:
    """How far slots lie apart. `at` is HH:MM (every day) or *:MM (every hour)."""
    return timedelta(hours=1) if at.startswith(EVERY_HOUR) else timedelta(days=1)


def latest(at: str, now: datetime) -> datetime:
    """The last slot that has begun."""
    hour, _, minute = at.partition(":")
    begun = now.replace(minute=int(minute), second=0, microsecond=0)
    if hour != EVERY_HOUR:
        begun = begun.replace(hour=int(hour))
    return begun if begun <= now else begun - period(at)


def following(at: str, now: datetime) -> datetime:
    """The next slot."""
    return latest(at, now) + period(at)
