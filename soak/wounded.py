"""A whole service that takes in what clients say and tells a subscriber, made to be wounded; what it owes is watched.

Beside the clients one sends files, on demand. The subscriber is a real server on loopback that counts what comes.
"""

import ipaddress
import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kernel import actor, clock, db
from kernel.actor import Principal
from kernel.settings import configure, settings
from sampledata.retailer import simulate
from soak import books
from soak.clients import Client
from soak.http_client import Http
from soak.place import adopt_policy
from soak.points import Points
from soak.population import Delivery, Retailer
from soak.progress import RESULTS
from soak.service import Service
from tests.webhooks.sink import Answer, Received, Sink, sink
from webhooks import endpoints
from webhooks.endpoints import Wish

SCOPES = ("records:write", "records:read", "lookup", "golden:read", "decisions:write", "jobs:read", "events:read")
WHO = Principal("soak", "soak", frozenset(), db.Scope())
FILES = "files"
MORE_SOURCES = f"  {FILES}: {{channel_kind: crm, brand: alder, trust: 0.6, key: id, version: version, updated_at: at}}\n"
LOOPBACK = {"webhook_networks": (ipaddress.ip_network("127.0.0.0/8"),), "webhook_allow_http": True}
POLL_SECONDS = 0.3
REST_SECONDS = 300.0
ACCEPTED = 202
AHEAD = timedelta(days=10)  # What is owed by then is all that is owed.


@dataclass
class Watch(threading.Thread):
    """Finds out when what was owed at a hit is done, and as many processes of its kind run as before."""

    service: Service
    endpoints: list[str] = field(default_factory=list)
    open: list[tuple[datetime, float, str, int, list[float]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def hit(self, kind: str, before: int, into: list[float]) -> None:
        """Something was hit just now: note into a list how many seconds it takes until all is as before."""
        self.open.append((clock.now(), time.monotonic(), kind, before, into))

    def run(self) -> None:
        """Look until told to stop."""
        while not self.over.wait(POLL_SECONDS):
            self.service.watch()
            with suppress(*db.UNAVAILABLE):
                self.look()

    def look(self) -> None:
        """Close what has recovered."""
        if not self.open:
            return
        running = self.service.targets()
        for one in list(self.open):
            at, began, kind, before, into = one
            if len(running.get(kind, ())) >= before and not books.is_owed(at, self.endpoints):
                self.open.remove(one)
                into.append(time.monotonic() - began)

    def rest(self) -> bool:
        """Wait until all has recovered and nothing at all is owed, while nobody writes; whether it is so."""
        deadline = time.monotonic() + REST_SECONDS
        while time.monotonic() < deadline:
            with suppress(*db.UNAVAILABLE):
                if not self.open and not books.is_owed(clock.now() + AHEAD, self.endpoints):
                    return True
            time.sleep(POLL_SECONDS)
        return False


@dataclass
class Uploads:
    """Sends files of people whom nobody else tells of, and remembers what it sent."""

    http: Http
    rng: random.Random
    rows: int = books.CHUNK_UNITS
    sent: list[Delivery] = field(default_factory=list)

    def send(self) -> None:
        """Send one file. Raises: ValueError when it is refused."""
        people = [one for one in simulate(self.rows, self.rng.randrange(10**9), "clean") if one.source == "webshop"]
        mark = f"{self.rng.getrandbits(48):012x}"
        new = [_row(f"{mark}-{number}", people[number % len(people)].payload) for number in range(self.rows)]
        body = b"".join(json.dumps(one.payload).encode() + b"\n" for one in new)
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": mark}
        status, text = self.http.ask("POST", f"/v1/imports?source={FILES}&format=ndjson", body, **headers)
        if status != ACCEPTED:
            raise ValueError(f"a file was answered {status}: {text[:300]!r}")
        self.sent += new


def _row(key: str, shop: dict[str, Any]) -> Delivery:
    said = {"given_name": shop["first_name"], "surname": shop["last_name"], "emails": [f"{key}@telefonica.net"]}
    payload = {name: value for name, value in said.items() if value}
    made = Delivery(FILES, key, 1, payload, "2026-03-01T00:00:00+00:00")
    return Delivery(FILES, key, 1, {"id": key, "version": 1, "at": made.at.isoformat(), **payload}, made.since)


@dataclass
class Wounded:
    """The service, those who tell it, and the one whom it tells."""

    service: Service
    points: Points
    key: str
    watch: Watch
    uploads: Uploads
    clients: list[Client]
    sink: Sink
    came: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Let all clients finish what they do, and do nothing for the length of the block."""
        with ExitStack() as stack:
            for client in self.clients:
                stack.enter_context(client.turn)
            yield

    def writes(self) -> int:
        """How many writes were acknowledged so far."""
        return sum(client.counts["writes"] for client in self.clients)

    def deliveries(self) -> list[Delivery]:
        """All that was acknowledged, files among it."""
        held = [one for client in self.clients for one in client.held]
        return [delivery for one in held for delivery in one.deliveries] + self.uploads.sent

    def forget_subscriber(self) -> None:
        """Tell nobody any more."""
        with db.transaction() as session:
            for known in self.watch.endpoints:
                endpoints.delete(session, WHO, uuid.UUID(known))
        self.watch.endpoints.clear()

    def trouble(self) -> list[str]:
        """What clients should not have been answered."""
        return [one for client in self.clients for one in client.trouble]


@contextmanager
def wounded(
    rng: random.Random,
    log: Path,
    customers: int,
    clients: int,
    home: Path = RESULTS,
    environment: dict[str, str] | None = None,
) -> Iterator[Wounded]:
    """Run it for the length of the block; its clients begin at once."""
    home.mkdir(parents=True, exist_ok=True)
    before = settings()
    folder = home / f"faults-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    service = Service(log, home, environment, fault_folder=folder, **LOOPBACK)
    try:
        with sink() as hooks:
            made = _begin(service, rng, Points(folder), hooks, customers, clients)
            try:
                yield made
            finally:  # Whatever happened: the watch would start again what is about to be stopped.
                _end(made)
    finally:
        service.stop()
        service.remove()
        configure(before)
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()


def _begin(service: Service, rng: random.Random, points: Points, hooks: Sink, customers: int, clients: int) -> Wounded:
    service.wait_until_ready()
    service.attach()
    adopt_policy(MORE_SOURCES)
    books.begin()
    with db.transaction() as session:
        key = actor.create_key(session, "soak", list(SCOPES))[1]
        wish = Wish(f"{hooks.url}/good", each_of_loads=True, concurrency=20, per_second=1_000)
        endpoint_id = str(endpoints.create(session, WHO, wish)[0].endpoint_id)
    retailer = Retailer(rng, customers, "typical")
    own = [
        Client(Http(service.base_url, key), random.Random(rng.random()), retailer, retailer.records[number::clients])
        for number in range(clients)
    ]
    uploads = Uploads(Http(service.base_url, key), random.Random(rng.random()))
    made = Wounded(service, points, key, Watch(service, [endpoint_id]), uploads, own, hooks)

    def count(received: Received) -> Answer:
        made.came[received.headers["webhook-id"]] += 1
        hooks.received.clear()  # Ids are enough: a run has hundreds of thousands.
        return 204, {}

    hooks.answer = count
    made.watch.start()
    for one in own:
        one.start()
    return made


def _end(made: Wounded) -> None:
    for client in made.clients:
        client.stopping.set()
    for client in made.clients:
        client.join()
    made.watch.over.set()
    made.watch.join()
