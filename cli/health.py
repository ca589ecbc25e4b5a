"""Whether the process of this container works: `python -m cli.health api` or the name of a standing process; exit code 0 or 1.

Asks what costs least: the API whether it is ready, the pages for customers whether they answer, the metrics what they show, a
standing process when it last ended a step, a worker when it last heard itself ask (`workers.hearing`).
"""

import ipaddress
import sys
import urllib.request
from contextlib import suppress

import redis

from cli import own_address
from kernel import clock
from kernel.settings import settings
from mdm import instruments

LONGEST_SECONDS = 60.0
API, PUBLIC, METRICS = "api", "public", "metrics"
WORKERS = {"worker", "urgent"}
SCRAPE_SECONDS = 30.0
LOOPBACK = "127.0.0.1"


def is_healthy(process: str) -> bool:
    """Tell whether a process of this machine works."""
    if process == API:
        return _answers(settings().port, "ready")
    if process == PUBLIC:
        return _answers(settings().public_port or 0, "live")
    if process == METRICS:
        return _shows_figures()
    # A worker that hears nothing because the broker is away is not helped by another start.
    return _has_stepped(process) or (process in WORKERS and not _broker_answers())


def _has_stepped(process: str) -> bool:
    stepped = instruments.last_step(process)
    return stepped is not None and clock.now().timestamp() - stepped < LONGEST_SECONDS


def _broker_answers() -> bool:
    try:
        with redis.Redis.from_url(settings().require_redis_url(), socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _shows_figures() -> bool:
    """What is shown when the database is away is that: it may take long to tell, and is no fault of who tells."""
    bound = settings().metrics_host
    with suppress(ValueError):
        if ipaddress.ip_address(bound).is_unspecified:  # What is bound to all is asked on this machine.
            bound = LOOPBACK
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            f"http://{bound}:{settings().metrics_port}/metrics", timeout=SCRAPE_SECONDS
        ) as answer:
            return b"mdm_database_up" in answer.read()
    except OSError:
        return False


def _answers(port: int, path: str) -> bool:
    try:
        own_address.ask(settings(), f"{own_address.base(settings(), port, '127.0.0.1')}/{path}", 5)
    except OSError:
        return False
    return True


def main() -> None:
    """Entry point."""
    sys.exit(0 if is_healthy(sys.argv[1]) else 1)


if __name__ == "__main__":
    main()
