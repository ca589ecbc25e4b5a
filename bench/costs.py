"""Processor time by part of the service: of given processes, of this database's backends, and of this process, the client."""

import time
from collections.abc import Mapping, Sequence

import psutil
import psycopg

from kernel.settings import settings

BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'mdm-%'"


def spent(**parts: Sequence[int]) -> dict[str, float]:
    """Seconds so far, by part; `parts` are the processes of each, their children included.

    The database must run on this machine.
    """
    with psycopg.connect(settings().require_database_url()) as connection:
        backends = [pid for (pid,) in connection.execute(BACKENDS)]
    seconds = {name: sum(_of_family(pid) for pid in pids) for name, pids in parts.items()}
    return {**seconds, "database": sum(map(_of, backends)), "client": time.process_time()}


def each(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """Microseconds apiece, by part."""
    return {part: (seconds - before[part]) / count * 1e6 for part, seconds in after.items()}


def _of_family(pid: int) -> float:
    return _of(pid) + sum(_of(child.pid) for child in psutil.Process(pid).children(recursive=True))


def _of(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system
