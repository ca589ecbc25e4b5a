"""Whether the process of this container works: `python -m cli.health api` or the name of a standing process; exit code 0 or 1.

Asks what costs least: the API whether it is ready, the pages for customers whether they answer, a standing
process when it last ended a step.
"""

import sys

from cli import own_address
from kernel import clock
from kernel.settings import settings
from mdm import instruments

LONGEST_SECONDS = 60.0
API, PUBLIC = "api", "public"


def is_healthy(process: str) -> bool:
    """Tell whether a process of this machine works."""
    if process == API:
        return _answers(settings().port, "ready")
    if process == PUBLIC:
        return _answers(settings().public_port or 0, "live")
    stepped = instruments.last_step(process)
    return stepped is not None and clock.now().timestamp() - stepped < LONGEST_SECONDS


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
