"""Many deliveries at one moment, by HTTP to a whole service: 64 sources tell of one person, and one record comes 1,000 times.

However the writes meet, in the end the person has one golden id, every id that was told on the way leads to it, the record has
one version, every answer is the contract's, and verification names nothing.
"""

import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

from kernel import actor, db
from kernel.settings import configure, settings
from mdm import pending, policy, verify, versions
from sampledata.retailer import simulate
from soak.http_client import Http
from soak.progress import RESULTS, Outcome
from soak.service import Service
from stewardship import tasks
from tests.resolution import partition, query

TARGET = 10
ROUNDS = 5  # Of an iteration: 50 in all.
SOURCES = 64
TIMES = 1_000
DRAIN_SECONDS = 120.0
WAIT_SECONDS = 5
SCOPES = ("records:write", "golden:read")
POLICY = "sources:\n" + "".join(
    f"  source{number:02}: {{channel_kind: ecommerce, brand: brand{number % 7}, trust: 0.5}}\n" for number in range(SOURCES)
)
OK, CREATED = 200, 201
MOST_SHOWN = 5
Answer = tuple[int, dict[str, Any]]


@dataclass
class Ground:
    """A running service and a key for it."""

    service: Service
    key: str

    def at_once(self, count: int, send: Callable[[Http, int], Answer]) -> tuple[list[Answer], int]:
        """Let so many clients, each with a connection of its own, send at the same moment; the answers, and how many retries."""
        clients = [Http(self.service.base_url, self.key) for _ in range(count)]
        barrier = Barrier(count)

        def one(number: int) -> Answer:
            barrier.wait()
            return send(clients[number], number)

        with ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(one, range(count)))
        return answers, sum(client.retries for client in clients)


@contextmanager
def ready(home: Path = RESULTS) -> Iterator[Ground]:
    """One service for all iterations of a process. `home` is where it notes what a killed soak must end."""
    home.mkdir(parents=True, exist_ok=True)
    before = settings()
    service = Service(home / "storm.log", home)
    try:
        service.wait_until_ready()
        service.attach()
        with db.transaction() as session:
            versions.adopt(session, policy.store(session, policy.parse(POLICY), "soak"))
            key = actor.create_key(session, "soak", list(SCOPES))[1]
        yield Ground(service, key)
    finally:
        service.stop()
        service.remove()
        configure(before)


def run(ground: Ground, seed: str, evidence: Path) -> Outcome:
    """Some rounds of one person from all sources, then one record many times."""
    outcome = Outcome()
    for number in range(ROUNDS):
        one_person(ground, f"{seed}:{number}", outcome)
    one_record(ground, seed, outcome)
    report = verify.verify(db.transaction, tasks)
    outcome.findings += [f"verify: {one.kind} {one.id} {one.problem}" for one in report.differences[:MOST_SHOWN]]
    return outcome


def one_person(ground: Ground, seed: str, outcome: Outcome) -> None:
    """All sources put the same person at once, each waiting for the golden id."""
    rng = random.Random(seed)
    key, body = f"{rng.getrandbits(64):016x}", json.dumps(_person(rng)).encode()
    answers, retries = ground.at_once(SOURCES, lambda http, number: _put(http, f"source{number:02}", key, body, WAIT_SECONDS))
    outcome.counts.update({"rounds": 1, "puts of one person": len(answers), "retries": retries})
    outcome.findings += _unexpected(answers, Counter({(CREATED, "created"): SOURCES})) + _drained()
    parts = [part for part in partition() if any(member[1] == key for member in part)]
    if [len(part) for part in parts] != [SOURCES]:
        outcome.findings.append(f"{seed}: one person stands in {len(parts)} parts of {sorted(map(len, parts))} records")
    (living,) = query("SELECT array_agg(DISTINCT golden_id) FROM crosswalk WHERE source_key = %s", key)[0]
    told = {uuid.UUID(answer["golden_id"]) for _, answer in answers if answer.get("golden_id")}
    outcome.counts["golden ids told"] += len(told)
    leading = {
        row[0] for row in query("SELECT coalesce(redirect_to, golden_id) FROM golden WHERE golden_id = ANY(%s)", list(told))
    }
    if not leading <= set(living):
        outcome.findings.append(f"{seed}: ids that were told lead to {leading}, the person is {living}")


def one_record(ground: Ground, seed: str, outcome: Outcome) -> None:
    """One record comes very many times at once: it is new once, and the same every other time."""
    rng = random.Random(seed)
    key, body = f"{rng.getrandbits(64):016x}", json.dumps(_person(rng)).encode()
    answers, retries = ground.at_once(TIMES, lambda http, _: _put(http, "source00", key, body, 0))
    outcome.counts.update({"puts of one record": len(answers), "retries": retries})
    outcome.findings += _unexpected(answers, Counter({(CREATED, "created"): 1, (OK, "same"): TIMES - 1})) + _drained()
    found = query(
        """SELECT count(DISTINCT r.record_id), count(*), (SELECT count(*) FROM crosswalk c WHERE c.source_key = %s
             AND c.state = 'resolved') FROM source_record r JOIN record_version v USING (record_id) WHERE r.source_key = %s""",
        key, key,
    )  # fmt: skip
    if found != [(1, 1, 1)]:
        outcome.findings.append(f"{seed}: records, versions and resolved records of one that came {TIMES} times: {found}")


def _person(rng: random.Random) -> dict[str, Any]:
    """Somebody whom nobody else resembles."""
    shop = next(
        one for one in simulate(60, rng.randrange(10**9), "clean") if one.source == "webshop" and one.payload["last_name"]
    )
    mark = f"{rng.getrandbits(48):012x}"
    return {
        "given_name": shop.payload["first_name"], "surname": shop.payload["last_name"], "emails": [f"{mark}@telefonica.net"],
        "birth_date": f"{rng.randint(1940, 2000)}-{rng.randint(1, 12):02}-{rng.randint(2, 28):02}",
        "phones": [f"+346{rng.randrange(10**8):08}"],
    }  # fmt: skip


def _put(http: Http, source: str, key: str, body: bytes, wait_seconds: int) -> Answer:
    path = f"/v1/sources/{source}/records/{key}?wait_seconds={wait_seconds}"
    status, text = http.ask("PUT", path, body, **{"Content-Type": "application/json"})
    return status, json.loads(text)


def _unexpected(answers: Sequence[Answer], wanted: Counter[tuple[int, str]]) -> list[str]:
    """How the answers differ from the contract's."""
    found = Counter((status, answer.get("status", answer.get("code", ""))) for status, answer in answers)
    return [f"answered {dict(found)} instead of {dict(wanted)}"] if found != wanted else []


def _drained() -> list[str]:
    """Wait until nothing is owed; what is owed still."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline:
        with db.read_only() as session:
            owed = pending.backlog(session)
        if not owed.open + owed.quarantined:
            return []
        time.sleep(0.1)
    return [f"{owed.open} records are owed a resolution still after {DRAIN_SECONDS:.0f} s, {owed.quarantined} are quarantined"]
