"""Real API processes on one shared socket, and a client that keeps connections alive and measures each answer.

uvloop and httptools on both sides. Each connection sends its next request when it has the answer, so that the load is a number
of callers and not a rate. Rounds of different requests alternate, so that all meet the same machine.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
import uvloop
from fastapi.routing import APIRoute

from api.app import create_app
from cli.serve import COLLECT_AFTER
from kernel.settings import settings
from mdm.crew import collect_seldom

ROOT = Path(__file__).resolve().parents[1]
ROUND_SECONDS = 1.5
OK = 200
MOST_SECONDS = 300
Requests = Callable[[], bytes]


async def bare() -> dict[str, bool]:
    """Give a constant; depends on nothing."""
    return {"ok": True}


def serve(handle: int) -> None:
    """Serve the application and the bare endpoint on a socket that was handed over, until the process is ended."""
    app = create_app()
    app.router.routes.insert(0, APIRoute("/bare", bare))  # First, so that it pays for no route of ours.
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, server_header=False, log_level="warning")
    config.load()
    collect_seldom(COLLECT_AFTER)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=handle)])


@dataclass(frozen=True, slots=True)
class Served:
    """Where the processes answer, and which they are."""

    port: int
    pids: tuple[int, ...]


@contextmanager
def running_server(processes: int = 1) -> Iterator[Served]:
    """Start API processes of their own on one socket; ends them afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handle, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "bench.serving", str(handle)]
        environment = settings().child_environment()
        started = [
            subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[handle])  # noqa: S603 - our own command line.
            for _ in range(processes)
        ]
    try:
        _await_server(port)
        yield Served(port, tuple(process.pid for process in started))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def _await_server(port: int) -> None:
    """Wait until the server answers, however busy the machine: its socket is open before it is, and closes should it die."""
    with socket.create_connection(("127.0.0.1", port)) as probe:
        probe.sendall(b"GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        if not probe.recv(12).endswith(b"200"):
            raise RuntimeError("the server does not answer /live")


@dataclass(slots=True)
class Round:
    """What one round measured."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """A latency in milliseconds."""
        return sorted(self.latencies)[int(len(self.latencies) * share)] * 1_000


class Client(asyncio.Protocol):
    """One kept-alive connection that sends a request, waits for the whole answer, and sends the next until time is up."""

    def __init__(self, requests: Requests, ends_at: float, found: Round) -> None:
        self.requests, self.ends_at, self.found = requests, ends_at, found
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.held, self.wanted, self.sent_at = b"", 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport: asyncio.WriteTransport = transport  # type: ignore[assignment]  # TCP connections can write.
        self._send()

    def _send(self) -> None:
        self.sent_at = time.perf_counter()
        if self.sent_at >= self.ends_at:
            self.transport.close()
            self.done.set_result(None)
            return
        self.transport.write(self.requests())

    def data_received(self, data: bytes) -> None:
        """Count the answer when it is whole."""
        self.held += data
        if not self.wanted:
            head = self.held.find(b"\r\n\r\n")
            if head < 0:
                return
            if self.held[9:10] != b"2":
                self.done.set_exception(RuntimeError(f"the server answered {self.held[:12]!r}"))
            length = self.held.index(b"content-length: ") + 16
            self.wanted = head + 4 + int(self.held[length : self.held.index(b"\r\n", length)])
        if len(self.held) >= self.wanted:
            self.found.latencies.append(time.perf_counter() - self.sent_at)
            self.held, self.wanted = b"", 0
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that the server closed ends the round."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))


async def drive(port: int, requests: Requests, connections: int, seconds: float = ROUND_SECONDS) -> Round:
    """Run one round."""
    found, started = Round(), time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(requests, started + seconds, found), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(client.done for client in clients))
    found.seconds = time.perf_counter() - started
    return found


def once(port: int, request: bytes) -> bytes:
    """Send one request on a connection of its own and read the answer to its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=MOST_SECONDS) as connection:
        connection.sendall(request.replace(b"\r\n", b"\r\nconnection: close\r\n", 1))
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


async def alternate(
    port: int, asked: dict[str, Requests], connections: int, count: int, seconds: float = ROUND_SECONDS
) -> dict[str, list[Round]]:
    """Run rounds of several kinds of request in turn, after one of each that warms up."""
    found: dict[str, list[Round]] = {name: [] for name in asked}
    for requests in asked.values():
        await drive(port, requests, connections, seconds)
    for _ in range(count):
        for name, requests in asked.items():
            found[name].append(await drive(port, requests, connections, seconds))
    return found


def run(
    port: int, asked: dict[str, Requests], connections: int, count: int, seconds: float = ROUND_SECONDS
) -> dict[str, list[Round]]:
    """`alternate`, in an event loop of its own."""
    return uvloop.run(alternate(port, asked, connections, count, seconds))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
