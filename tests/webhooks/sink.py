"""A subscriber's server on loopback: keeps what it is sent, and answers as a test tells it to."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

Answer = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The event that it carries."""
        found: dict[str, Any] = orjson.loads(self.body)
        return found


@dataclass
class Sink:
    """What was received, and what is answered: by default 204."""

    url: str
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Answer] = lambda _: (204, {})

    def of(self, path: str) -> list[Received]:
        """What came to a path."""
        return [one for one in self.received if one.path == path]


@contextmanager
def sink() -> Iterator[Sink]:
    """Run a sink for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            made.received.append(received)
            status, headers = made.answer(received)
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    made = Sink(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Says nothing of senders that hang up: those that are killed do, thousands of times in a soak."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def eventually(found: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
