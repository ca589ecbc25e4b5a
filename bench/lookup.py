"""Lookup by golden id against a bare `async def` endpoint of the same server: throughput as a ratio, and latency.

A real uvicorn process (uvloop, httptools) serves both; connections are kept alive, each sends its next request when it has the
answer. Rounds alternate, so that both meet the same machine; the ratio is the median of the rounds'. Auditing is included.
"""

import asyncio
import itertools
import json
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import uvicorn
import uvloop
from fastapi.routing import APIRoute

from api.app import create_app
from bench.line import Line
from bench.server import own_database
from kernel import actor, db
from kernel.settings import settings
from mdm import policy as policies
from mdm import versions

ROOT = Path(__file__).resolve().parents[1]
GOLDENS = 5_000
ROUND_SECONDS = 1.5
ROUNDS = 5
MAIN_CONNECTIONS = 64
GOAL = 0.5
START_SECONDS = 30
Requests = Callable[[], bytes]


async def bare() -> dict[str, bool]:
    """Give a constant; depends on nothing."""
    return {"ok": True}


def serve(handle: int) -> None:
    """Serve the application and the bare endpoint on a socket that was handed over, until the process is ended."""
    app = create_app()
    app.router.routes.insert(0, APIRoute("/bare", bare))  # First, so that it pays for no route of ours.
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, server_header=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=handle)])


@contextmanager
def running_server() -> Iterator[int]:
    """Start the server in a process of its own; gives its port, ends the process afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handle, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "bench.lookup", str(handle)]
        process = subprocess.Popen(command, cwd=ROOT, env=settings().child_environment(), pass_fds=[handle])  # noqa: S603 - ours.
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


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
            if self.held[9:12] != b"200":
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


async def drive(port: int, requests: Requests, connections: int) -> Round:
    """Run one round."""
    found, started = Round(), time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: Client(requests, started + ROUND_SECONDS, found), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(client.done for client in clients))
    found.seconds = time.perf_counter() - started
    return found


def fill() -> tuple[list[str], str]:
    """Store a policy, goldens of a usual size, and a key; gives the golden ids and the key's text."""
    with db.transaction() as session:
        versions.adopt(session, policies.store(session, policies.default(), "bench"))
        _, key = actor.create_key(session, "bench", ["golden:read", "lookup"])
    ids = [str(uuid.uuid4()) for _ in range(GOLDENS)]
    with psycopg.connect(settings().require_database_url(), autocommit=True) as connection:
        connection.execute(
            """INSERT INTO golden (golden_id, status, version, brands, body, content_hash, version_set_id, computed_at)
               SELECT id, 'live', 1, '{main}', %s, '\\x00', (SELECT max(version_set_id) FROM version_set), now()
               FROM unnest(%s::uuid[]) AS id""",
            [json.dumps(_body()), ids],
        )
        connection.execute("ANALYZE golden")
    return ids, key


def _body() -> dict[str, object]:
    origin = {"record_id": str(uuid.uuid4()), "source": "pos", "rule": "trust", "at": "2026-01-01T00:00:00Z", "runners_up": []}
    names = ("name", "emails", "phones", "address", "birth_date", "loyalty_accounts", "preferred_store")
    values = {name: {"value": [{"value": "x" * 40}], "provenance": origin} for name in names}
    members = [{"source": "pos", "source_key": str(number), "record_id": str(uuid.uuid4())} for number in range(3)]
    return {
        "display_name": "Ada Byron",
        "party": "person",
        "consent": "not known",
        "values": values,
        "members": members,
        "version": 1,
    }


def _requests(ids: list[str], key: str) -> dict[str, Requests]:
    turn = itertools.cycle(ids)
    head = f"host: localhost\r\nauthorization: Bearer {key}\r\n"

    def get() -> bytes:
        return f"GET /v1/golden/{next(turn)} HTTP/1.1\r\n{head}\r\n".encode()

    def post() -> bytes:
        body = f'{{"golden_id":"{next(turn)}","view":"checkout"}}'
        more = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        return f"POST /v1/lookup HTTP/1.1\r\n{head}{more}\r\n{body}".encode()

    bare = f"GET /bare HTTP/1.1\r\n{head}\r\n".encode()
    return {"bare endpoint": lambda: bare, "GET /v1/golden/{id}": get, "POST /v1/lookup": post}


async def _rounds(port: int, asked: dict[str, Requests], connections: int, count: int) -> dict[str, list[Round]]:
    for requests in asked.values():
        await drive(port, requests, connections)
    found: dict[str, list[Round]] = {name: [] for name in asked}
    for _ in range(count):
        for name, requests in asked.items():
            found[name].append(await drive(port, requests, connections))
    return found


def _lines(found: dict[str, list[Round]], connections: int) -> Iterator[Line]:
    bare, *others = found
    for name, rounds in found.items():
        middle = sorted(rounds, key=lambda one: one.per_second)[len(rounds) // 2]
        latency = f"{connections} connections, p50 {middle.percentile(0.5):.2f} ms, p99 {middle.percentile(0.99):.2f} ms"
        yield Line(f"{name} x{connections}", middle.per_second, "requests/s", note=latency)
    for name in others:
        ratios = [one.per_second / against.per_second for one, against in zip(found[name], found[bare], strict=True)]
        goal = GOAL if connections == MAIN_CONNECTIONS else None
        yield Line(
            f"{name} / bare x{connections}", statistics.median(ratios), "ratio", goal, at_most=False, note="audit included"
        )


def measure() -> list[Line]:
    """Measure both lookups at the usual concurrency, and once at others."""
    with own_database():
        asked = _requests(*fill())
        with running_server() as port:
            _await_server(port)
            plan = ((MAIN_CONNECTIONS, ROUNDS), (1, 1), (8, 1), (32, 1))
            return [
                line
                for connections, count in plan
                for line in _lines(uvloop.run(_rounds(port, asked, connections, count)), connections)
            ]


def _await_server(port: int) -> None:
    """Wait until the server answers: its socket is open before it is."""
    with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as probe:
        probe.sendall(b"GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        if not probe.recv(12).endswith(b"200"):
            raise RuntimeError("the server does not answer /live")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
