"""One API process on a listening socket that it was handed: `python -m cli.serve <file descriptor> [name]`.

Several such processes share one socket. The socket is opened by its number with its own family and protocol, because uvicorn's
`--fd` and `--workers` lose TCP_NODELAY (measured: a trivial call went from 1 ms to 44 ms).
"""

import socket
import sys

import uvicorn

from kernel import log
from kernel.settings import settings
from mdm import instruments
from mdm.crew import collect_seldom

GRACE_SECONDS = 20
# A walk through the program and the forms that match keeps is a pause of tens of milliseconds at a till, for next to nothing.
COLLECT_AFTER = (20_000, 20, 100)


def main() -> None:
    """Serve until SIGTERM, then finish what is in flight."""
    log.configure(json=settings().log_json, level=settings().log_level)
    listener = socket.socket(fileno=int(sys.argv[1]))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        "api.app:app",
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    instruments.be(sys.argv[2] if len(sys.argv) > 2 else "api")
    collect_seldom(COLLECT_AFTER)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
