"""One API process on a listening socket that it was handed: `python -m cli.serve <file descriptor> <name>`.

Several such processes share one socket; one that is handed none listens by itself. The socket is opened by its number with its
own family and protocol, because uvicorn's `--fd` and `--workers` lose TCP_NODELAY (measured: a trivial call took 44 ms, not 1).
"""

import asyncio
import socket
import sys

import uvicorn

from kernel import log
from kernel.settings import settings
from mdm import instruments, ownership, traces
from mdm.crew import collect_seldom

GRACE_SECONDS = 20
LAST_SECONDS = 1.0
# A walk through the program and the forms that match keeps is a pause of tens of milliseconds at a till, for next to nothing.
COLLECT_AFTER = (20_000, 20, 100)


def _listener() -> socket.socket:
    """The socket that was handed over, else one of its own: in a container one process serves alone."""
    if len(sys.argv) > 1:
        return socket.socket(fileno=int(sys.argv[1]))
    return socket.create_server((settings().host, settings().port), backlog=1024)


class Server(uvicorn.Server):
    """A server that goes without failing anybody: told to end, it accepts nobody new and serves on for a moment.

    What it answers then closes the caller's connection and says so. Closed at once, connections that were just accepted, or kept
    by a caller who is just asking again, would be cut off (measured: within eight restarts under load, resets and hang-ups).
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on for LAST_SECONDS, then finish what is in flight."""
        for one in self.servers:
            one.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        await asyncio.sleep(LAST_SECONDS)
        await super().shutdown(sockets)


def main() -> None:
    """Serve the API."""
    serve("api.app:app", _listener(), sys.argv[2] if len(sys.argv) > 2 else "api")


def serve(app: str, listener: socket.socket, name: str) -> None:
    """Serve an application until SIGTERM, then finish what is in flight."""
    log.configure(json=settings().log_json, level=settings().log_level)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_certfile=settings().tls_certificate,
        ssl_keyfile=settings().tls_key,
    )
    ownership.leave_other_mode()
    config.load()
    instruments.be(name)
    traces.begin(name)
    collect_seldom(COLLECT_AFTER)
    Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
