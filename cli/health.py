"""Whether the process of this container works: `python -m cli.health api` or the name of a standing process; exit code 0 or 1.

Asks what costs least: the API whether it is ready, a standing process when it last ended a step.
"""

import sys
import urllib.request

from kernel import clock
from kernel.settings import settings
from mdm import instruments

LONGEST_SECONDS = 60.0
API = "api"


def is_healthy(process: str) -> bool:
    """Tell whether a process of this machine works."""
    if process == API:
        return _is_ready()
    stepped = instruments.last_step(process)
    return stepped is not None and clock.now().timestamp() - stepped < LONGEST_SECONDS


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings().port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main() -> None:
    """Entry point."""
    sys.exit(0 if is_healthy(sys.argv[1]) else 1)


if __name__ == "__main__":
    main()
