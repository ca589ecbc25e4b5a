"""P6: the whole service under random writes of several clients while its processes get `kill -9`; no final state changes.

In the end the queue drains, every acknowledged write is there once, every golden id that was told answers, verification finds
nothing by either path, and a clean installation in one process comes to the same state from the same deliveries in another order.
"""

import json
import random
import shutil
import subprocess
import sys
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kernel import actor, db
from kernel.settings import configure
from mdm import pending
from soak import promises
from soak.clients import Client
from soak.http_client import Http
from soak.place import adopt_policy, differences, own_place, state
from soak.population import Held, Retailer
from soak.progress import Outcome
from soak.service import ROOT, Service
from tests.resolution import query

TARGET = 8
KILLS = 25
CLIENTS = 4
CUSTOMERS = 120
MOST_WRITES, LONGEST_GAP_SECONDS = 20, 10.0  # Between two strikes: so many writes, or so long when nothing gets through.
LEASE_WAIT_SECONDS = 4.0
DRAIN_SECONDS = 300.0
STRIKE_SECONDS = 600.0
VERIFY_SECONDS = 600.0
SCOPES = ("records:write", "records:read", "lookup", "golden:read")
MOST_SHOWN = 5
VERSIONS = "SELECT r.source, r.source_key, v.source_version FROM record_version v JOIN source_record r USING (record_id)"
STORED = "SELECT source, source_key, source_version, is_deleted FROM source_record WHERE rekeyed_to IS NULL"


@contextmanager
def ready() -> Iterator[None]:
    """Nothing: every iteration has a service of its own."""
    yield


def run(_: None, seed: str, evidence: Path) -> Outcome:
    """One service from its first start to its end, and the clean installation beside it."""
    shutil.rmtree(evidence, ignore_errors=True)
    evidence.mkdir(parents=True)
    service = Service(evidence / "up.log")
    round_ = _Round(service, random.Random(seed), evidence)
    try:
        round_.go()
        if round_.findings:
            service.keep()
            round_.findings.append(f"its data is kept in {service.folder}")
    finally:  # Also when the soak is interrupted.
        service.stop()
        service.remove()
    if not round_.findings:
        shutil.rmtree(evidence)
    return Outcome(round_.counts, round_.findings)


class _Round:
    """One iteration under way."""

    def __init__(self, service: Service, rng: random.Random, evidence: Path) -> None:
        self.service, self.rng, self.evidence = service, rng, evidence
        self.retailer = Retailer(rng, CUSTOMERS)
        self.counts: Counter[str] = Counter(rounds=1)
        self.findings: list[str] = []
        self.struck: list[tuple[float, str]] = []
        self.clients: list[Client] = []
        self.state: dict[str, Any] = {}

    def go(self) -> None:
        """All of it; what it raises is a finding like any other."""
        try:
            self.suffer()
            self.check()
            self.findings += self.service.stop()
            self.compare()
        except Exception:  # noqa: BLE001 - what the service did before is evidence.
            self.findings.append(traceback.format_exc())
        self.keep()

    def suffer(self) -> None:
        """Let clients write while processes are killed; then let both come to rest."""
        self.service.wait_until_ready()
        self.service.attach()
        adopt_policy()
        with db.transaction() as session:
            self.key = actor.create_key(session, "soak", list(SCOPES))[1]
        for number in range(CLIENTS):
            records = self.retailer.records[number::CLIENTS]
            http = Http(self.service.base_url, self.key)
            self.clients.append(Client(http, random.Random(self.rng.random()), self.retailer, records))
        for client in self.clients:
            client.start()
        self.strike()
        for client in self.clients:
            client.stopping.set()
        while any(client.is_alive() for client in self.clients):
            self.service.watch()
            time.sleep(0.2)
        for client in self.clients:
            self.counts += client.counts + Counter(retries=client.http.retries)
            self.findings += client.trouble

    def strike(self) -> None:
        """Kill KILLS times."""
        began = time.monotonic()
        while len(self.struck) < KILLS and time.monotonic() < began + STRIKE_SECONDS:
            self.breathe()
            if what := self.service.strike(self.rng, self.await_lease):
                self.struck.append((time.time(), what))
                self.counts["kills"] += 1
                self.counts[f"kills of {what}"] += 1

    def breathe(self) -> None:
        """Wait until some more writes got through, so that a slow machine is not only starting processes."""
        wanted = self.writes() + self.rng.randint(0, MOST_WRITES)
        deadline = time.monotonic() + LONGEST_GAP_SECONDS
        time.sleep(self.rng.uniform(0.1, 1.0))
        while self.writes() < wanted and time.monotonic() < deadline:
            self.service.watch()
            time.sleep(0.1)

    def await_lease(self) -> None:
        """Wait a little until a worker is in the middle of something: most of the time it waits for work."""
        deadline = time.monotonic() + LEASE_WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                with db.read_only() as session:
                    if pending.backlog(session).leased:
                        self.counts["leases broken"] += 1
                        return
            except db.UNAVAILABLE:
                with suppress(TimeoutError):
                    self.service.attach()  # Another supervisor's servers listen elsewhere.
            time.sleep(0.02)

    def writes(self) -> int:
        """How many writes were acknowledged so far."""
        return sum(client.counts["writes"] for client in self.clients)

    def check(self) -> None:
        """Drain, then see that all that was acknowledged holds."""
        self.service.wait_until_ready()
        self.service.attach()
        began = time.monotonic()
        self.findings += self.drained()
        self.counts["seconds to drain"] += round(time.monotonic() - began)
        held = self.held
        self.counts["records"] += len(held)
        self.findings += lost(held) + _untold(held) + promises.broken(self.told) + self.unanswered()
        verified = subprocess.run(
            [sys.executable, "-m", "cli.main", "verify", "--deep"], cwd=ROOT, env=self.service.chosen.child_environment(),
            capture_output=True, text=True, timeout=VERIFY_SECONDS, check=False,
        )  # fmt: skip
        if verified.returncode:
            self.findings.append(f"mdm verify --deep ended with {verified.returncode}: {verified.stdout} {verified.stderr}")
        self.state = state()

    def drained(self) -> list[str]:
        """Wait until nothing is owed; what is owed still."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            self.service.watch()
            try:
                with db.read_only() as session:
                    owed = pending.backlog(session)
            except db.UNAVAILABLE:
                self.service.wait_until_ready()
                self.service.attach()
                continue
            if not owed.open:
                return [f"{owed.quarantined} records are quarantined: {_quarantined()}"] if owed.quarantined else []
            time.sleep(0.3)
        return [f"{owed.open} records are owed a resolution still after {DRAIN_SECONDS:.0f} s"]

    @property
    def held(self) -> list[Held]:
        """All records that were told of and acknowledged."""
        return [one for client in self.clients for one in client.held if one.deliveries]

    @property
    def told(self) -> set[uuid.UUID]:
        """All golden ids that any client was told."""
        return {golden_id for client in self.clients for golden_id in client.told}

    def unanswered(self) -> list[str]:
        """Golden ids that were told and do not answer now."""
        told = [str(golden_id) for golden_id in sorted(self.told)]
        self.counts["golden ids told"] += len(told)
        http = Http(self.service.base_url, self.key)
        status, answer = http.json("/v1/golden:batch-get", {"ids": told[:1000]}) if told else (200, {"items": []})
        unknown = [item for item in answer.get("items", ()) if item.get("status") in ("unknown", "erased")]
        return [f"golden ids that were told answer {status}, {unknown[:MOST_SHOWN]}"] if unknown or status != 200 else []

    def compare(self) -> None:
        """Deliver the same to a clean installation in one process, in another order, under the same secret."""
        configure(self.service.chosen)
        with own_place() as place:
            deliveries = [delivery for one in self.held for delivery in one.deliveries]
            place.deliver(self.rng, self.rng.sample(deliveries, len(deliveries)))
            place.settle(self.rng, is_last=True)
            self.findings += differences(state(), self.state, "clean run in one process")

    def keep(self) -> None:
        """Write down what was struck and what was acknowledged."""
        struck = [json.dumps({"at": at, "struck": what}) for at, what in self.struck]
        lines = [json.dumps(delivery.line()) for one in self.held for delivery in one.deliveries]
        (self.evidence / "struck.ndjson").write_text("\n".join(struck), encoding="utf-8")
        (self.evidence / "acknowledged.ndjson").write_text("\n".join(lines), encoding="utf-8")


def _quarantined() -> list[Any]:
    return query("SELECT reason, error, attempts, lost_leases FROM pending_record WHERE quarantined_at IS NOT NULL")[:MOST_SHOWN]


def lost(held: Sequence[Held]) -> list[str]:
    """Acknowledged writes that are not there, or that are not what is current."""
    wanted = {(one.record.source, one.key): (one.version, one.payload is None) for one in held}
    stored = {(row[0], row[1]): (row[2], row[3]) for row in query(STORED)}
    versions = {tuple(row) for row in query(VERSIONS)}
    wrong = [f"{key}: {one} was told, {stored.get(key)} is stored" for key, one in wanted.items() if stored.get(key) != one]
    gone = [
        f"version {version} of {one.record.source} {one.key} is not in the log"
        for one in held
        for version in one.logged
        if (one.record.source, one.key, version) not in versions
    ]
    return [f"{len(found)} times: {found[:MOST_SHOWN]}" for found in (wrong, gone) if found]


def _untold(held: Sequence[Held]) -> list[str]:
    """Records that nobody told of."""
    untold = {(row[0], row[1]) for row in query(STORED)} - {(one.record.source, one.key) for one in held}
    return [f"{len(untold)} records are stored that nobody told of: {sorted(untold)[:MOST_SHOWN]}"] if untold else []
